"""A handler that never returns is told of, and holds up nobody."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from eachonce import Consumer, Event, Work

from eachonce_workbench.certify import assert_independent, patience
from eachonce_workbench.certify.examination import Bounds, examine
from eachonce_workbench.certify.subject import Subject
from eachonce_workbench.certify.verdict import Verdict
from tests.certify.stall import Sold, sold


def look_again_and_again(event: Event[Sold], work: Work) -> None:
    while work.read("Stock", {"item": event.data.item}) is None:
        time.sleep(1)


def wait_for_somebody(event: Event[Sold], work: Work) -> None:
    threading.Event().wait()


def ignore_all(event: Event[Sold], work: Work) -> None:
    while True:
        with suppress(Exception):
            wait_for_somebody(event, work)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not long."""
    monkeypatch.setattr(patience, "SECONDS", 0.2)


@pytest.mark.parametrize("handle", [look_again_and_again, wait_for_somebody, ignore_all])
def test_what_never_returns_is_inconclusive(handle: Callable[[Event[Sold], Work], None]) -> None:
    """Whatever it waits for, and however it does that."""
    consumer = Consumer("stall")
    consumer.on(Sold)(handle)

    examined = examine(Subject.of(consumer), Bounds(events=2, crowds=2))

    (pair,) = examined.pairs
    assert pair.verdict is Verdict.INCONCLUSIVE
    assert pair.why is not None
    assert pair.why.startswith("the handler of Sold did not return within")
    assert not examined.passes


def test_an_assertion_of_what_never_returns_fails() -> None:
    """With a word for why."""
    consumer = Consumer("stall")
    consumer.on(Sold)(wait_for_somebody)

    with pytest.raises(AssertionError, match="the handler of Sold did not return"):
        assert_independent(consumer, [sold()])


def test_nothing_is_raised_where_garbage_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be lost there, and printed; the alarm comes again."""
    raised: list[bool] = []

    def called(phase: str, info: dict[str, int]) -> None:
        with suppress(patience.EndlessError):
            patience._interrupt(signal.SIGALRM, sys._getframe())
            return
        raised.append(True)

    called("start", {})
    monkeypatch.setattr(gc, "callbacks", [*gc.callbacks, called])
    called("start", {})

    assert raised == [True]
