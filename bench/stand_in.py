"""The stand-in for AWS: it answers botocore's HTTP requests in this process, and counts what they cost.

Every client that is made after it stands there is answered by it, whoever makes the client. It takes a request where
botocore would send it and hands back an HTTP answer, so that all of boto3's own work is done, but for the connection's.
Behind it is the local cloud's store, which judges conditions as DynamoDB does. What the stand-in itself takes is
measured, to be left out.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import msgspec
from botocore.awsrequest import AWSResponse

from bench.tables import JOURNAL, tables
from bench.write_units import Request, Written, write_units, writes_of
from eachonce_workbench.cloud.store.protocol import Response, success
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.cloud.store.tables.attributes import attributes
from eachonce_workbench.cloud.store.tables.keys import key_in, key_of
from eachonce_workbench.cloud.store.tables.sizes import size_bytes
from eachonce_workbench.cloud.store.tables.writes import current

Latency = Callable[[str, Request], float]
"""The seconds that an operation takes on its way and at AWS."""


class StandIn:
    """AWS, for one system at a time. Thread-safe: one request after the other."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.write_units = 0
        self.published = 0  # events that the bus took
        self.own_seconds = 0.0  # of processor time
        self.latency: Latency | None = None
        self.store = Store(tables())
        self._position = 0  # in the journal's stream
        self._lock = threading.Lock()

    def stand(self, session: boto3.Session) -> None:
        """Answer every client that the session makes from now on."""
        session.events.register("before-send", self._sent)

    def begin(self) -> None:
        """Forget all that was stored and counted."""
        self.store = Store(tables())
        self.store.create()
        self.latency, self._position = None, 0
        self.reset()

    def reset(self) -> None:
        """Count from nothing; what is stored stays."""
        self.calls.clear()
        self.write_units, self.published, self.own_seconds = 0, 0, 0.0

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Take no time for a while."""
        latency, self.latency = self.latency, None
        try:
            yield
        finally:
            self.latency = latency

    def outboxes(self) -> list[dict[str, Any]]:
        """Return the journal's changes that have an outbox, as the relay gets them, each once."""
        records, self._position = self.store.streams.read(JOURNAL, self._position, sys.maxsize)
        return [record for record in records if "outbox" in record["dynamodb"].get("NewImage", {})]

    def _sent(self, request: Any, **_: Any) -> AWSResponse:
        operation = _header(request, "X-Amz-Target").rpartition(".")[2]
        params = msgspec.json.decode(request.body or b"{}")
        with self._lock:
            began = time.thread_time()
            status, headers, body = self._answer(operation, params, request.body)
            self.own_seconds += time.thread_time() - began
            seconds = 0.0 if self.latency is None else self.latency(operation, params)
        if seconds:
            time.sleep(seconds)
        return AWSResponse(request.url, status, headers, _Raw(body))

    def _answer(self, operation: str, params: Any, body: bytes) -> Response:
        self.calls[operation] += 1
        if operation == "PutEvents":
            self.published += len(params["Entries"])
            return success({"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in params["Entries"]]})
        written = list(writes_of(operation, params))
        before = [self._size(*one) for one in written]
        answer = self.store.handle("dynamodb", {"x-amz-target": f"DynamoDB_20120810.{operation}"}, body)
        after = [_given(*one) if answer[0] != 200 else self._size(*one) for one in written]
        sizes = [Written(bytes_before=old, bytes_after=new) for old, new in zip(before, after, strict=True)]
        self.write_units += write_units(sizes, transacted=operation == "TransactWriteItems")
        return answer

    def _size(self, kind: str, request: Request) -> int:
        """How large the item of a write is now."""
        table = self.store.table(request["TableName"])
        assert table is not None, request["TableName"]
        key = key_in(attributes(request["Item"]), table) if kind == "Put" else key_of(request["Key"], table)
        item = current(table, key)
        return 0 if item is None else size_bytes(item.attrs)


def _given(kind: str, request: Request) -> int:
    """How large the item would have been that a refused request brought along."""
    return size_bytes(attributes(request["Item"])) if kind == "Put" else 0


def _header(request: Any, name: str) -> str:
    value = request.headers.get(name, "")
    return value.decode() if isinstance(value, bytes) else str(value)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [self._body]
