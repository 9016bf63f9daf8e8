"""Limits: what a contract allows of a type's values, as msgspec sees it."""

from __future__ import annotations

from typing import Any


def bounds(kind: Any) -> list[Any]:
    """Return the outermost whole numbers that a number's limits name."""
    found = [bound for bound in (kind.ge, kind.le) if bound is not None]
    found += [] if kind.gt is None else [kind.gt + 1]
    found += [] if kind.lt is None else [kind.lt - 1]
    return found


def within(kind: Any, value: float) -> bool:
    """Whether a number keeps its limits."""
    return (
        (kind.ge is None or value >= kind.ge)
        and (kind.gt is None or value > kind.gt)
        and (kind.le is None or value <= kind.le)
        and (kind.lt is None or value < kind.lt)
        and (kind.multiple_of is None or value % kind.multiple_of == 0)
    )


def long_enough(kind: Any, text: str) -> bool:
    """Whether a text is neither too short nor too long."""
    return (kind.min_length or 0) <= len(text) <= (len(text) if kind.max_length is None else kind.max_length)
