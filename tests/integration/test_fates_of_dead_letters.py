"""A dead letter has a second life: it is redriven, and whoever kills the redrive takes nothing from it."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from tests.town import Town, errand, play

# Two rounds of a redrive, which moves ten at a time.
TWELVE = tuple(errand(f"errand-{number}", "reject", times=1) for number in range(12))
EACH_ONCE = {event.id: 1 for event in TWELVE}

# What a redrive does to a round of letters, in this order.
STEPS = ("UpdateItem", "SendMessageBatch", "DeleteMessageBatch")

# A reading that was killed hides its letters for less than this.
HIDDEN = timedelta(minutes=2)


def test_a_redrive_that_is_killed_at_every_step_in_turn_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Once the journal is told, once copies are sent, once a round is deleted: the same command again goes on."""
    killed = []

    async def story(town: Town) -> None:
        with time_machine.travel(datetime.now(UTC), tick=True) as clock:
            await town.publish(*TWELVE)
            await town.cloud.settle()
            assert town.dead_letters() == len(TWELVE)
            for step in STEPS:
                killed.append(await town.eachonce("dlq", "redrive", killed_at=step))
                await town.cloud.settle()
                assert town.dead_letters() > 0
                clock.shift(HIDDEN)
            assert await town.eachonce("dlq", "redrive") == 0
            await town.cloud.settle()

    ended = play(story, tmp_path)

    assert killed == [-signal.SIGKILL] * len(STEPS)
    assert ended.effects == EACH_ONCE
    assert ended.dead_letters == {}
    assert set(ended.times_run.values()) == {2}, "once in vain, once after the redrive, and copies not at all"


def test_a_redrive_leaves_alone_what_has_been_done_since(tmp_path: Path) -> None:
    """A copy of the event came by another way and was done: its dead letter is deleted, and it is not handled again."""

    async def story(town: Town) -> None:
        for _ in range(2):
            await town.publish(TWELVE[0])
            await town.cloud.settle()
        assert town.dead_letters() == 1
        assert await town.eachonce("dlq", "redrive") == 0
        await town.cloud.settle()

    ended = play(story, tmp_path)

    assert ended.effects == {TWELVE[0].id: 1}
    assert ended.times_run == {TWELVE[0].id: 2}
    assert ended.outcomes[TWELVE[0].id] == ["reject", "done"]
    assert ended.dead_letters == {}
