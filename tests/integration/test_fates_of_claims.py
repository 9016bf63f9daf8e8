"""An effect outside the commit happens in one worker at a time, and what can't be known about it is not hidden."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.town import NINE, NINE_ONCE, Town, batch, errand, play, stopped


async def crash_and_let_the_lease_end(town: Town, kind: str) -> None:
    """Let a worker die right after an effect, and its claim run out."""
    await town.publish(errand("posted", "exit", kind=kind, times=1), *NINE)
    await town.until(lambda: bool(town.happened("attempted", status="crash")))
    await town.end_lease("posted")
    await town.cloud.settle()


def test_an_effect_outside_the_commit_is_claimed_before_it_happens(tmp_path: Path) -> None:
    """Where nothing goes wrong it happens once, with the key that its receiver knows a repetition by."""
    ended = play(batch(errand("posted", kind="Letter"), *NINE), tmp_path)

    assert ended.effects == {**NINE_ONCE, "posted": 1}
    assert [run.key for run in ended.runs if run.errand == "posted"] == ["errands##town#posted"]
    assert ended.journal["posted"]["state"] == "DONE"
    assert "uncertain" not in ended.journal["posted"]


def test_a_crash_after_the_effect_runs_it_again_with_the_same_key(tmp_path: Path) -> None:
    """`uncertain="again"`: once is up to the receiver, and the journal shows that there was a doubt."""
    ended = play(lambda town: crash_and_let_the_lease_end(town, "Letter"), tmp_path, visibility_seconds=1)

    assert ended.effects == {**NINE_ONCE, "posted": 1}
    assert [run.key for run in ended.runs if run.errand == "posted"] == ["errands##town#posted"] * 2
    assert ended.journal["posted"]["state"] == "DONE"
    assert ended.journal["posted"]["uncertain"] is True


def test_a_crash_after_the_effect_is_for_a_person_where_it_must_not_happen_twice(tmp_path: Path) -> None:
    """`uncertain="reject"`: the effect is not repeated, and the dead letter says that it may have happened."""
    ended = play(lambda town: crash_and_let_the_lease_end(town, "Payment"), tmp_path, visibility_seconds=1)

    assert ended.effects == NINE_ONCE
    assert ended.times_run["posted"] == 1
    assert ended.dead_letters["posted"].notes["reason"].startswith("its effect is uncertain")
    assert ended.journal["posted"]["state"] == "REJECTED"
    assert ended.journal["posted"]["uncertain"] is True


def test_a_claim_that_lasts_keeps_a_second_worker_away(tmp_path: Path) -> None:
    """The first worker stands still beyond its message's visibility: the second gets the message, and must not run."""

    async def story(town: Town) -> None:
        await town.publish(errand("posted", "stand still", kind="Letter", times=1))
        await town.until(lambda: bool(town.runs()) and stopped(town.runs()[0].pid))
        await town.until(lambda: bool(town.happened("returned")))
        os.kill(town.runs()[0].pid, signal.SIGCONT)
        await town.cloud.settle()

    ended = play(story, tmp_path, workers=2, visibility_seconds=1)

    assert ended.times_run["posted"] == 1
    assert ended.effects == {"posted": 1}
    assert "uncertain" not in ended.journal["posted"]
    assert "attempts" not in ended.journal["posted"]


def test_a_worker_that_comes_back_after_its_lease_cannot_overwrite_the_second_ones_work(tmp_path: Path) -> None:
    """The second one's commit is the only one: the first finds that the fence is no longer its own."""
    rows = []

    async def story(town: Town) -> None:
        await town.publish(errand("posted", "stand still", kind="Letter", times=1))
        await town.until(lambda: bool(town.runs()) and stopped(town.runs()[0].pid))
        await town.end_lease("posted")
        await town.until(lambda: bool(town.happened("acknowledged")))
        rows.append(await town.items("Journal", "pk"))
        os.kill(town.runs()[0].pid, signal.SIGCONT)
        await town.cloud.settle()

    ended = play(story, tmp_path, workers=2, visibility_seconds=1)

    first, second = ended.runs
    assert first.pid != second.pid
    assert first.key == second.key
    assert ended.invocations == ["ok", "ok"]
    assert ended.outcomes["posted"] == ["done", "duplicate"]
    assert ended.effects == {"posted": 1}
    assert [ended.journal] == rows, "nothing has changed since the second worker was done"
    assert ended.journal["posted"]["uncertain"] is True


def test_a_worker_that_comes_back_while_the_second_one_is_at_work_gives_way(tmp_path: Path) -> None:
    """Its lease is over, so it must not commit, though nobody has committed yet."""

    async def story(town: Town) -> None:
        await town.publish(errand("posted", "stand still", kind="Letter", times=2))
        await town.until(lambda: len(town.runs()) == 1 and stopped(town.runs()[0].pid))
        await town.end_lease("posted")
        await town.until(lambda: len(town.runs()) == 2 and stopped(town.runs()[1].pid))
        os.kill(town.runs()[0].pid, signal.SIGCONT)
        await town.until(lambda: bool(town.happened("returned")))
        assert await town.items("Effects", "errand") == {}
        os.kill(town.runs()[1].pid, signal.SIGCONT)
        await town.cloud.settle()

    ended = play(story, tmp_path, workers=2, visibility_seconds=1)

    assert ended.times_run["posted"] == 2
    first, *others = ended.outcomes["posted"]  # a copy may be told of before the second worker's own end is
    assert first == "retry"
    assert others.count("done") == 1
    assert ended.effects == {"posted": 1}
    assert "attempts" not in ended.journal["posted"]
