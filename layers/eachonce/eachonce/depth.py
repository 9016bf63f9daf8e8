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

# Of a whole message, wrappings included.
MAX_LEVELS = 64
# What people write has no more, and is counted a whole level at a time.
_MOST_PEOPLES = 8

_OTHERS = bytes(set(range(256)) - set(b'[]{}"'))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_STEPS = {ord("["): 1, ord("]"): -1}


class TooDeepError(msgspec.DecodeError):
    """The text nests more than `levels`."""

    def __init__(self, levels: int) -> None:
        super().__init__(f"it nests more than {levels} levels deep")
        self.levels = levels


def shallow(text: Text, levels: int = MAX_LEVELS) -> Text:
    """Return JSON text as it is; raises TooDeepError when it nests more than so many levels.

    A `msgspec.Raw` is part of a text that was counted. The time is linear in the size, and next to nothing for a text
    with few brackets.
    """
    if isinstance(text, bytes) and text.count(b"[") + text.count(b"{") > levels:
        _count(_brackets(text), levels)
    return text


def shallow_value(value: Any, levels: int = MAX_LEVELS) -> Any:
    """Return a value of JSON as it is; raises TooDeepError when it nests more than so many levels."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [inner for outer in layer for inner in _inside(outer)]
    if layer:
        raise TooDeepError(levels)
    return value


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _brackets(text: bytes) -> bytes:
    """Return the brackets of JSON text that are in no string, all as square ones, up to where it stops being JSON."""
    if b"\\" in text:  # then a quote may be part of a string; outside of strings JSON has no backslash
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = text.translate(_ONE_KIND, _OTHERS).replace(b'""', b"")  # two quotes in a row begin and end nothing
    return brackets if b'"' not in brackets else b"".join(brackets.split(b'"')[::2])


def _count(brackets: bytes, levels: int) -> None:
    left = brackets
    for _ in range(min(levels, _MOST_PEOPLES)):
        left = left.replace(b"[]", b"")  # takes the innermost level away
    if left and any(map(levels.__lt__, accumulate(map(_STEPS.__getitem__, brackets)))):
        raise TooDeepError(levels)
