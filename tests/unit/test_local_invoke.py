"""`eachonce invoke`: what it needs, what it gives to sam and to the container, and how it ends."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest

from eachonce_workbench.cloud.loopback import CONTAINER_HOST
from eachonce_workbench.local_invoke import InvokeError, invoke
from eachonce_workbench.local_invoke.answer import failure
from eachonce_workbench.local_invoke.engine import running_engine
from eachonce_workbench.local_invoke.reach import reach, require_local_cloud
from eachonce_workbench.local_invoke.relay import relaying
from eachonce_workbench.local_invoke.sample import sample_of
from tests.topologies import function

LOOPBACK = IPv4Interface("127.0.0.1/8")

BUNDLE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Plain:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Runtime: python3.11, CodeUri: ., Timeout: 7}
  Conditional:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.11
      CodeUri: .
      Environment: {Variables: {GREETING: !Sub "hello ${AWS::Region}"}}
"""


def program(folder: Path, name: str, script: str) -> Path:
    """Write a shell script that is called `name`."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


class Answering(BaseHTTPRequestHandler):
    """Says 403 to whatever is asked, as the local cloud does to an unsigned request, and notes whom it was for."""

    hosts: list[str]

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        self.send_error(403)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def cloud() -> Iterator[HTTPServer]:
    """Something that answers on a port of the loopback interface."""
    handler = type("Cloud", (Answering,), {"hosts": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make the only container engine on the PATH one that says these things of itself and of its network."""
    programs = tmp_path / "programs"

    def make(*, name: str = socket.gethostname(), subnet: str = "127.0.0.0/8", command: str = "docker") -> None:
        network = json.dumps([{"IPAM": {"Config": [{"Subnet": subnet}]}}], indent=4)
        program(programs, command, f"case $1 in info) echo ' Name: {name}' ;; *) echo '{network}' ;; esac")
        monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
        monkeypatch.setattr("eachonce_workbench.local_invoke.engine._NETWORKS", {command: "bridge"})

    return make


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of two functions, whose template names no endpoint."""
    root = tmp_path / "bundle"
    root.mkdir()
    (root / "template.yaml").write_text(BUNDLE)
    (root / "event.json").write_text("{}")
    return root


class Sam:
    """A sam that builds by copying, notes how it was called, and prints an answer."""

    def __init__(self, bundle: Path) -> None:
        self.bundle = bundle
        self.shown: list[str] = []

    def invoke(
        self, cloud: HTTPServer, function: str = "Plain", *, script: str = "echo '{}'", built: int = 0, **options: Any
    ) -> None:
        """Invoke a function in whose place `script` answers."""
        build = "mkdir -p .aws-sam/build; cp template.yaml .aws-sam/build; echo $* >> .aws-sam/builds"
        keep = "mkdir -p .aws-sam/given; for each; do [ -f $each ] && cp $each .aws-sam/given; done"
        notes = f"echo $* > .aws-sam/called; env > .aws-sam/called.env; {keep}"
        steps = f"[ $1 = build ] && {{ {build}; exit {built}; }}; {notes}; {script}"
        sam = program(self.bundle.parent / "sams", "sam", steps)
        invoke(
            function,
            template=self.bundle / "template.yaml",
            root=self.bundle,
            port=cloud.server_port,
            sam=str(sam),
            event=self.bundle / "event.json",
            show=self.shown.append,
            **options,
        )

    @property
    def arguments(self) -> list[str]:
        """What `sam local invoke` was called with."""
        return (self.bundle / ".aws-sam" / "called").read_text().split()

    @property
    def environment(self) -> dict[str, str]:
        """What it found in its environment."""
        lines = (self.bundle / ".aws-sam" / "called.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    @property
    def builds(self) -> int:
        """How often it was to build."""
        return len((self.bundle / ".aws-sam" / "builds").read_text().splitlines())

    def argument(self, option: str) -> str:
        """What follows an option."""
        return self.arguments[self.arguments.index(option) + 1]

    def given(self, option: str) -> Any:
        """What was in the file that follows an option; it is gone by now."""
        file = Path(self.argument(option))
        assert not file.exists()
        return json.loads((self.bundle / ".aws-sam" / "given" / file.name).read_text())


@pytest.fixture
def sam(bundle: Path) -> Sam:
    """The bundle's sam."""
    return Sam(bundle)


