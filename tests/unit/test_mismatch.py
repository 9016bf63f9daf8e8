"""Why a pattern doesn't want an event is told field by field, and agrees with whether it matches."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from eachonce_workbench.matching import fields
from eachonce_workbench.matching.mismatch import MOST_VALUES, mismatch
from eachonce_workbench.matching.pattern import InvalidPattern, Pattern
from eachonce_workbench.matching.reading import read_json
from tests import hostile_matching as hostile

EVENT = {"source": "post", "detail": {"kind": "parcel", "weight": 7, "to": {"city": "Bonn"}}}


def test_each_field_says_what_it_wants_and_what_is_there() -> None:
    """As the pattern and the event have them."""
    pattern = Pattern({"source": ["post"], "detail": {"weight": [{"numeric": [">", 9]}], "due": ["today"]}})

    told = mismatch(pattern, EVENT)

    assert told is not None
    assert [(each.name, each.wanted, each.found, each.fits) for each in told.fields] == [
        ("detail.due", ('"today"',), (), False),
        ("detail.weight", ('{"numeric":[">",9]}',), ("7",), False),
        ("source", ('"post"',), ('"post"',), True),
    ]
    assert [each.name for each in told.misfits] == ["detail.due", "detail.weight"]


def test_a_pattern_that_wants_the_event_has_no_mismatch() -> None:
    """Nor one that wants a field to be absent which is."""
    assert mismatch(Pattern({"source": ["post"], "detail": {"due": [{"exists": False}]}}), EVENT) is None


def test_the_nearest_alternative_is_told() -> None:
    """The one with the fewest fields that don't fit."""
    far, near = {"source": ["bank"], "detail": {"kind": ["letter"]}}, {"detail": {"to": {"city": ["Köln"]}}}

    told = mismatch(Pattern({"$or": [far, near]}), EVENT)

    assert told is not None
    assert told.alternatives == 2
    assert [(each.name, each.found) for each in told.fields] == [("detail.to.city", ('"Bonn"',))]


def test_an_object_in_a_values_place_is_no_value() -> None:
    """Patterns look at what is innermost alone, "exists", too."""
    told = mismatch(Pattern({"detail": {"to": [{"exists": True}]}}), EVENT)

    assert told is not None
    assert (told.fields[0].found, told.fields[0].fits) == ((), False)


def test_fields_that_fit_in_different_elements_are_said_not_to_fit_together() -> None:
    """And which of them it is."""
    pattern = Pattern({"detail": {"lines": {"color": ["red"], "size": [5]}}})

    told = mismatch(pattern, {"detail": {"lines": [{"color": "red", "size": 4}, {"color": "blue", "size": 5}]}})

    assert told is not None
    assert told.misfits == ()
    assert told.together is not None
    assert "detail.lines.size not in the same element" in told.together


def test_what_lies_in_many_elements_is_cut() -> None:
    """And each value is told once."""
    told = mismatch(Pattern({"n": [-1]}), {"n": [*range(MOST_VALUES + 3), *range(5)]})

    assert told is not None
    assert (len(told.fields[0].found), told.fields[0].more) == (MOST_VALUES, 3)


def test_what_is_more_than_can_be_told_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It doesn't match, and no field is accused of it."""
    monkeypatch.setattr(fields, "MOST_ROWS", 3)
    some = [{"b": 1, "c": 1} for _ in range(9)]
    pattern, event = (
        Pattern({"a": {"b": [1], "c": [1]}, "d": {"e": [1], "f": [1]}}),
        {"a": some, "d": [{"e": 1, "f": 1}]},
    )

    told = mismatch(pattern, event)

    assert not pattern.matches(event)
    assert told is not None
    assert told.misfits == ()
    assert "more elements of arrays" in str(told.together)


@pytest.mark.parametrize("seed", range(4))
def test_no_field_misfits_where_the_pattern_matches(seed: int) -> None:
    """Whatever pattern and event: it is told why not if and only if it doesn't match."""
    counts = {"matches": 0, "misfits": 0, "together": 0}
    for number in range(1500):
        random = Random(f"{seed}/{number}/mismatch")
        try:
            pattern = Pattern(hostile.pattern(random))
            event = read_json(hostile.event(random))
        except (InvalidPattern, ValueError):
            continue
        if isinstance(event, dict):
            counts[judged(pattern, event)] += 1

    assert counts["matches"] > 10, counts
    assert counts["misfits"] > 100, counts


@pytest.mark.parametrize("seed", range(4))
def test_fields_that_share_arrays_agree_with_the_matcher(seed: int) -> None:
    """Elements of arrays that few fields share, so that each answer comes up."""
    counts = {"matches": 0, "misfits": 0, "together": 0}
    for number in range(500):
        random = Random(f"{seed}/{number}/arrays")
        leaves = [[0], [1], [{"exists": False}], [1, {"exists": False}]]
        names = random.sample("abc", 2)
        pattern = {name: random.choice(leaves) for name in names}
        some = [{name: random.randrange(2) for name in random.sample("abc", random.randrange(1, 4))} for _ in range(3)]
        counts[judged(Pattern({"x": pattern}), {"x": some})] += 1

    assert all(counts.values()), counts


def judged(pattern: Pattern, event: dict[str, Any]) -> str:
    told = mismatch(pattern, event)
    assert (told is None) is pattern.matches(event), (json.dumps(pattern.document), event)
    if told is None:
        return "matches"
    assert (told.together is None) is bool(told.misfits)
    return "misfits" if told.misfits else "together"
