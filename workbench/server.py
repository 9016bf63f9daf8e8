"""AWS's protocols on 127.0.0.1: whatever speaks to AWS with an endpoint URL can speak to the local cloud."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from workbench.bus.bus import Bus
from workbench.cloudformation import Stacks
from workbench.functions.invocations import Invocations
from workbench.logs.calls import Logs
from workbench.long_poll import LongPoll
from workbench.store.protocol import AwsError, Response, decoded, success
from workbench.store.store import Store

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_CREDENTIAL = re.compile(r"Credential=[^/,\s]+/\d{8}/[^/,\s]+/([^/,\s]+)/")
_INVOKE = re.compile(r"^/2015-03-31/functions/([^/]+)/invocations/?$")

# An idle connection costs nothing here, and a client that finds its connection closed has to send again.
KEEP_ALIVE_SECONDS = 3600


def local_cloud(store: Store, bus: Bus, invocations: Invocations, logs: Logs | None = None) -> Starlette:
    """The application that answers for all services."""
    return Starlette(routes=[Mount("/", app=Endpoint(store, bus, invocations, logs))])


class Endpoint:
    """One address for all services, as the signature of a request names the service that it is for."""

    def __init__(self, store: Store, bus: Bus, invocations: Invocations, logs: Logs | None = None) -> None:
        self._store = store
        self._bus = bus
        self._invocations = invocations
        self._logs = Logs({}, store.handle) if logs is None else logs
        self._long_poll = LongPoll(store)
        self._stacks = Stacks(store.topology)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        body = await _body(receive)
        try:
            status, headers, answer = await self._answer(scope, _headers(scope), body)
        except AwsError as error:
            status, headers, answer = error.response()
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        raw.append((b"content-length", str(len(answer)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: Scope, headers: dict[str, str], body: bytes) -> Response:
        path = scope["path"]
        service = _service(headers)
        if service == "events":
            return self._events(headers, body)
        if service == "lambda":
            if (invoked := _INVOKE.match(path)) is None or scope["method"] != "POST":
                raise _described_by_template("lambda", f"{scope['method']} {path}")
            return await self._invocations.answer(invoked[1], headers, body)
        if service == "logs":
            return self._logs.answer(headers, body)
        if service == "cloudformation":
            return self._stacks.answer(body)
        if service == "sqs" and headers.get("x-amz-target") == "AmazonSQS.ReceiveMessage":
            return await self._long_poll.receive(headers, body, path)
        return self._store.handle(service, headers, body, path)

    def _events(self, headers: dict[str, str], body: bytes) -> Response:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        params = decoded(body)
        if operation == "PutEvents":
            return success(self._bus.put_events(params.get("Entries", [])))
        if operation == "TestEventPattern":
            matches = self._bus.test_event_pattern(params.get("EventPattern", ""), params.get("Event", ""))
            return success({"Result": matches})
        raise _described_by_template("events", operation)


def _described_by_template(service: str, operation: str) -> AwsError:
    return AwsError(
        "UnsupportedOperation",
        f"The local cloud has no {service} operation {operation}: template.yaml describes the system. Change it there.",
    )


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _service(headers: dict[str, str]) -> str:
    signed_for = _CREDENTIAL.search(headers.get("authorization", ""))
    if signed_for is None:
        raise AwsError("MissingAuthenticationToken", "The request is not signed: any credentials will do", status=403)
    return signed_for[1]


def listen(port: int = 0) -> socket.socket:
    """A socket that listens on 127.0.0.1; port 0 takes any that is free.

    Raises OSError when the port is taken.
    """
    # asyncio turns off Nagle's algorithm, which would cost 40 ms a request, only where the protocol is spelt out.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(1024)
        listening.setblocking(False)  # noqa: FBT003 - its only form
    except OSError:
        listening.close()
        raise
    return listening


def endpoint_of(listening: socket.socket) -> str:
    """The URL that clients use."""
    host, port = listening.getsockname()
    return f"http://{host}:{port}"


class Server:
    """Serves an application on a socket, on the running loop, until it is stopped; leaves signals to its owner."""

    def __init__(self, application: Starlette, listening: socket.socket) -> None:
        config = uvicorn.Config(
            application,
            access_log=False,
            log_config=None,
            log_level="warning",
            lifespan="off",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
            server_header=False,
            ws="none",
        )
        self._uvicorn = _Uvicorn(config)
        self._listening = listening
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when requests are answered."""
        self._serving = asyncio.create_task(self._uvicorn.serve(sockets=[self._listening]), name="server")
        while not self._uvicorn.started and not self._serving.done():
            await asyncio.sleep(0)
        if self._serving.done():
            await self._serving

    async def stop(self) -> None:
        """Close every connection and the socket; idempotent."""
        self._uvicorn.should_exit = True
        if self._serving is not None:
            await self._serving
        self._listening.close()


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the local cloud's owner decides what Ctrl-C means."""
        yield
