"""Wishes: what a work asks for, as text that is the same for equal works, in any process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from eachonce import Work
from eachonce.model import encode
from eachonce.work import Address, Create, Put


def said(work: Work) -> tuple[str, ...]:
    """Return what a work asks for as text, one wish a line, in an order of its own."""
    wishes = [_write(address, work.writes[address]) for address in work.writes]
    wishes += [f"publishes {_published(data)}" for data in work.published]
    if work.result is not None:
        wishes.append(f"answers {text(work.result)}")
    return tuple(wishes)


def text(value: Any) -> str:
    """Return a value in words that are the same for equal values."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{name}: {text(inner)}" for name, inner in sorted(value.items())) + "}"
        case set() | frozenset():
            return "{" + ", ".join(sorted(map(text, value))) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(text, value)) + "]"
        case float():
            return f"{value!r} (a float)"
        case None:
            return "nothing"
    return str(value)


def _write(address: Address, write: Any) -> str:
    if isinstance(write, Create):
        return f"creates {address} with {text(write.attributes)}"
    if isinstance(write, Put):
        guard = "" if write.newer_than is None else f" if {write.newer_than} is newer"
        return f"puts {text(write.attributes)} into {address}{guard}"
    return f"adds {text(write.amounts)} to {address}"


def _published(data: Any) -> str:
    return f"{type(data).__name__} {msgspec.json.encode(data, order='sorted', enc_hook=encode).decode()}"
