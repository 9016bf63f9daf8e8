"""Whatever code that is examined does, by whatever way, the outside never hears of an event that was made up."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from eachonce_workbench.cloud.confinement import landlock, seccomp
from tests.nosy import CONSUMER, Outside

ROOT = Path(__file__).parents[2]

Ended = subprocess.CompletedProcess[str]

kernel = pytest.mark.skipif(
    seccomp.calls() is None or not landlock.version(), reason="C code is confined by Linux alone, and Landlock"
)


CERTIFY = ("certify", "--handler", "app:consumer", "--events", "1", "--faults", "0")

NO_LANDLOCK = "landlock.version = lambda: 0"
NO_SECCOMP = "seccomp.calls = lambda: None"
NO_SUPERVISOR = "seccomp.can_notify = lambda _: False"
IN_C = ("c", "fast open", "c datagram", "c file")


def python(program: str, *arguments: str, without: Sequence[str] = (), cwd: Path, root: Path = ROOT) -> Ended:
    """Run a program on a machine that lacks something; what is temporary to it is in `cwd`."""
    (cwd / "tmp").mkdir()
    environment = os.environ | {"PYTHONPATH": str(root), "TMPDIR": str(cwd / "tmp")}
    program = "\n".join(("from eachonce_workbench.cloud.confinement import landlock, seccomp", *without, program))
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=cwd)


def eachonce(*arguments: str, without: Sequence[str] = (), cwd: Path, root: Path = ROOT) -> Ended:
    """Run the CLI of the bundle in `root`."""
    return python("from eachonce_workbench.cli.app import app; app()", *arguments, without=without, cwd=cwd, root=root)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    (tmp_path / "outside").mkdir()
    with Outside(tmp_path / "outside" / "told.txt") as outside:
        yield outside


@kernel
def test_who_is_certified_reaches_nobody(tmp_path: Path, outside: Outside) -> None:
    """Neither when it is imported nor when it is run, by no socket, no C code, no program and no file."""
    (tmp_path / "app.py").write_text(outside.tries + CONSUMER)

    ended = eachonce(*CERTIFY, cwd=tmp_path)

    assert outside.reached() == []
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "nosy: not independent" in ended.stdout
    lines = ended.stdout.splitlines()
    assert f"app, while it was imported, tried to connect to 127.0.0.1:{outside.port}: refused" in lines
    for tried in (
        f"send an HTTP request to http://127.0.0.1:{outside.port}/",
        f"connect to 127.0.0.1:{outside.port}",
        f"send to 127.0.0.1:{outside.port}",
        "start a program",
    ):
        assert f"count_and_tell tried to {tried}: refused" in lines


@kernel
def test_whoever_is_not_supervised_reaches_nobody_either(tmp_path: Path, outside: Outside) -> None:
    """The kernel refuses by itself where it can't ask, and tells nobody what C code tried."""
    (tmp_path / "app.py").write_text(outside.tries + CONSUMER)

    ended = eachonce(*CERTIFY, without=[NO_SUPERVISOR], cwd=tmp_path)

    assert outside.reached() == []
    assert ended.stderr == ""
    assert "count_and_tell tried to start a program: refused" in ended.stdout.splitlines()


@pytest.mark.parametrize(
    ("without", "unseen", "lacking"),
    [
        pytest.param([NO_LANDLOCK], ["c file"], "files can be written, since there is no Landlock", marks=kernel),
        ([NO_SECCOMP, NO_LANDLOCK], IN_C, "seccomp is not used on"),
    ],
)
def test_python_code_reaches_nobody_where_the_kernel_does_not_help(
    without: Sequence[str], unseen: Sequence[str], lacking: str, tmp_path: Path, outside: Outside
) -> None:
    """One line says what isn't confined; programs aren't started, since nobody would see what they do."""
    forgotten = "".join(f"del WAYS[{way!r}]\n" for way in unseen)
    (tmp_path / "app.py").write_text(outside.tries + forgotten + CONSUMER)

    ended = eachonce(*CERTIFY, without=without, cwd=tmp_path)

    assert outside.reached() == []
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("not confined by the kernel: ")
    assert lacking in line
    assert f"count_and_tell tried to connect to 127.0.0.1:{outside.port}: refused" in ended.stdout.splitlines()


