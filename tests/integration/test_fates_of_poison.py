"""An event that kills its process takes nobody with it: it dies alone, and its batch is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ending import Ending
from tests.town import NINE, NINE_ONCE, deadly, errand, play

# How a handler ends its process, and what Lambda calls it.
DEATHS = {
    "exit": "Runtime.ExitError",
    "segfault": "Runtime.ExitError",
    "hoard": "Runtime.OutOfMemory",
    "loop": "Sandbox.Timedout",
}
# Long enough for a machine that is busy with other things. A loop takes all of it, each time.
LIFE = {"timeout_seconds": 30, "visibility_seconds": 180, "max_starts": 2}
SHORT_LIFE = LIFE | {"timeout_seconds": 10}


def nine_are_done(ended: Ending) -> bool:
    """Whether nine neighbours took effect once, and none was handled again after that."""
    return (
        ended.effects == NINE_ONCE
        and ended.run_again_when_done == []
        and all(ended.journal[name]["state"] == "DONE" for name in NINE_ONCE)
    )


@pytest.mark.long
@pytest.mark.parametrize("death", DEATHS)
def test_a_poison_event_dies_alone(tmp_path: Path, death: str) -> None:
    """os._exit, a segmentation fault, memory beyond the limit, a loop past the time-out: the other nine are done.

    The first death is nobody's, the second one the batch's, and the two after that are its own.
    """
    ended = play(deadly(errand("poison", death), *NINE), tmp_path, **(SHORT_LIFE if death == "loop" else LIFE))

    assert nine_are_done(ended)
    assert list(ended.dead_letters) == ["poison"]
    assert ended.dead_letters["poison"].notes["reason"].startswith("its handler ended without a word 2 times")
    assert ended.journal["poison"]["state"] == "REJECTED"
    assert ended.times_run["poison"] == 4
    assert ended.deaths == [DEATHS[death]] * 4


@pytest.mark.parametrize(("group_commit", "times"), [("off", 1), ("write units", 2)])
def test_what_was_done_before_its_neighbour_died_is_not_handled_again(
    tmp_path: Path, group_commit: str, times: int
) -> None:
    """The nine come first, one after the other, and are done when the tenth kills them all, or wait to be, once.

    Once the tenth is a suspect they leave the queue before it runs, so that its next death is its own affair.
    """
    batch = deadly(*NINE, errand("poison", "exit"))

    ended = play(batch, tmp_path, **LIFE, concurrency=1, group_commit=group_commit)

    assert nine_are_done(ended)
    assert {ended.times_run[name] for name in NINE_ONCE} == {times}
    assert ended.left == [10, 10, 1, 1]
    assert list(ended.dead_letters) == ["poison"]


def test_a_batch_of_one_lane_is_done_though_its_first_event_kills_it(tmp_path: Path) -> None:
    """One thread, the poison first: whoever has died least goes first, so nobody waits behind it for ever."""
    ended = play(deadly(errand("poison", "exit"), *NINE), tmp_path, **LIFE, concurrency=1)

    assert nine_are_done(ended)
    assert {ended.times_run[name] for name in NINE_ONCE} == {1}
    assert list(ended.dead_letters) == ["poison"]


def test_an_event_that_died_once_and_then_succeeds_is_done(tmp_path: Path) -> None:
    """A worker that was lost is no verdict on the event."""
    ended = play(deadly(errand("unlucky", "exit", times=1), *NINE), tmp_path, **LIFE)

    assert ended.effects == {**NINE_ONCE, "unlucky": 1}
    assert ended.run_again_when_done == []
    assert ended.dead_letters == {}
    assert "attempts" not in ended.journal["unlucky"]
