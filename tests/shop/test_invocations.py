"""`make invoke` in real containers, against a real `eachonce serve`: `.ci/invoke` runs this where an engine is."""

from __future__ import annotations

import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.client import BaseClient

from eachonce_workbench import template
from eachonce_workbench.local_invoke import InvokeError, invoke
from eachonce_workbench.local_invoke.engine import running_engine
from tests.interruptible import started
from tests.shop.place import ROOT, TEMPLATE

pytestmark = pytest.mark.containers

SHOP = template.load(TEMPLATE)
FUNCTIONS = [each.logical_id for each in SHOP.functions]

# The table in which it can be seen that a function has done what its sample input asks for. What RelayOutbox publishes
# is applied by the local cloud's own consumers.
EFFECTS = {
    "PlaceOrder": "Orders",
    "RelayOutbox": "Stock",
    "ReserveStock": "Stock",
    "TallySales": "Sales",
    "TrackCustomer": "Customers",
    "NotifyCustomer": "Journal",
}

MACHINE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
# What `sam build` builds by itself needs the runtime's own Python, so it is this one.
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"

BUNDLE = f"""
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {{Runtime: {PYTHON}, Architectures: [{MACHINE}], CodeUri: code/, Timeout: 60}}
Resources:
  Succeeds: {{Type: AWS::Serverless::Function, Properties: {{Handler: app.succeed}}}}
  Raises: {{Type: AWS::Serverless::Function, Properties: {{Handler: app.fail}}}}
  Dies: {{Type: AWS::Serverless::Function, Properties: {{Handler: app.die}}}}
  Sleeps: {{Type: AWS::Serverless::Function, Properties: {{Handler: app.sleep, Timeout: 5}}}}
  IsMissing: {{Type: AWS::Serverless::Function, Properties: {{Handler: app.nothing}}}}
"""

CODE = """
import os, time

def succeed(event, context):
    import boto3
    return boto3.client("dynamodb").list_tables()["TableNames"]

def fail(event, context):
    raise KeyError("no such sku")

def die(event, context):
    os._exit(7)

def sleep(event, context):
    time.sleep(300)
"""


@pytest.fixture(scope="session", autouse=True)
def _engine() -> None:
    """A container engine that answers."""
    try:
        running_engine()
    except InvokeError as error:
        pytest.skip(str(error))


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Where a local cloud of the test's own answers."""
    with started("serve", "--port", "0") as program:
        assert program.stdout is not None
        said = next(line for line in iter(program.stdout.readline, "") if line.startswith("listening on"))
        yield said.split()[2].rstrip(",")
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=60)


@pytest.fixture
def dynamodb(endpoint: str) -> Iterator[BaseClient]:
    """The local cloud's tables, seen from this machine."""
    client = boto3.client("dynamodb", endpoint_url=endpoint)
    yield client
    client.close()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose functions end in all the ways there are, and whose template names no variable."""
    root = tmp_path_factory.mktemp("bundle")
    (root / "code").mkdir()
    (root / "code" / "app.py").write_text(CODE)
    (root / "template.yaml").write_text(BUNDLE)
    (root / "event.json").write_text("{}")
    return root


def run(bundle: Path, function: str, endpoint: str) -> str:
    """Invoke a function of the bundle, and return its answer. Raises InvokeError when it failed."""
    shown: list[str] = []
    invoke(
        function,
        template=bundle / "template.yaml",
        root=bundle,
        port=urlsplit(endpoint).port or 0,
        sam=str(ROOT / ".venv-sam" / "bin" / "sam"),
        event=bundle / "event.json",
        skip_pull_image=True,
        show=shown.append,
    )
    return "".join(shown)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_works_on_the_local_clouds_tables(function: str, endpoint: str, dynamodb: BaseClient) -> None:
    """Each of the template's, on its first sample input."""
    table = SHOP.table(EFFECTS[function]).name
    options = f"--skip-pull-image --port {urlsplit(endpoint).port}"

    ended = subprocess.run(
        ["make", "invoke", f"FUNCTION={function}", f"INVOKE={options}"],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    assert ended.returncode == 0, ended.stdout
    assert "itemIdentifier" not in ended.stdout, ended.stdout  # what is to come again, nobody brings again here
    appears(dynamodb, table)


def appears(dynamodb: BaseClient, table: str) -> None:
    """Return when a table has an item: what goes through the bus takes a moment, and no moment is too long here."""
    while not dynamodb.scan(TableName=table, Limit=1)["Items"]:
        time.sleep(0.1)  # the processor is the container's


def test_a_function_whose_template_names_no_endpoint_finds_it(bundle: Path, endpoint: str) -> None:
    """What it asks of AWS is answered by the local cloud."""
    assert SHOP.table("Orders").name in run(bundle, "Succeeds", endpoint)


@pytest.mark.parametrize(
    ("function", "how"),
    [
        ("Raises", "KeyError: 'no such sku'"),
        ("Dies", "Runtime.ExitError"),
        ("Sleeps", "no answer within 5 seconds"),
        ("IsMissing", "Runtime.HandlerNotFound"),
    ],
)
def test_a_function_that_fails_says_how(function: str, how: str, bundle: Path, endpoint: str) -> None:
    """An error, the end of its process, time that ran out, a handler that isn't there."""
    with pytest.raises(InvokeError, match=f"^{function} failed: .*{re.escape(how)}"):
        run(bundle, function, endpoint)


def test_an_invocation_without_local_cloud_says_what_starts_it() -> None:
    """Nothing is run. Port 9 (discard) has no listener."""
    ended = subprocess.run(
        ["make", "invoke", "INVOKE=--port 9"], cwd=ROOT, check=False, stderr=subprocess.PIPE, text=True
    )

    assert ended.returncode != 0
    assert "start it with `make serve`" in ended.stderr
