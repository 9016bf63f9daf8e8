"""Requests to APIs and answers of theirs, as ASGI has them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from eachonce_workbench.cloud.request import Receive, Scope, read_body
from eachonce_workbench.cloud.web.answers import WebAnswer
from eachonce_workbench.cloud.web.request import WebRequest

SPELLING = "eachonce.spelling"
"""The key of a scope under which the names of its headers are as they were written."""

HANG_UP = "eachonce.hang_up"
"""The key of a scope under which there is what ends its connection, without a word."""

# Lengths and connections are the server's to tell.
_SERVERS = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
_BODILESS = frozenset({204, 304})


class Spelling(HttpToolsProtocol):
    """HTTP, remembering how the names of headers were written: a function behind a REST API sees them so.

    It lets whoever answers end the connection instead.
    """

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        scope: MutableMapping[str, Any] = self.scope  # type: ignore[assignment]
        scope[HANG_UP] = self.transport.close

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        scope: MutableMapping[str, Any] = self.scope  # type: ignore[assignment]
        scope.setdefault(SPELLING, []).append(name)
        super().on_header(name, value)


async def received(scope: Scope, receive: Receive) -> WebRequest:
    """Read a request whole. Raises what `read_body` raises."""
    host, _ = scope.get("client") or ("127.0.0.1", 0)
    spelling = scope.get(SPELLING) or [name for name, _ in scope["headers"]]
    written = zip(spelling, scope["headers"], strict=True)
    return WebRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, (_, value) in written],
        body=await read_body(receive),
        source_ip=host,
        protocol=f"HTTP/{scope['http_version']}",
        id=str(uuid.uuid4()),
        at=time.time(),
    )


async def hang_up(scope: Scope, receive: Receive) -> None:
    """End the connection of a request that is read, and return when it has ended."""
    scope[HANG_UP]()
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_answer(answer: WebAnswer, send: Callable[[MutableMapping[str, Any]], Awaitable[None]]) -> None:
    """Send an answer."""
    own = [(name.lower(), value) for name, value in answer.headers if name.lower() not in _SERVERS]
    raw = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in own]
    body = b"" if answer.status in _BODILESS else answer.body
    if answer.status not in _BODILESS:
        raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
