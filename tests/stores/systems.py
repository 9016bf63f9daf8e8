"""Those that are asked: the local cloud's store and bus, in this process, and another cloud, in its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from eachonce_workbench.cloud.bus.bus import Bus
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.store.protocol import AwsError, Response, success
from eachonce_workbench.cloud.store.store import Store
from tests.stores.cases import Call
from tests.topologies import table, topology

Asked = Callable[[str, Mapping[str, Any]], tuple[int, dict[str, Any]]]
"""Answers a call with a status and a body."""

_TABLES = {"items": {"pk": "S"}, "lines": {"pk": "S", "sk": "N"}}
_PATIENCE_SECONDS = 60
_JSON = "application/x-amz-json-1.0"
# Nobody checks it; its place is where a service and a region are read from.
_SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=x"
_TARGETS = {"dynamodb": "DynamoDB_20120810.", "events": "AWSEvents."}
_MATCH = "TestEventPattern"


class LocalCloud:
    """The local cloud's store and bus, new for each case."""

    def answer(self, calls: Sequence[Call]) -> Any:
        """Return what comes of some calls."""
        system = topology(tables=tuple(_described(name) for name in _TABLES))
        store = Store(system)
        store.create()
        bus = Bus(system, store.queues, History(), after=lambda *_: None)

        def ask(operation: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
            if operation == _MATCH:
                status, _, body = _matched(bus, request)
            else:
                headers = {"x-amz-target": _TARGETS["dynamodb"] + operation, "content-type": _JSON}
                status, _, body = store.handle("dynamodb", headers, json.dumps(request).encode())
            return status, json.loads(body)

        return told(ask, calls)


def _matched(bus: Bus, request: Mapping[str, Any]) -> Response:
    try:
        return success({"Result": bus.test_event_pattern(request["EventPattern"], request["Event"])})
    except AwsError as error:
        return error.response()


class Served:
    """A cloud that is served at a port of this machine; its tables are made anew for each case that uses them."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/"

    def answer(self, calls: Sequence[Call]) -> Any:
        """Return what comes of some calls."""
        if any(operation != _MATCH for operation, _ in calls):
            for name in _TABLES:
                self._ask("DeleteTable", {"TableName": name})
                self._ask("CreateTable", {"TableName": name, **_described(name).properties})
        return told(self._ask, calls)

    def _ask(self, operation: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        service = "events" if operation == _MATCH else "dynamodb"
        headers = {
            "X-Amz-Target": _TARGETS[service] + operation,
            "Content-Type": _JSON,
            "Authorization": _SIGNED.format(service=service),
        }
        asked = urllib.request.Request(self._url, json.dumps(request).encode(), headers)
        try:
            with urllib.request.urlopen(asked) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


@contextmanager
def ministack(program: Path) -> Iterator[Served]:
    """Run ministack while it is needed, on a port and in a folder of its own; raises RuntimeError when it can't."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "GATEWAY_PORT": str(port)}
    quiet = subprocess.DEVNULL
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([program.absolute()], stdout=quiet, stderr=quiet, env=environment, cwd=folder) as running,
    ):
        try:
            _await(port, running)
            yield Served(port)
        finally:
            running.terminate()


def _await(port: int, running: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until and running.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("it doesn't answer")


def told(ask: Asked, calls: Sequence[Call]) -> Any:
    """Return the answer of the last call, or of the first that is refused: as far as it is the same everywhere.

    An answer is a value as JSON has it; a refusal is told by its code and its reasons' codes, not in its words.
    """
    for operation, request in calls:
        status, body = ask(operation, request)
        if status != 200:
            return _refusal(body)
    if operation in ("Scan", "BatchGetItem"):
        body = _in_order(body)
    return _plain(body)


def _refusal(body: Mapping[str, Any]) -> Any:
    code = str(body.get("__type", "?")).rpartition("#")[2]
    reasons = [
        one["Code"] if "Item" not in one else [one["Code"], _plain(one["Item"])]
        for one in body.get("CancellationReasons", ())
    ]
    more = {"reasons": reasons} if reasons else {"Item": _plain(body["Item"])} if "Item" in body else {}
    return {"refused": code, **more} if more else code


def _in_order(value: Any) -> Any:
    """Return an answer whose items come in no order, in one."""
    if isinstance(value, dict):
        return {name: _in_order(member) for name, member in value.items()}
    if isinstance(value, list):
        return sorted(value, key=lambda member: json.dumps(member, sort_keys=True))
    return value


def _plain(value: Any) -> Any:
    """Return an answer with its names and sets in order, and no long text in it."""
    if isinstance(value, dict):
        if set(value) in ({"SS"}, {"NS"}, {"BS"}):
            return {kind: sorted(members) for kind, members in value.items()}
        return {name: _plain(value[name]) for name in sorted(value)}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def _described(name: str) -> Any:
    kinds = _TABLES[name]
    made = table(name, range_key="sk" if "sk" in kinds else None)
    kept = [{"AttributeName": part, "AttributeType": kind} for part, kind in kinds.items()]
    return replace(made, key_types=kinds, properties={**made.properties, "AttributeDefinitions": kept})
