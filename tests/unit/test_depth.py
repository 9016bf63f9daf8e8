"""Depth: levels are counted before a decoder sees the text, the same on every Python."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from eachonce.depth import MAX_LEVELS, TooDeepError, shallow, shallow_value
from hypothesis import given
from hypothesis import strategies as st


def nested(levels: int, *, opening: str = "[", closing: str = "]") -> bytes:
    return (opening * levels + closing * levels).encode()


def test_64_levels_are_read() -> None:
    """The text comes back as it was."""
    text = nested(MAX_LEVELS)

    assert shallow(text) is text


@pytest.mark.parametrize(
    "text",
    [
        nested(65),
        nested(65, opening='{"a":', closing="}"),
        nested(33, opening='[{"a":', closing="}]"),
        b"[" * 65,
        b"[" * 1_000_000,
        b"[[]," + nested(64) + b"]",
        b'["\\"]]", "\\\\", ' + nested(64) + b"]",
        b'{"]]": ' + nested(64) + b"}",
    ],
    ids=["arrays", "objects", "both", "open", "a million", "beside another", "behind quotes", "under a key"],
)
def test_65_levels_are_not(text: bytes) -> None:
    """Whatever they are made of, and whether or not they end."""
    with pytest.raises(TooDeepError, match="nests more than 64 levels"):
        shallow(text)


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"[]," * 1000 + b"[]]",
        json.dumps(["[" * 1000]).encode(),
        json.dumps(['"' + "[" * 1000, "\\", "{" * 1000]).encode(),
        b'"' + b"[" * 1000,
    ],
    ids=["side by side", "in a string", "behind escapes", "in a string without an end"],
)
def test_many_brackets_are_no_depth(text: bytes) -> None:
    """Neither beside each other, nor in strings."""
    assert shallow(text) is text


@given(
    st.recursive(
        st.none() | st.text('[]{}"\\a'), lambda inner: st.lists(inner) | st.dictionaries(st.text('"\\['), inner)
    )
)
def test_depth_is_counted_as_a_reader_would(value: Any) -> None:
    """A text is refused at one level less than it has, and at no more."""
    text, levels = json.dumps(value).encode(), levels_of(value)

    assert shallow(text, levels) is text
    if levels:
        with pytest.raises(TooDeepError):
            shallow(text, levels - 1)


def levels_of(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(levels_of, inside), default=0)


def test_what_a_decoder_has_read_is_not_counted_again() -> None:
    """It was part of a text that was counted."""
    raw = msgspec.Raw(nested(65))

    assert shallow(raw) is raw


def test_too_deep_is_a_kind_of_undecodable() -> None:
    """Who minds text that can't be decoded minds this."""
    assert issubclass(TooDeepError, msgspec.DecodeError)


@pytest.mark.parametrize("levels", [0, 1, MAX_LEVELS])
def test_values_have_depth_too(levels: int) -> None:
    """What a runtime has read before the layer is counted by its values."""
    value: Any = 5
    for level in range(levels):
        value = {"a": [], "b": value} if level % 2 else [value, {}]

    assert shallow_value(value, levels) is value
    with pytest.raises(TooDeepError):
        shallow_value([value], levels)
