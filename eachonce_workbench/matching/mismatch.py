"""Why a pattern doesn't want an event: each of its fields, what it wants, and what the event has there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.matching.fields import FieldFit, Fit
from eachonce_workbench.matching.pattern import Pattern
from eachonce_workbench.matching.reading import to_json

MOST_VALUES = 20
"""What is told of a field that lies in many elements of arrays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldStory:
    """One field of a pattern, by its dotted name: what is wanted, and what is there, as JSON texts.

    `found` has each value once, MOST_VALUES of them at the most, and `more` says how many are left out. Nothing is
    found where the event has no value there: it lacks the field, or has an object or an empty array in its place.
    """

    name: str
    wanted: tuple[str, ...]
    found: tuple[str, ...]
    more: int
    fits: bool

    @classmethod
    def of(cls, fit: FieldFit) -> FieldStory:
        """Tell how a field fits."""
        found = tuple(dict.fromkeys(map(_text, fit.values)))
        return cls(
            name=fit.field.name,
            wanted=tuple(map(_text, fit.field.leaf.wanted)),
            found=found[:MOST_VALUES],
            more=max(0, len(found) - MOST_VALUES),
            fits=fit.fits,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """The alternative of a pattern that comes nearest to an event, and what it lacks.

    `alternatives` are how many patterns without `$or` the pattern stands for. Where every field fits by itself,
    `together` says why they don't fit as a whole.
    """

    fields: tuple[FieldStory, ...]
    alternatives: int
    together: str | None

    @property
    def misfits(self) -> tuple[FieldStory, ...]:
        """Those that don't fit by themselves."""
        return tuple(each for each in self.fields if not each.fits)


def mismatch(pattern: Pattern, event: Mapping[str, Any]) -> Mismatch | None:
    """Say why the pattern doesn't want an event, as `read_json` gives it; None where it wants it.

    Of several alternatives the nearest counts: the one with the fewest fields that don't fit.
    """
    nearest: Fit | None = None
    alternatives = 0
    for fit in pattern.fits(event):
        alternatives += 1
        if fit.whole:
            return None
        if nearest is None or fit.misfits < nearest.misfits:
            nearest = fit
    if nearest is None:
        raise AssertionError("every pattern has an alternative")
    return Mismatch(
        fields=tuple(map(FieldStory.of, nearest.fields)), alternatives=alternatives, together=_together(nearest)
    )


def _text(value: Any) -> str:
    try:
        return to_json(value)
    except UnicodeEncodeError:  # half of a surrogate pair: JSON can spell it, and UTF-8 can't
        return json.dumps(value, default=str)


def _together(fit: Fit) -> str | None:
    if fit.misfits:
        return None
    if fit.stuck_at is None:
        return "the event holds more elements of arrays than can be told apart, and so counts as one that doesn't match"
    return (
        f"each field fits by itself, but {fit.stuck_at.name} not in the same element of an array as those before it: "
        "fields below one array are wanted in one element of it"
    )
