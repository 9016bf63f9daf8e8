"""The fields of a pattern, matched together: two of them must be found in the same element of every array they share.

"JSON Array Matching", https://github.com/aws/event-ruler#json-array-matching. Fields are looked at in the order of
their names, as a field counts as absent when nothing of it is left beside what was chosen before (event-ruler,
ACFinder.java).

All choices are looked at at once, as a relation: a row is an element of each array in which a field still to come may
lie. The next field's choices are the join with where it fits. So the cost grows with the event, and not with the
product of its arrays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.matching.occurrences import Arrays, Elements, Names, Occurrences
from eachonce_workbench.matching.operators import Leaf
from eachonce_workbench.matching.relation import ANYTHING, Relation, TooManyRowsError, join, project, union, without

MOST_ROWS = 200_000
"""Rows of one join: more than an event of 1 MB has elements. Keys with dots in them can tie a knot that needs more."""

MOST_ROWS_OF_ALL = 5 * MOST_ROWS
"""Rows of all joins for one event: an object that names a key again and again can tie one knot for each alternative."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A leaf of a pattern and its dotted name; the alternatives of a pattern that share a leaf share its field."""

    name: str
    leaf: Leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFit:
    """Whether a field fits by itself, and the values that the event has there; none where it is absent.

    Where a field may be absent and lies in arrays alone, an element without it may be found: then it fits.
    """

    field: Field
    values: tuple[Any, ...]
    fits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How one alternative fits an event: field by field, and then together.

    `stuck_at` is the first field that fits by itself, but in no element of an array in which those before it fit.
    `told` is False where that would take more rows than there may be, and the event counts as one that doesn't fit.
    """

    fields: tuple[FieldFit, ...]
    stuck_at: Field | None
    told: bool = True

    @property
    def misfits(self) -> int:
        """How many fields don't fit by themselves."""
        return sum(not each.fits for each in self.fields)

    @property
    def whole(self) -> bool:
        """Whether the alternative matches."""
        return self.told and self.stuck_at is None and self.misfits == 0


class Fields:
    """The alternatives of a pattern, each given by its leaves and their dotted names."""

    __slots__ = ("_alternatives", "_names")

    def __init__(self, alternatives: Iterable[Mapping[str, Leaf]]) -> None:
        known: dict[tuple[str, Leaf], Field] = {}
        self._alternatives = tuple(
            tuple(known.setdefault(pair, Field(*pair)) for pair in sorted(leaves.items(), key=_code_units))
            for leaves in alternatives
        )
        self._names = Names.of(field.name for field in known.values())

    def match(self, event: Mapping[str, Any]) -> bool:
        """Whether one of the alternatives has a fitting value in the event for each of its fields.

        An event for which that can't be told within MOST_ROWS, or MOST_ROWS_OF_ALL, doesn't match.
        """
        reading = _Reading(Occurrences(event, self._names))
        try:
            return any(reading.match(fields) for fields in self._alternatives)
        except TooManyRowsError:
            return False

    def fits(self, event: Mapping[str, Any]) -> Iterator[Fit]:
        """Yield how each alternative fits an event; one of them fits as a whole if and only if `match` is true.

        Nothing comes after the alternative for which that can't be told within MOST_ROWS_OF_ALL.
        """
        reading = _Reading(Occurrences(event, self._names))
        for fields in self._alternatives:
            try:
                yield reading.fit(fields)
            except TooManyRowsError:
                yield Fit(fields=tuple(map(reading.fit_alone, fields)), stuck_at=None, told=False)
                return


def _code_units(pair: tuple[str, Leaf]) -> bytes:
    return pair[0].encode("utf-16-be", "surrogatepass")  # by which Java sorts


class _Reading:
    """One event: where its fields lie and fit, found once for all alternatives."""

    def __init__(self, occurrences: Occurrences) -> None:
        self._occurrences = occurrences
        self._lying: dict[str, Relation] = {}
        self._fitting: dict[Field, Relation] = {}
        self._chosen: dict[tuple[int, Field, frozenset[int]], Relation] = {}
        self._rows_left = MOST_ROWS_OF_ALL

    def match(self, fields: Sequence[Field]) -> bool:
        for field in fields:
            if not (field.leaf.absent or self._fits(field)):
                return False
        if not self._occurrences.tied:  # as in most events: each field's choice is its own
            absent = (field for field in fields if field.leaf.absent)
            return all(self._fits(field) or not self._lies(field.name) for field in absent)
        return self._stuck_at(fields) is None

    def fit(self, fields: Sequence[Field]) -> Fit:
        """Say how an alternative fits, field by field. Raises TooManyRowsError."""
        alone = tuple(map(self.fit_alone, fields))
        # Asked for just where `match` does, so that both come to their rows' end at the same alternative.
        asked = self._occurrences.tied and all(field.leaf.absent or self._fits(field) for field in fields)
        stuck_at = self._stuck_at(fields) if asked else None
        return Fit(fields=alone, stuck_at=stuck_at if all(each.fits for each in alone) else None)

    def fit_alone(self, field: Field) -> FieldFit:
        """Say whether a field fits, whatever the others do."""
        fits = bool(self._fits(field)) or (field.leaf.absent and () not in self._lies(field.name))
        values = tuple(each.value for each in self._occurrences.of(field.name))
        return FieldFit(field=field, values=values, fits=fits)

    def _stuck_at(self, fields: Sequence[Field]) -> Field | None:
        """Return the first field that fits nowhere beside those before it."""
        chosen = ANYTHING
        for field, later in zip(fields, self._arrays_after(fields), strict=True):
            chosen = self._choose(chosen, field, later)
            if not chosen:
                return field
        return None

    def _arrays_after(self, fields: Sequence[Field]) -> list[frozenset[int]]:
        """For each field the arrays in which a later one lies."""
        after = [frozenset[int]()]
        for field in reversed(fields[1:]):
            after.append(after[-1].union(*self._lies(field.name)))
        return after[::-1]

    def _choose(self, chosen: Relation, field: Field, later: frozenset[int]) -> Relation:
        # Alternatives that begin alike choose alike; whatever was chosen is kept here, so its identity is its own.
        place = (id(chosen), field, later)
        if place not in self._chosen:
            self._chosen[place] = self._join(chosen, field, later)
        return self._chosen[place]

    def _join(self, chosen: Relation, field: Field, later: frozenset[int]) -> Relation:
        fitting = project(self._fits(field), later.union(*chosen))
        found = join(chosen, fitting, most_rows=min(MOST_ROWS, self._rows_left))
        self._rows_left -= sum(map(len, found.values()))
        if field.leaf.absent:
            found = union(found, without(chosen, self._lies(field.name)))
        return project(found, later)

    def _fits(self, field: Field) -> Relation:
        if field not in self._fitting:
            fitting: dict[Arrays, set[Elements]] = defaultdict(set)
            for each in self._occurrences.of(field.name):
                if field.leaf.test(each.value):
                    fitting[each.arrays].add(each.elements)
            self._fitting[field] = dict(fitting)
        return self._fitting[field]

    def _lies(self, name: str) -> Relation:
        if name not in self._lying:
            lying: dict[Arrays, set[Elements]] = defaultdict(set)
            for each in self._occurrences.of(name):
                lying[each.arrays].add(each.elements)
            self._lying[name] = dict(lying)
        return self._lying[name]