# ---------------------------------------------------------------- what it needs


def test_the_first_sample_is_one_that_the_function_can_take(tmp_path: Path) -> None:
    """Neither a malformed one, nor a request of HTTP; under the function's name or its folder's."""
    for name in ("ParcelDesk/http", "ParcelDesk/malformed", "parcel_desk/second", "parcel_desk/first"):
        (tmp_path / "events" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "events" / f"{name}.json").touch()

    assert sample_of(tmp_path, function("ParcelDesk")).name == "first.json"


def test_a_function_without_sample_is_told_from_those_with_one(tmp_path: Path) -> None:
    """The error names what could have been meant."""
    (tmp_path / "events" / "parcels").mkdir(parents=True)

    with pytest.raises(InvokeError, match=r"no sample input for Desk in .*/events; there is: parcels"):
        sample_of(tmp_path, function("Desk"))


def test_a_bundle_without_samples_is_told_so(tmp_path: Path) -> None:
    """No traceback of a folder that isn't there."""
    with pytest.raises(InvokeError, match="there is: none"):
        sample_of(tmp_path, function("Desk"))


def test_a_function_that_does_not_exist_is_told_from_those_that_do(cloud: HTTPServer, sam: Sam) -> None:
    """Before anything is built."""
    with pytest.raises(InvokeError, match="there is no function Nope; there is Conditional, Plain"):
        sam.invoke(cloud, "Nope")


def test_a_machine_without_container_engine_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what works without one."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(InvokeError, match=r"none is installed.*make run"):
        running_engine()


def test_an_engine_that_does_not_answer_is_told_from_one_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client alone runs nothing."""
    program(tmp_path, "docker", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(InvokeError, match="docker is installed, but no engine answers"):
        running_engine()


def test_a_local_cloud_that_is_not_there_is_missed() -> None:
    """The error says how to start it. Port 9 (discard) has no listener."""
    with pytest.raises(InvokeError, match="make serve"):
        require_local_cloud("http://127.0.0.1:9")


def test_a_machine_without_sam_is_told_so(cloud: HTTPServer, engine: Callable[..., None], bundle: Path) -> None:
    """In a line, as of all that is missing."""
    engine()

    with pytest.raises(InvokeError, match="no-sam can't be run: No such file"):
        invoke(
            "Plain",
            template=bundle / "template.yaml",
            root=bundle,
            port=cloud.server_port,
            sam="no-sam",
            event=bundle / "event.json",
        )


# ---------------------------------------------------------------- how a container gets to the local cloud


@pytest.mark.parametrize("command", ["docker", "podman"])
def test_the_containers_network_is_found_where_the_engine_runs(command: str, engine: Callable[..., None]) -> None:
    """The loopback network stands for the bridge: an address of this machine is in it."""
    engine(command=command)

    assert running_engine().bridge() == LOOPBACK


@pytest.mark.parametrize(
    "there", [{"name": "docker-desktop"}, {"subnet": "203.0.113.0/24"}], ids=["another name", "another network"]
)
def test_an_engine_in_a_virtual_machine_has_no_network_here(there: dict[str, str], engine: Callable[..., None]) -> None:
    """Its host is another one by name, or this machine has no address in its network."""
    engine(**there)

    assert running_engine().bridge() is None


def test_a_virtual_machine_brings_containers_to_the_loopback_interface(engine: Callable[..., None]) -> None:
    """Nothing listens for it: Docker Desktop's host.docker.internal is this machine."""
    engine(name="docker-desktop")

    with reach(running_engine(), 4566) as way:
        assert (way.endpoint, way.address) == (f"http://{CONTAINER_HOST}:4566", "host-gateway")


