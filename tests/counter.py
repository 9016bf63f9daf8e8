"""The local cloud's address without a socket: each request goes through its ASGI application, one after the other."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from eachonce_workbench.cloud.bus.bus import Bus
from eachonce_workbench.cloud.functions.invocations import Invocations
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.server import Endpoint
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.cloud.web.wire import SPELLING
from eachonce_workbench.template.topology import Topology


class Scripted:
    """Answers every invocation with the next of what it is told to, the last again and again; notes what came."""

    def __init__(self, *answers: Invocation) -> None:
        self.answers = list(answers)
        self.came: list[tuple[str, bytes]] = []

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        self.came.append((function, payload))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def stop(self) -> None:
        """Nothing runs."""


class Counter:
    """Who asks here is answered as over HTTP."""

    def __init__(self, topology: Topology, runtime: Scripted | None = None) -> None:
        self.runtime = Scripted() if runtime is None else runtime
        self.store = Store(topology)
        self.store.create()
        invocations = Invocations(topology, self.runtime)
        bus = Bus(topology, self.store.queues, History(), after=lambda *_: None, start=invocations.start)
        self._application = Endpoint(self.store, bus, invocations)

    def client(self, service: str) -> Any:
        """An SDK's client of a service."""
        config = Config(retries={"total_max_attempts": 1})
        client = boto3.client(service, region_name="eu-west-1", endpoint_url="http://127.0.0.1:4566", config=config)
        client.meta.events.register("before-send", self._sent)
        return client

    def ask(
        self, method: str, url: str, *, headers: list[tuple[str, str]] | None = None, body: bytes = b""
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Send one request; its status, headers and body. It is for 127.0.0.1 unless a header says otherwise."""
        given = [("host", "127.0.0.1:4566")] if headers is None else headers
        return asyncio.run(self._ask(method, url, given, body))

    async def _ask(self, method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> Any:
        parts = urlsplit(url)
        scope = {
            "type": "http",
            "method": method,
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            SPELLING: [name.encode("latin-1") for name, _ in headers],
            "client": ("127.0.0.1", 50_000),
            "http_version": "1.1",
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._application(scope, receive, send)
        told = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        return sent[0]["status"], told, sent[1]["body"]

    def _sent(self, request: Any, **_: Any) -> AWSResponse:
        headers = [
            (name, value.decode() if isinstance(value, bytes) else str(value))
            for name, value in request.headers.items()
        ]
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        host = [] if any(name.lower() == "host" for name, _ in headers) else [("host", "127.0.0.1:4566")]
        status, told, answer = self.ask(request.method, request.url, headers=[*host, *headers], body=body)
        return AWSResponse(request.url, status, dict(told), _Raw(answer))


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [self._body]
