"""One request of AWS's protocols, read from ASGI whole and within limits."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from eachonce_workbench.cloud.store.protocol import AwsError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MAX_BODY_BYTES = 16 * 1024 * 1024
"""The largest that a service takes: DynamoDB's BatchWriteItem.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

_GZIP = 16 + zlib.MAX_WBITS


class DisconnectedError(Exception):
    """The client went away before its request was whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request, its header names in lower case; the body is empty until it has been read."""

    method: str
    path: str
    query: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, scope: Scope) -> Request:
        """Take what ASGI says of a request, whose body is yet to be read."""
        return cls(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers=dict(headers_of(scope)),
        )

    @property
    def target(self) -> str:
        """What the JSON protocols name an operation by, such as "AmazonSQS.SendMessage", or nothing."""
        return self.headers.get("x-amz-target", "")

    @property
    def form(self) -> bytes:
        """The parameters of the query protocol: those of the query string, and those of the body."""
        return b"&".join(filter(None, (self.query.encode("latin-1"), self.body)))

    def parameter(self, name: str) -> str | None:
        """The value of a parameter in the query string."""
        return form_of(self.query.encode("latin-1")).get(name)


def form_of(text: bytes) -> dict[str, str]:
    """The parameters of a form, the last of each name."""
    values = parse_qs(text.decode(errors="replace"), keep_blank_values=True)
    return {name: given[-1] for name, given in values.items()}


def headers_of(scope: Scope) -> list[tuple[str, str]]:
    """The headers, names in lower case, each as often as it came."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]


async def read_body(receive: Receive, encoding: str = "", *, most_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Read a body, which costs no more than it is long.

    Raises DisconnectedError, and `AwsError` for one that is too large or isn't what its Content-Encoding says.
    """
    pieces: list[bytes] = []
    size_bytes, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        pieces.append(message.get("body", b""))
        size_bytes += len(pieces[-1])
        if size_bytes > most_bytes:
            raise _too_large(most_bytes)
        more = message.get("more_body", False)
    return _decoded(b"".join(pieces), encoding.strip().lower())


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise AwsError("SerializationException", f"Content-Encoding {encoding[:40]} is not gzip")
    inflater = zlib.decompressobj(_GZIP)
    try:
        inflated = inflater.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise AwsError("SerializationException", f"The body is not gzip: {error}") from error
    if len(inflated) > MAX_BODY_BYTES:
        raise _too_large()
    if not inflater.eof:
        raise AwsError("SerializationException", "The body is not gzip: it ends too early")
    return inflated


def _too_large(most_bytes: int = MAX_BODY_BYTES) -> AwsError:
    return AwsError(
        "RequestEntityTooLargeException", f"The request has over {most_bytes} bytes", status=413, Type="User"
    )
