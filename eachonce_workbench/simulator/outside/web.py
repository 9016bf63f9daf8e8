"""The web as functions see it in a simulation: their HTTP requests are answered here, and reach nobody.

What urllib, http.client, urllib3 and requests connect to is a socket of this module's, below TLS. Libraries with
sockets of their own are refused, as whatever would leave the process.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO
from unittest.mock import patch

import urllib3.connection

from eachonce_workbench.cloud.faults.answers import WEB
from eachonce_workbench.cloud.store.protocol import Response
from eachonce_workbench.simulator import strand
from eachonce_workbench.simulator.call import Call

ANSWERED = frozenset({"urllib.Request"})
"""Python's audit events of what is answered here."""

Carry = Callable[[Call], Response]

_END = b"\r\n\r\n"


class _Line:
    """A socket as far as an HTTP client needs one: what was sent on it is a request when the answer is asked for."""

    def __init__(self, carry: Carry, scheme: str, host: str) -> None:
        self._carry = carry
        self._scheme = scheme
        self._host = host
        self._sent = bytearray()

    def sendall(self, data: Any, *_: Any) -> None:
        self._sent += data

    def makefile(self, *_: Any, **__: Any) -> BinaryIO:
        """Return the answer to what was sent: the request is carried now."""
        call = self._call()
        self._sent.clear()
        status, headers, body = self._carry(call)
        lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() != "content-length"]
        lines += [f"content-length: {len(body)}", "connection: close"]
        shown = b"" if call.method == "HEAD" else body
        return io.BytesIO("\r\n".join(lines).encode("latin-1") + _END + shown)

    def _call(self) -> Call:
        head, _, body = bytes(self._sent).partition(_END)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, *_ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = _whole(body)
        url = target if "://" in target else f"{self._scheme}://{self._host}{target}"
        return Call(service=WEB, operation=method, method=method, url=url, headers=headers, body=body)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return what does nothing: whatever else is asked of a socket, such as its time-outs, is nobody's concern."""
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None


@contextlib.contextmanager
def web(carry: Carry) -> Iterator[None]:
    """Let `carry` have each HTTP request of a function's, by whichever of these libraries."""
    with ExitStack() as stack:
        for owner, scheme in (
            (http.client.HTTPConnection, "http"),
            (http.client.HTTPSConnection, "https"),
            (urllib3.connection.HTTPConnection, "http"),
            (urllib3.connection.HTTPSConnection, "https"),
        ):
            stack.enter_context(patch.object(owner, "connect", _connect(carry, scheme, owner.connect)))
        # Nobody's certificate is looked at, and to read all that one may have takes longer than a simulation.
        stack.enter_context(patch.object(ssl.SSLContext, "load_default_certs", lambda *_, **__: None))
        stack.enter_context(patch.object(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None))
        yield


def _connect(carry: Carry, scheme: str, real: Callable[[Any], None]) -> Callable[[Any], None]:
    def connect(connection: Any) -> None:
        if not strand.in_strand():
            real(connection)
            return
        port = connection.port
        host = connection.host if port in (None, 80, 443) else f"{connection.host}:{port}"
        connection.sock = _Line(carry, scheme, host)
        connection.is_verified = True

    return connect


def _whole(chunked: bytes) -> bytes:
    """Return a body that was sent in chunks (RFC 9112, 7.1)."""
    whole, rest = bytearray(), chunked
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.partition(b";")[0] or b"0", 16)
        if length == 0:
            break
        whole += rest[:length]
        rest = rest[length + 2 :]
    return bytes(whole)