def test_a_module_that_needs_the_network_to_be_imported_is_told_so(tmp_path: Path, outside: Outside) -> None:
    """It can't be certified: exit status 2, and what it tried."""
    (tmp_path / "app.py").write_text(f"import socket\nsocket.create_connection(('127.0.0.1', {outside.port}))\n")

    ended = eachonce(*CERTIFY, cwd=tmp_path)

    assert outside.reached() == []
    assert ended.returncode == 2
    assert f"app, while it was imported, tried to connect to 127.0.0.1:{outside.port}: refused" in ended.stderr
    assert "can't be imported: RefusedError" in ended.stderr


def test_the_certificate_says_who_tried_what(tmp_path: Path, outside: Outside) -> None:
    """In each of its forms; what was asked for is written all the same."""
    (tmp_path / "app.py").write_text(outside.tries + CONSUMER)
    imported = f"app, while it was imported, tried to connect to 127.0.0.1:{outside.port}: refused"
    run = f"count_and_tell tried to connect to 127.0.0.1:{outside.port}: refused"

    eachonce(*CERTIFY, "--out", "here/there", cwd=tmp_path)

    certificate = json.loads((tmp_path / "here" / "there" / "certificate.json").read_text())
    text = (tmp_path / "here" / "there" / "certificate.md").read_text()
    assert imported in certificate["refused"]
    assert run in certificate["consumers"][0]["refused"]
    assert (f"- {imported}" in text, f"- {run}" in text) == (True, True)


def test_nothing_of_a_confinement_is_left(tmp_path: Path) -> None:
    """Neither its folder nor the process that answered for it, which closes its output first."""
    ended = eachonce("certify", "--handler", "tests.certify.sound:added", "--faults", "0", cwd=tmp_path)

    assert ended.returncode == 0, ended.stderr
    patience = time.monotonic() + 10
    while any((tmp_path / "tmp").iterdir()) and time.monotonic() < patience:
        time.sleep(0.01)
    assert list((tmp_path / "tmp").iterdir()) == []


REACH = """
import ctypes, json, os, socket, struct, sys
from eachonce_workbench.cloud.confinement import process
from eachonce_workbench.cloud.confinement.limits import Limits
from eachonce_workbench.cloud.confinement.words import told

ours, other = map(int, sys.argv[1:])
source, sink = os.pipe()
os.set_blocking(source, False)
means = process.restrict(Limits.of(ports=(ours,)), sink)
c = ctypes.CDLL(None)

def reached(port, kind=socket.SOCK_STREAM):
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton("127.0.0.1") + bytes(8)
    return c.connect(c.socket(socket.AF_INET, kind, 0), address, len(address)) == 0

def answered(port):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        return connection.sendmsg([b"x"]) == 1

print(json.dumps({
    "ours": reached(ours), "message": answered(ours), "other": reached(other),
    "datagram": reached(other, socket.SOCK_DGRAM), "lacking": means.lacking, "told": told(source),
}))
"""


@kernel
@pytest.mark.parametrize(
    ("without", "told"),
    [([], True), ([NO_LANDLOCK], True), ([NO_SUPERVISOR], False)],
)
def test_of_this_machine_only_the_open_port_is_reached(without: list[str], told: bool, tmp_path: Path) -> None:
    """By C code, too, and by whichever of its means the kernel has; what a supervisor sees is told."""
    with socket.create_server(("127.0.0.1", 0)) as ours, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [listener.getsockname()[1] for listener in (ours, other)]

        ended = python(REACH, *map(str, ports), without=without, cwd=tmp_path)

    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout)
    assert (seen["ours"], seen["message"], seen["other"], seen["datagram"]) == (True, True, False, False)
    assert seen["told"] == ([f"tried to connect to 127.0.0.1:{ports[1]}"] * 2 if told else [])
    assert bool(seen["lacking"]) == (without == [NO_LANDLOCK])
