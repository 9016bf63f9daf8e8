"""Virtual time, and the strands that wait in it."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from eachonce_workbench.simulator import clock, strand


def test_hours_pass_at_once_and_everybody_sees_them() -> None:
    """The loop's clock and Python's go together."""

    async def main() -> tuple[float, float, datetime]:
        before = time.time()
        await asyncio.sleep(3 * 3600)
        return asyncio.get_running_loop().time(), time.time() - before, datetime.now(UTC)

    loops, wall, now = clock.run(main())

    assert (loops, wall) == (10_800.0, 10_800.0)
    assert now == datetime(2026, 1, 1, 3, tzinfo=UTC)


def test_whoever_waits_less_goes_on_first() -> None:
    """As on any loop."""
    woken: list[int] = []

    async def sleeper(seconds: int) -> None:
        await asyncio.sleep(seconds)
        woken.append(seconds)

    async def main() -> None:
        await asyncio.gather(*map(sleeper, (30, 10, 20)))

    clock.run(main())

    assert woken == [10, 20, 30]


def test_while_something_is_to_be_done_no_time_passes() -> None:
    """A chain of steps that don't wait takes none."""

    async def main() -> float:
        timer = asyncio.create_task(asyncio.sleep(1))
        for _ in range(100):
            await asyncio.sleep(0)
        now = asyncio.get_running_loop().time()
        await timer
        return now

    assert clock.run(main()) == 0.0


def test_to_wait_for_nothing_is_an_error() -> None:
    """And no hang."""

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        clock.run(main())


def stranded(function: Any, **environment: str) -> Any:
    async def main() -> Any:
        return await strand.run(function, owner="me", environment=environment)

    return clock.run(main())


def test_a_function_waits_without_knowing_it() -> None:
    """From the middle of a call, and for whatever the loop has."""

    def deep() -> float:
        strand.wait(asyncio.sleep(60))
        return asyncio.get_event_loop().time()

    assert stranded(lambda: deep() + deep()) == 180.0


def test_what_fails_while_it_waits_is_its_own_affair() -> None:
    """It may catch it, or not."""

    async def broken() -> None:
        await asyncio.sleep(1)
        raise ValueError("broken")

    def patient() -> str:
        try:
            strand.wait(broken())
        except ValueError as error:
            return str(error)
        return "nothing"

    assert stranded(patient) == "broken"
    with pytest.raises(ValueError, match="broken"):
        stranded(lambda: strand.wait(broken()))


def test_each_strand_has_an_environment_of_its_own() -> None:
    """While it runs, and at no other time."""

    def read() -> str:
        strand.wait(asyncio.sleep(1))
        os.environ["WHOSE"] += "!"
        return os.environ["WHOSE"]

    async def main() -> list[str]:
        return await asyncio.gather(
            *(strand.run(read, owner=None, environment={"WHOSE": whose}) for whose in ("mine", "yours"))
        )

    assert clock.run(main()) == ["mine!", "yours!"]
    assert "WHOSE" not in os.environ


def test_a_cancelled_strand_ends_where_it_waits() -> None:
    """Having tidied up."""
    said: list[str] = []

    def function() -> None:
        try:
            strand.wait(asyncio.sleep(60))
        finally:
            said.append("tidied up")

    async def main() -> None:
        task = asyncio.create_task(strand.run(function, owner=None, environment={}))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    clock.run(main())

    assert said == ["tidied up"]


def test_who_runs_is_known_inside_and_only_there() -> None:
    """By its owner."""
    assert stranded(lambda: (strand.in_strand(), strand.current().owner)) == (True, "me")
    assert not strand.in_strand()
    with pytest.raises(RuntimeError, match="no strand"):
        strand.current()
