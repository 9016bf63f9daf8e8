"""One conformance suite for local clouds: items, patterns and messages. Ours is asked here, another by `make stores`.

What the other answers otherwise is listed, and judged by AWS's documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.stores.differences import Difference, expected, listed, unlisted
from tests.stores.suite import CASES
from tests.stores.systems import LocalCloud, told


def test_the_local_cloud_answers_each_case_as_expected() -> None:
    """Where an answer changes on purpose, `python -m tests.stores --write` keeps the new one."""
    local, answers = LocalCloud(), expected()

    assert list(answers) == list(CASES)
    assert {name: answer for name, calls in CASES.items() if (answer := local.answer(calls)) != answers[name]} == {}


def test_each_difference_is_judged() -> None:
    """By a page; where that is for the other store, the local cloud is to be mended instead."""
    answers = expected()

    for case, difference in listed().items():
        assert difference.answer != answers[case]
        assert difference.right in ("local cloud", "silent")
        assert difference.link.startswith("https://")
        assert difference.why.endswith(".")


KNOWN = {"b": Difference(case="b", answer=2, why="", right="silent", link="")}


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        ({"a": 1, "b": 2}, []),
        ({"a": 9, "b": 2}, ["new: a: it answers 9, and the local cloud 1"]),
        ({"a": 1, "b": 1}, ["gone: b: it answers 1 by now, as the local cloud does"]),
        ({"a": 1, "b": 3}, ["another one: b: it answers 3, and not 2 any more"]),
    ],
)
def test_a_difference_that_is_new_or_gone_is_noticed(theirs: dict[str, int], told: list[str]) -> None:
    """And one that is another one by now."""
    assert list(unlisted({"a": 1, "b": 1}, theirs, KNOWN)) == told


@dataclass
class Scripted:
    """Answers that come one after the other."""

    answers: list[tuple[int, dict[str, Any]]]

    def __call__(self, *_: object) -> tuple[int, dict[str, Any]]:
        return self.answers.pop(0)


ITEM = {"Item": {"b": {"SS": ["q", "p"]}, "a": {"N": "1"}}}
CANCELED = {"__type": "C", "CancellationReasons": [{"Code": "None"}, {"Code": "X", "Item": {}}]}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(200, {}), (200, ITEM)], {"Item": {"a": {"N": "1"}, "b": {"SS": ["p", "q"]}}}),
        ([(400, {"__type": "com.amazonaws#ValidationException", "message": "No."}), (200, {})], "ValidationException"),
        ([(400, CANCELED)], {"refused": "C", "reasons": ["None", ["X", {}]]}),
    ],
)
def test_an_answer_is_told_as_far_as_it_is_the_same_everywhere(answers: Any, said: Any) -> None:
    """The last one, or the first refusal by its code; sets and names have an order then."""
    assert told(Scripted(answers), [("GetItem", {}), ("Scan", {})][: len(answers)]) == said