def test_containers_reach_the_local_cloud_through_a_relay(cloud: HTTPServer, engine: Callable[..., None]) -> None:
    """On a port of its own, at this machine's address in their network."""
    engine()

    with reach(running_engine(), cloud.server_port) as way:
        require_local_cloud(f"http://127.0.0.1:{way.port}")

        assert way.port != cloud.server_port
        assert way.address == "127.0.0.1"
        assert not way.missed


def test_a_relay_that_nobody_came_to_knows_it(cloud: HTTPServer, engine: Callable[..., None]) -> None:
    """Which a time-out may be due to."""
    engine()

    with reach(running_engine(), cloud.server_port) as way:
        assert way.missed


def test_a_relay_is_closed_when_its_work_is_done(cloud: HTTPServer) -> None:
    """Its port refuses connections then."""
    with relaying(LOOPBACK, cloud.server_port) as relay:
        pass

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", relay.port))


def test_a_relay_turns_away_whoever_is_not_in_its_network(cloud: HTTPServer) -> None:
    """An address of a bridge can be reached from outside, too, by whoever sends its packets to this machine."""
    elsewhere = IPv4Interface("127.0.0.2/32")

    with (
        relaying(elsewhere, cloud.server_port) as relay,
        socket.create_connection(("127.0.0.2", relay.port), source_address=("127.0.0.3", 0)) as stranger,
    ):
        assert stranger.recv(1) == b""
        assert not relay.used


def test_a_relay_passes_on_whole_conversations() -> None:
    """Both ways, megabytes, until each side has said that it is done."""
    question, answer = b"q" * 3_000_000, b"a" * 5_000_000
    heard: list[bytes] = []

    def converse(listening: socket.socket) -> None:
        accepted, _ = listening.accept()
        with accepted, accepted.makefile("rb") as reading:
            heard.append(reading.read())
            accepted.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        other = threading.Thread(target=converse, args=(listening,))
        other.start()
        with (
            relaying(LOOPBACK, listening.getsockname()[1]) as relay,
            socket.create_connection(("127.0.0.1", relay.port)) as asking,
            asking.makefile("rb") as reading,
        ):
            asking.sendall(question)
            asking.shutdown(socket.SHUT_WR)
            got = reading.read()
        other.join()

    assert (heard, got) == ([question], answer)


def test_a_relay_of_a_cloud_that_is_gone_closes_the_connection() -> None:
    """The client sees that nobody is there, and doesn't wait."""
    with relaying(LOOPBACK, 9) as relay, socket.create_connection(("127.0.0.1", relay.port)) as asking:
        assert asking.recv(1) == b""


# ---------------------------------------------------------------- what sam and the container are given


def test_values_are_written_where_sam_looks_for_them(cloud: HTTPServer, engine: Callable[..., None], sam: Sam) -> None:
    """The endpoint is the relay's, by the name that --add-host gives to its address."""
    engine()

    sam.invoke(cloud, "Conditional")

    values = sam.given("--env-vars")
    assert values["Conditional"]["GREETING"] == "hello eu-west-1"
    assert values["Plain"]["AWS_ENDPOINT_URL"].startswith(f"http://{CONTAINER_HOST}:")
    assert not values["Plain"]["AWS_ENDPOINT_URL"].endswith(f":{cloud.server_port}")
    assert sam.argument("--add-host") == f"{CONTAINER_HOST}:127.0.0.1"


@pytest.mark.parametrize("function", ["Plain", "Conditional"])
def test_functions_name_each_variable_that_has_a_value(
    function: str, cloud: HTTPServer, engine: Callable[..., None], sam: Sam
) -> None:
    """Sam hands over no others, so a template that names no endpoint would lead to the real AWS."""
    engine()

    sam.invoke(cloud, function)

    given = sam.given("--template")
    values = sam.given("--env-vars")
    named = given["Resources"][function]["Properties"]["Environment"]["Variables"]
    assert named.keys() == values[function].keys()
    assert Path(sam.argument("--template")).parent == sam.bundle / ".aws-sam" / "build"


