"""Traces: where an exception comes from, and nothing of what it says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from eachonce.trace import place_of, trace_of

CARD = "4111"


def caught(action: Any) -> Exception:
    try:
        action()
    except Exception as error:  # noqa: BLE001 - whatever it raises
        return error
    raise AssertionError


def fail() -> None:
    raise ValueError("4111")


def fail_in_turn() -> None:
    try:
        fail()
    except ValueError as error:
        raise RuntimeError(f"it was {CARD}") from error


def fail_again() -> None:
    try:
        fail()
    except ValueError:
        raise KeyError(CARD)  # noqa: B904 - the context is what is looked at


def fail_together() -> None:
    raise ExceptionGroup(CARD, [caught(fail_in_turn), caught(fail_again)])


def fail_with_a_note() -> None:
    error = caught(fail)
    error.add_note(CARD)
    raise error


def fail_in_a_library() -> None:
    json.loads(f'{{"card" {CARD}}}')


@pytest.mark.parametrize(
    ("action", "names"),
    [
        (fail, ["ValueError"]),
        (fail_in_turn, ["RuntimeError", "ValueError"]),
        (fail_again, ["KeyError", "ValueError"]),
        (fail_together, ["ExceptionGroup", "RuntimeError", "KeyError", "ValueError", "ValueError"]),
        (fail_with_a_note, ["ValueError"]),
        (fail_in_a_library, ["json.decoder.JSONDecodeError"]),
    ],
)
def test_a_trace_names_each_exception_and_where(action: Any, names: list[str]) -> None:
    """Causes, contexts and the members of groups, too; no message, and no note."""
    trace = trace_of(caught(action))

    assert re.findall(r"^([\w.]*(?:Error|Group))$", trace, re.MULTILINE) == names
    assert f", in {action.__name__}\n" in trace
    assert CARD not in trace


def test_a_context_that_was_suppressed_is_no_part_of_it() -> None:
    """As Python leaves it out."""

    def fail_alone() -> None:
        try:
            fail()
        except ValueError:
            raise KeyError from None

    assert "ValueError" not in trace_of(caught(fail_alone))


def test_an_exception_that_was_never_raised_has_only_a_name() -> None:
    """There is no frame to show, and no place."""
    assert trace_of(ValueError(CARD)) == "ValueError\n"
    assert place_of(ValueError(CARD)) is None


def test_a_trace_is_short_whatever_led_to_it() -> None:
    """A thousand exceptions, each from a thousand frames deep, and the last one is among its own causes."""

    def dive(levels: int, error: Exception | None) -> None:
        if levels:
            dive(levels - 1, error)
        raise KeyError(CARD) from error

    last = None
    for _ in range(100):
        last = caught(lambda cause=last: dive(200, cause))  # type: ignore[misc]
    assert last is not None
    last.__context__ = last

    assert len(trace_of(last)) < 20_000


@pytest.mark.parametrize("action", [fail, fail_in_a_library])
def test_a_place_is_the_innermost_of_ones_own(action: Any) -> None:
    """Not where a library gave up, but where it was called."""
    line = action.__code__.co_firstlineno + 1

    assert place_of(caught(action)) == f"test_trace.py:{line}"
