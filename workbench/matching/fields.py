"""Where in an event a pattern's fields are, and that fields matched together lie together.

An array counts as each of its elements, at any depth. Two fields of one pattern must be found in the same element of
every array that they share ("JSON Array Matching", https://github.com/aws/event-ruler#json-array-matching).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from workbench.matching.operators import Leaf

_Path = tuple[str, ...]

Trail = tuple[str | int, ...]
"""The keys and array indices that lead to a value, as far as another field of the pattern may share them."""


@dataclass(frozen=True, slots=True)
class Step:
    """One key to follow: the names of the pattern's path that it covers, and the steps after it (none at a leaf)."""

    key: str
    width: int
    rest: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A leaf of a pattern, the steps to it, and how many of its names another field of the pattern begins with."""

    steps: tuple[Step, ...]
    shared: int
    leaf: Leaf

    def occurrences(self, event: Mapping[str, Any]) -> list[tuple[Any, Trail]]:
        """Every value that the event has for this field, and where."""
        found: list[tuple[Any, Trail]] = []
        self._find(event, self.steps, 0, (), found)
        return found

    def _find(
        self, node: Any, steps: tuple[Step, ...], depth: int, trail: Trail, found: list[tuple[Any, Trail]]
    ) -> None:
        if isinstance(node, dict):
            for step in steps:
                if step.key in node:
                    covered = depth + step.width
                    onward = (*trail, step.key) if covered <= self.shared else trail
                    self._find(node[step.key], step.rest, covered, onward, found)
        elif isinstance(node, list):
            for index, element in enumerate(node):
                # An element that is a plain value ties no other field to it.
                tied = depth <= self.shared and isinstance(element, (dict, list))
                self._find(element, steps, depth, (*trail, index) if tied else trail, found)
        elif not steps:
            found.append((node, trail))


def fields_of(leaves: Mapping[str, Leaf]) -> tuple[Field, ...]:
    """The fields of a pattern without choices, whose leaves are given by dotted path, in the order of their paths."""
    paths = {name: tuple(name.split(".")) for name in sorted(leaves)}
    return tuple(
        Field(steps=_steps(path), shared=_most_shared(path, paths.values()), leaf=leaves[name])
        for name, path in paths.items()
    )


def _most_shared(path: _Path, paths: Iterable[_Path]) -> int:
    return max((_shared(path, other) for other in paths if other != path), default=0)


def _shared(path: _Path, other: _Path) -> int:
    differing = (index for index, (left, right) in enumerate(zip(path, other, strict=False)) if left != right)
    return next(differing, min(len(path), len(other)))


def _steps(path: _Path) -> tuple[Step, ...]:
    """Every way to spell `path`: a key with a dot in it means the same as an object in another.

    "Compiled rules and JSON keys with dots", https://github.com/aws/event-ruler#compiling-and-checking-rules.
    """
    after: dict[int, tuple[Step, ...]] = {len(path): ()}
    for start in reversed(range(len(path))):
        ends = range(start + 1, len(path) + 1)
        after[start] = tuple(Step(".".join(path[start:end]), end - start, after[end]) for end in ends)
    return after[0]


def all_match(fields: Sequence[Field], event: Mapping[str, Any]) -> bool:
    """Whether the event has a fitting value for every field, all of them lying together."""
    places = []
    for field in fields:
        found = field.occurrences(event)
        fitting = {trail for value, trail in found if field.leaf.test(value)}
        if field.shared:
            places.append(_Place({trail for _, trail in found}, fitting, field.leaf.absent))
        if not fitting and not (field.leaf.absent and (field.shared or not found)):
            return False
    return not places or _lie_together(places, ())


class _Place(NamedTuple):
    """Where a field is in an event, where its value fits, and whether it may be absent instead."""

    trails: set[Trail]
    fitting: set[Trail]
    absent: bool


def _lie_together(places: Sequence[_Place], chosen: tuple[Trail, ...]) -> bool:
    if not places:
        return True
    place, *others = places
    reachable = {trail for trail in place.trails if all(_is_one_element(trail, other) for other in chosen)}
    # Absent means absent beside the fields chosen so far, in the order of their paths (event-ruler, ACFinder.java).
    if not reachable:
        return place.absent and _lie_together(others, chosen)
    return any(_lie_together(others, (*chosen, trail)) for trail in reachable & place.fitting)


def _is_one_element(trail: Trail, other: Trail) -> bool:
    """Whether two trails do not lead into different elements of one array."""
    for step, other_step in zip(trail, other, strict=False):
        if step != other_step:
            return isinstance(step, str)
    return True
