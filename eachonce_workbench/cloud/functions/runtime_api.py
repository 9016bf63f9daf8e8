"""Lambda's Runtime API over HTTP/1.1, as one worker's process sees it.

The verbs, paths and headers are those of https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. Each worker
has a listening socket of its own, because the process names itself by nothing but the address that it was given.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol, cast

import httptools

_ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"OK"}'
_UNKNOWN = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
_INVALID_ID = b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}'
_INVALID = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(_INVALID_ID),
    _INVALID_ID,
)
_PREFIX = "/2018-06-01/runtime/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One invocation as it is handed to a process."""

    request_id: str
    function_arn: str
    deadline_ms: int
    payload: bytes

    def encode(self) -> bytes:
        """Return the whole HTTP response to "next invocation"."""
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {self.request_id}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {self.deadline_ms}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {self.function_arn}\r\n"
            f"Content-Length: {len(self.payload)}\r\n\r\n"
        )
        return head.encode() + self.payload


class Sandbox(Protocol):
    """What a process tells its Runtime API, on the loop's thread."""

    def asked(self, connection: Connection) -> None:
        """The process is ready for work and waits, however long it takes, for `connection.hand_over`."""

    def hung_up(self, connection: Connection) -> None:
        """The process closed `connection`, or exited."""
        ...

    def answered(self, request_id: str, payload: bytes, *, failed: bool) -> bool:
        """The process returned or raised; False when it isn't working on that request."""
        ...

    def failed_to_start(self, error: bytes) -> None:
        """The process could not load the function and is about to exit."""


class Connection(asyncio.Protocol):
    """One HTTP connection of a process to its Runtime API; it is kept alive from one invocation to the next."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._body: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast("asyncio.Transport", transport)  # as a TCP server's is; uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the transport, and say so."""
        self._transport = None
        self._sandbox.hung_up(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came; a process that doesn't speak HTTP is hung up on."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def hand_over(self, call: Call) -> None:
        """Answer the process's question for work."""
        self._write(call.encode())

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def on_message_begin(self) -> None:
        """Start a request (the parser's callback)."""
        self._path, self._body = b"", []

    def on_url(self, url: bytes) -> None:
        """Take the path, which may come in pieces (the parser's callback)."""
        self._path += url

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body (the parser's callback)."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Act on the request (the parser's callback)."""
        match self._path.decode("latin-1").removeprefix(_PREFIX).split("/"):
            case ["invocation", "next"]:
                self._sandbox.asked(self)
            case ["invocation", request_id, "response" | "error" as verb]:
                known = self._sandbox.answered(request_id, b"".join(self._body), failed=verb == "error")
                self._write(_ACCEPTED if known else _INVALID)
            case ["init", "error"]:
                self._sandbox.failed_to_start(b"".join(self._body))
                self._write(_ACCEPTED)
            case _:
                self._write(_UNKNOWN)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)
