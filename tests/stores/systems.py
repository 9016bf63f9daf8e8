"""Those that are asked: the local cloud's store and bus, in this process, and another cloud, in its own."""

from __future__ import annotations

import json
import os
import re
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
from tests.stores.queues import QUEUES
from tests.topologies import queue, table, topology

Answer = tuple[int, dict[str, Any]]
"""A status and a body."""
Asked = Callable[[str, Mapping[str, Any]], Answer]

_TABLES = {"items": {"pk": "S"}, "lines": {"pk": "S", "sk": "N"}}
_PATIENCE_SECONDS = 60
_JSON = "application/x-amz-json-1.0"
# Nobody checks it; its place is where a service and a region are read from.
_SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=x"
_TARGETS = {"dynamodb": "DynamoDB_20120810.", "events": "AWSEvents.", "sqs": "AmazonSQS."}
# What no two of them have in common, words among it, and digests of what is there, too.
_NOBODYS = re.compile("MessageId|ReceiptHandle|SequenceNumber|MD5Of.*|Message")


class LocalCloud:
    """The local cloud's store and bus, new for each case."""

    def answer(self, calls: Sequence[Call]) -> Any:
        """Return what comes of some calls."""
        queues = {name: queue(name, properties=attributes) for name, attributes in QUEUES.items()}
        tables = tuple(_described(name) for name in _TABLES)
        system = topology(tables=tables, queues=tuple(queues.values()))
        store = Store(system)
        store.create()
        bus = Bus(system, store.queues, History(), after=lambda *_: None)

        def ask(operation: str, request: Mapping[str, Any]) -> Answer:
            service = _service(operation)
            if service == "events":
                status, answered, body = _matched(bus, request)
            else:
                headers = {"x-amz-target": _TARGETS[service] + operation, "content-type": _JSON}
                status, answered, body = store.handle(service, headers, json.dumps(request).encode())
            return status, _coded(json.loads(body or b"{}"), answered)

        return told(ask, calls, {name: one.url for name, one in queues.items()})


def _matched(bus: Bus, request: Mapping[str, Any]) -> Response:
    try:
        return success({"Result": bus.test_event_pattern(request["EventPattern"], request["Event"])})
    except AwsError as error:
        return error.response()


class Served:
    """A cloud that is served at a port of this machine; tables and queues are made anew for each case."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/"
        self._cases = 0

    def answer(self, calls: Sequence[Call]) -> Any:
        """Return what comes of some calls."""
        services = {_service(operation) for operation, _ in calls}
        for name in _TABLES if "dynamodb" in services else ():
            self._ask("DeleteTable", {"TableName": name})
            self._ask("CreateTable", {"TableName": name, **_described(name).properties})
        self._cases += 1
        urls = {name: self._queue(f"{self._cases}-{name}", QUEUES[name]) for name in QUEUES if "sqs" in services}
        return told(self._ask, calls, urls)

    def _queue(self, name: str, attributes: Mapping[str, str]) -> str:
        return str(self._ask("CreateQueue", {"QueueName": name, "Attributes": attributes})[1]["QueueUrl"])

    def _ask(self, operation: str, request: Mapping[str, Any]) -> Answer:
        service = _service(operation)
        headers = {
            "X-Amz-Target": _TARGETS[service] + operation,
            "Content-Type": _JSON,
            "Authorization": _SIGNED.format(service=service),
        }
        asked = urllib.request.Request(self._url, json.dumps(request).encode(), headers)
        try:
            with urllib.request.urlopen(asked) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _coded(
                    json.loads(error.read()), {name.lower(): value for name, value in error.headers.items()}
                )


def _coded(body: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """Return an answer with the code by which SDKs know its error: SQS has another one for those of its first days.

    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#awsquerycompatible-trait
    """
    code = headers.get("x-amzn-query-error", "").partition(";")[0]
    return {**body, "__type": code} if code else body


def _service(operation: str) -> str:
    if operation == "TestEventPattern":
        return "events"
    return "sqs" if "Message" in operation or "Queue" in operation else "dynamodb"


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


def told(ask: Asked, calls: Sequence[Call], urls: Mapping[str, str] = {}) -> Any:
    """Return the answer of the last call, or of the first that is refused: as far as it is the same everywhere.

    An answer is a value as JSON has it; a refusal is told by its code and its reasons' codes, not in its words. `urls`
    are those of the queues that calls name.
    """
    answers: list[dict[str, Any]] = []
    for operation, request in calls:
        status, body = ask(operation, _resolved(request, answers, urls))
        if status != 200:
            return _refusal(body)
        answers.append(body)
    return _plain(_in_order(body) if operation in ("Scan", "BatchGetItem") else body)


def _resolved(value: Any, answers: Sequence[Mapping[str, Any]], urls: Mapping[str, str]) -> Any:
    """Return a request with the addresses of queues, and the receipts of messages that were received before."""
    if isinstance(value, dict):
        made = {name: _resolved(member, answers, urls) for name, member in value.items()}
        name = made.pop("Queue", None)
        return made if name is None else {"QueueUrl": urls.get(name, urls.get("plain", "") + "-none"), **made}
    if isinstance(value, list):
        return [_resolved(member, answers, urls) for member in value]
    if isinstance(value, str) and re.fullmatch("@[0-9]", value):
        return answers[int(value[1:])]["Messages"][0]["ReceiptHandle"]
    return value


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
        return {name: _plain(value[name]) for name in sorted(value) if not _NOBODYS.fullmatch(name)}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def _described(name: str) -> Any:
    kinds = _TABLES[name]
    made = table(name, range_key="sk" if "sk" in kinds else None)
    kept = [{"AttributeName": part, "AttributeType": kind} for part, kind in kinds.items()]
    return replace(made, key_types=kinds, properties={**made.properties, "AttributeDefinitions": kept})
