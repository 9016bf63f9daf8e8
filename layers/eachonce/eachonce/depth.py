"""Depth: how many levels JSON text may nest.

A decoder calls itself once a level. In a thread with a small stack Python 3.13 ends the process before any error is
raised, and each other version raises one at a depth of its own. So levels are counted before a decoder sees the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, TypeVar

import msgspec

Text = TypeVar("Text", bytes, msgspec.Raw, bytes | msgspec.Raw)

# Of a whole message, wrappings included; what people write has a dozen.
MAX_LEVELS = 64

_BRACKETS = b"[]{}"
_NO_BRACKETS = bytes(set(range(256)) - set(_BRACKETS))
_STEPS = tuple((byte in b"[{") - (byte in b"]}") for byte in range(256))


class TooDeepError(msgspec.DecodeError):
    """The text nests more levels than are read."""


def shallow(text: Text, levels: int = MAX_LEVELS) -> Text:
    """Return JSON text as it is; raises TooDeepError when it nests more than so many levels.

    A `msgspec.Raw` is part of a text that was counted. The time is linear in the size, and next to nothing for a text
    with few brackets.
    """
    if isinstance(text, bytes) and text.count(b"[") + text.count(b"{") > levels and _levels(text) > levels:
        raise _too_deep(levels)
    return text


def shallow_value(value: Any, levels: int = MAX_LEVELS) -> Any:
    """Return a value of JSON as it is; raises TooDeepError when it nests more than so many levels."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [inner for outer in layer for inner in _inside(outer)]
    if layer:
        raise _too_deep(levels)
    return value


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep(levels: int) -> TooDeepError:
    return TooDeepError(f"it nests more than {levels} levels deep")


def _levels(text: bytes) -> int:
    """Return how deep text nests, up to where it stops being JSON."""
    if b"\\" in text:  # then a quote may be part of a string; outside of strings JSON has no backslash
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(text.split(b'"')[::2]).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