def test_images_are_pulled_unless_it_is_said_otherwise(
    cloud: HTTPServer, engine: Callable[..., None], sam: Sam
) -> None:
    """A machine without a way to the registry has made its image by itself."""
    engine()

    sam.invoke(cloud)
    without = sam.arguments
    sam.invoke(cloud, skip_pull_image=True)

    assert "--skip-pull-image" not in without
    assert "--skip-pull-image" in sam.arguments


def test_no_account_of_a_persons_own_gets_into_a_container(
    cloud: HTTPServer, engine: Callable[..., None], sam: Sam, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sam passes a session token on, fails at a profile that isn't there, and takes variables from the shell."""
    engine()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.setenv(name, "mine")

    sam.invoke(cloud)

    assert "mine" not in sam.environment.values()
    assert sam.environment["AWS_ACCESS_KEY_ID"] == "local"


def test_sam_asks_no_proxy_for_its_container(
    cloud: HTTPServer, engine: Callable[..., None], sam: Sam, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It speaks to it at localhost; the exceptions that there are stay."""
    engine()
    monkeypatch.setenv("no_proxy", "example.com")

    sam.invoke(cloud)

    assert sam.environment["no_proxy"] == "example.com,localhost,127.0.0.1"


# ---------------------------------------------------------------- how it ends


def test_a_function_that_succeeds_shows_its_answer(cloud: HTTPServer, engine: Callable[..., None], sam: Sam) -> None:
    """And nothing is raised."""
    engine()

    sam.invoke(cloud, script="""echo '{"batchItemFailures": []}'""")

    assert sam.shown == ['{"batchItemFailures": []}']


def test_a_function_that_failed_fails_the_command(cloud: HTTPServer, engine: Callable[..., None], sam: Sam) -> None:
    """Although sam ends with 0: its answer is shown, and the error in a line."""
    engine()
    answer = '{"errorMessage": "no such sku", "errorType": "KeyError", "requestId": "", "stackTrace": []}'

    with pytest.raises(InvokeError, match=r"^Plain failed: KeyError: no such sku$") as raised:
        sam.invoke(cloud, script=f"echo '{answer}'")

    assert sam.shown == [answer]
    assert raised.value.status == 1


def test_a_function_that_took_too_long_fails_the_command(
    cloud: HTTPServer, engine: Callable[..., None], sam: Sam
) -> None:
    """Sam prints nothing then, and ends with 0; that its container came for nothing may be why."""
    engine()

    with pytest.raises(InvokeError, match=r"^Plain failed: no answer within 7 seconds\. Nothing came .* firewall"):
        sam.invoke(cloud, script="echo")


def test_a_firewall_is_not_accused_where_none_can_be(cloud: HTTPServer, engine: Callable[..., None], sam: Sam) -> None:
    """In a virtual machine nobody counts who comes."""
    engine(name="docker-desktop")

    with pytest.raises(InvokeError, match=r"^Plain failed: no answer within 7 seconds$"):
        sam.invoke(cloud, script="echo")


# ---------------------------------------------------------------- what is built already


@pytest.fixture
def built(cloud: HTTPServer, engine: Callable[..., None], sam: Sam) -> Sam:
    """The bundle's sam, when it has built once, and once more there was nothing to build."""
    engine()
    sam.invoke(cloud)
    sam.invoke(cloud)
    assert sam.builds == 1
    return sam


@pytest.mark.parametrize("name", ["app.py", "template.yaml", "Makefile", "functions/one/requirements.txt"])
def test_a_file_that_changed_is_built(name: str, cloud: HTTPServer, built: Sam) -> None:
    """Or is new: whatever is in the bundle's folder."""
    (built.bundle / name).parent.mkdir(parents=True, exist_ok=True)
    with (built.bundle / name).open("a") as file:
        file.write("\n")

    built.invoke(cloud)

    assert built.builds == 2


def test_code_that_lies_elsewhere_is_built_when_it_changed(cloud: HTTPServer, built: Sam) -> None:
    """A function's folder may be beside the bundle's."""
    elsewhere = built.bundle.parent / "elsewhere"
    elsewhere.mkdir()
    template = built.bundle / "template.yaml"
    template.write_text(template.read_text().replace("CodeUri: .", "CodeUri: ../elsewhere", 1))
    built.invoke(cloud)
    (elsewhere / "app.py").write_text("")

    built.invoke(cloud)

    assert built.builds == 3


def test_other_parameters_are_built(cloud: HTTPServer, built: Sam) -> None:
    """They may choose what is built."""
    template = built.bundle / "template.yaml"
    template.write_text(template.read_text() + "Parameters: {Size: {Type: String, Default: S}}\n")
    built.invoke(cloud)

    built.invoke(cloud, parameters={"Size": "L"})

    assert built.builds == 3


def test_what_another_has_built_is_built_again(cloud: HTTPServer, built: Sam) -> None:
    """Or what was cleared away."""
    (built.bundle / ".aws-sam" / "build" / "template.yaml").unlink()

    built.invoke(cloud)

    assert built.builds == 2


def test_a_build_that_failed_is_tried_again(cloud: HTTPServer, engine: Callable[..., None], sam: Sam) -> None:
    """Although nothing has changed."""
    engine()
    with pytest.raises(InvokeError, match="`sam build` ended with status 3"):
        sam.invoke(cloud, built=3)

    sam.invoke(cloud)

    assert sam.builds == 2


@pytest.mark.parametrize(("built", "step"), [(3, "build"), (0, "local invoke")])
def test_a_sam_that_fails_ends_the_command_with_its_status(
    built: int, step: str, cloud: HTTPServer, engine: Callable[..., None], sam: Sam
) -> None:
    """Whichever step it was."""
    engine()

    with pytest.raises(InvokeError, match=f"`sam {step}` ended with status 3") as raised:
        sam.invoke(cloud, script="exit 3", built=built)

    assert raised.value.status == 3


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        ('{"errorType": "ValueError", "errorMessage": "no"}', "ValueError: no"),
        (
            '{"errorType": "Runtime.ExitError", "errorMessage": "RequestId: 1 Error: exit status 1"}',
            "Runtime.ExitError",
        ),
        ('{"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 1 Error: Task timed out"}', "Sandbox.Timedout"),
        ('{"errorMessage": "line 1\\nline 2", "errorType": "E", "requestId": "", "stackTrace": []}', "E: line 1"),
        ('{"errorMessage": "", "errorType": "KeyError", "requestId": "1", "stackTrace": ["x"]}', "KeyError"),
        ('{"errorMessage": "of a runtime that names no type"}', "of a runtime that names no type"),
        ("Task timed out after 10.00 seconds", "Task timed out after 10.00 seconds"),
        ('{"batchItemFailures": [{"itemIdentifier": "1"}]}', "1 of its records would come again"),
    ],
)
def test_a_failure_is_told_in_a_line(answer: str, how: str) -> None:
    """By the error's type and the first line of its message, or by what else was said."""
    told = failure(answer)

    assert told is not None
    assert told.startswith(how)
    assert "\n" not in told


@pytest.mark.parametrize(
    "answer",
    [
        "null",
        '"done"',
        "[]",
        "{}",
        '{"batchItemFailures": []}',
        '{"statusCode": 422, "body": "{\\"errorType\\": \\"x\\"}"}',
        '{"order": "1", "errorType": null, "errorMessage": null}',
    ],
)
def test_what_is_no_failure_is_none(answer: str) -> None:
    """A function may answer what it likes: a field of that name among others is no error."""
    assert failure(answer) is None
