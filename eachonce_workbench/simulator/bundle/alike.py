"""Alike: which of two runs' things are the same one, where nothing names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eachonce_workbench.simulator.bundle.leaves import Path

Leaves = Mapping[Path, tuple[Any, ...]]

# Beyond this many, each is compared with those of about its own place alone.
_NEAR = 200


def pairs(ones: Sequence[Leaves], others: Sequence[Leaves], *, least: float = 0.0) -> list[tuple[int, int]]:
    """Return the places of things that are most alike, each in one pair at most, in the order of `ones`.

    `least` is the share of their leaves that two must have in common.
    """
    left = list(range(len(others)))
    found: list[tuple[int, int]] = []
    for place, one in enumerate(ones):
        near = left if len(left) <= _NEAR else [each for each in left if abs(each - place) <= _NEAR]
        if not near:
            continue
        best = max(near, key=lambda each: (likeness(one, others[each]), -each))
        if likeness(one, others[best]) >= least:
            left.remove(best)
            found.append((place, best))
    return found


def likeness(one: Leaves, other: Leaves) -> float:
    """Return the share of leaves that two have in common, 0.0 to 1.0.

    >>> likeness({("a",): (1,), ("b",): (2,)}, {("a",): (1,), ("b",): (3,)})
    0.5
    """
    paths = one.keys() | other.keys()
    return sum(one.get(path) == other.get(path) for path in paths) / len(paths) if paths else 1.0
