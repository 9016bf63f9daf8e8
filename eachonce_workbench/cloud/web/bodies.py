"""Bodies on their way through JSON: as text, or in base 64."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from fnmatch import fnmatchcase

_TEXTS = frozenset({"application/json", "application/javascript", "application/xml"})


def is_text(content_type: str) -> bool:
    """Whether an HTTP API, or a function's URL, passes a body of this type on as it is; it encodes all others.

    Forms are among the others. https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html, "isBase64Encoded"
    """
    return content_type.startswith("text/") or content_type in _TEXTS or content_type.endswith(("+json", "+xml"))


def is_binary(content_type: str, binary_media_types: Collection[str]) -> bool:
    """Whether a REST API takes a type for binary, which by itself it does with none.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
    """
    return any(fnmatchcase(content_type, each.lower()) for each in binary_media_types if content_type)


def as_text(body: bytes, *, binary: bool) -> tuple[str, bool]:
    """A body as a string, and whether that is base 64."""
    if binary and body:
        return base64.b64encode(body).decode(), True
    return body.decode(errors="replace"), False


def as_bytes(text: str, *, encoded: bool) -> bytes:
    """The body that a string stands for. Raises ValueError for one that is said to be base 64, and isn't."""
    if not encoded:
        return text.encode(errors="replace")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the body is said to be base 64, and isn't: {error}") from error
