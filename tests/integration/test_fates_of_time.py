"""What costs an event time costs it nothing else: throttles, the deadline, and an earlier event of its subject."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from tests.town import Town, batch, errand, play, stopped

TEN = tuple(errand(f"errand-{number}") for number in range(10))
EACH_ONCE = {event.id: 1 for event in TEN}


def test_a_thousand_throttled_deliveries_use_up_no_attempt(tmp_path: Path) -> None:
    """The function is busy up to its reserved concurrency: ten messages are received a thousand times each, and waited.

    Then they are done, and not one is a suspect for it.
    """

    async def story(town: Town) -> None:
        busy = asyncio.create_task(town.invoke(errand("busy", "stand still", times=1)))
        await town.until(lambda: bool(town.runs()) and stopped(town.runs()[0].pid))
        await town.publish(*TEN)
        await town.until(lambda: town.happened("returned", "throttled") >= 10_000)
        os.kill(town.runs()[0].pid, signal.SIGCONT)
        await busy
        await town.cloud.settle()

    ended = play(story, tmp_path, reserved_concurrency=1, visibility_seconds=0)

    assert ended.effects == {**EACH_ONCE, "busy": 1}
    assert set(ended.times_run.values()) == {1}
    assert ended.dead_letters == {}
    assert not any("attempts" in row for row in ended.journal.values())
    assert [status for status in ended.invocations if status != "throttled"] == ["ok", "ok"]


def test_what_does_not_fit_into_the_functions_time_comes_again_at_once_and_uncounted(tmp_path: Path) -> None:
    """Ten errands of a third of a second, one after the other, where none begins after two: nothing is cut off."""
    slow = [errand(event.id, "sleep", seconds=0.3) for event in TEN]

    ended = play(batch(*slow), tmp_path, concurrency=1, timeout_seconds=4, reserve_seconds=2)

    assert ended.effects == EACH_ONCE
    assert ended.deaths == []
    assert len(ended.invocations) > 1
    assert {outcome for outcomes in ended.outcomes.values() for outcome in outcomes} == {"abandoned", "done"}
    assert set(ended.pauses) == {0}
    assert not any("attempts" in row for row in ended.journal.values())


def test_an_ordered_consumer_lets_no_event_overtake_one_that_failed(tmp_path: Path) -> None:
    """The later events of its subject in the batch are deferred unhandled; another subject's are done."""
    first = errand("first", "fail", subject="ada", times=1)
    second = errand("second", subject="ada")
    other = errand("other", subject="bob")

    ended = play(batch(first, second, other), tmp_path, ordered="yes")

    assert ended.outcomes["first"] == ["retry", "done"]
    assert ended.outcomes["second"][0] == "retry"
    assert ended.outcomes["other"] == ["done"]
    assert ended.times_run == {"first": 2, "second": 1, "other": 1}
    assert ended.effects == {"first": 1, "second": 1, "other": 1}
    assert "attempts" not in ended.journal["second"]


def test_a_consumer_without_order_lets_later_events_go_ahead(tmp_path: Path) -> None:
    """A failure holds nobody up, not even within its subject."""
    first = errand("first", "fail", subject="ada", times=1)
    second = errand("second", subject="ada")

    ended = play(batch(first, second), tmp_path)

    assert ended.outcomes == {"first": ["retry", "done"], "second": ["done"]}


def test_a_fifo_group_keeps_its_order_through_a_failure(tmp_path: Path) -> None:
    """What comes after a failure waits for it, in this batch and the next; another group does not."""

    async def story(town: Town) -> None:
        town.enqueue("ada", errand("ada-1"), errand("ada-2", "fail", times=1), errand("ada-3"))
        town.enqueue("bob", errand("bob-1"))
        await town.cloud.settle()

    ended = play(story, tmp_path, fifo="yes")

    assert [run.errand for run in ended.runs if run.errand != "bob-1"] == ["ada-1", "ada-2", "ada-2", "ada-3"]
    assert ended.effects == {"ada-1": 1, "ada-2": 1, "ada-3": 1, "bob-1": 1}
    assert ended.outcomes["bob-1"] == ["done"]
