"""A mapping that is turned off ends what it is at, takes no more, and can be turned on again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from eachonce_workbench.cloud.mappings.switch import Switch
from eachonce_workbench.simulator import clock as virtual_time


class Reader:
    """A reader whose last batch takes five seconds to end; `runs` is how often it was run."""

    def __init__(self) -> None:
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        self._halted = asyncio.Event()
        await self._halted.wait()
        await asyncio.sleep(5)

    def halt(self) -> None:
        self._halted.set()


class Broken(Reader):
    async def run(self) -> None:
        raise ValueError("no queue")


class Stage:
    """A switch of a reader, and what it told."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.told: list[str] = []
        self.ends = 0
        self.switch = Switch(reader, changed=self.told.append, ended=self._end)

    def _end(self) -> None:
        self.ends += 1


def ran(main: Coroutine[Any, Any, Any]) -> Any:
    return virtual_time.run(main)


def test_a_mapping_that_is_turned_off_is_disabled_when_its_batches_have_ended() -> None:
    """And tells so then, not before."""

    async def main() -> list[str]:
        stage = Stage(Reader())
        stage.switch.begin()
        await asyncio.sleep(1)
        stage.switch.turn(on=False)
        states = [stage.switch.state]
        await asyncio.sleep(4)
        states.append(stage.switch.state)
        assert (stage.told, stage.ends) == ([], 0)
        await asyncio.sleep(2)
        assert (stage.told, stage.ends) == (["Disabled"], 1)
        return [*states, stage.switch.state]

    assert ran(main()) == ["Disabling", "Disabling", "Disabled"]


def test_a_mapping_that_is_turned_on_again_reads_on() -> None:
    """As often as somebody turns it."""

    async def main() -> Stage:
        stage = Stage(Reader())
        stage.switch.begin()
        for _ in range(2):
            await asyncio.sleep(1)
            stage.switch.turn(on=False)
            await asyncio.sleep(6)
            stage.switch.turn(on=True)
        await asyncio.sleep(1)
        assert stage.switch.state == "Enabled"
        await stage.switch.stop()
        return stage

    stage = ran(main())

    assert stage.reader.runs == 3
    assert stage.told == ["Disabled", "Enabled"] * 2


@pytest.mark.parametrize("on", [True, False])
def test_turning_it_to_what_it_is_changes_nothing(on: bool) -> None:
    """Whoever asks twice is asked for nothing."""

    async def main() -> Stage:
        stage = Stage(Reader())
        if on:
            stage.switch.begin()
        stage.switch.turn(on=on)
        await asyncio.sleep(1)
        assert stage.switch.state == ("Enabled" if on else "Disabled")
        await stage.switch.stop()
        return stage

    stage = ran(main())

    assert (stage.told, stage.reader.runs) == ([], int(on))


def test_a_stop_waits_for_nothing() -> None:
    """What is in flight is cut off, as when the local cloud ends, and nobody is told that it was paused."""

    async def main() -> tuple[Stage, float]:
        stage = Stage(Reader())
        stage.switch.begin()
        await asyncio.sleep(1)
        stage.switch.turn(on=False)
        await stage.switch.stop()
        return stage, asyncio.get_running_loop().time()

    stage, now = ran(main())

    assert (now, stage.told) == (1, [])


def test_what_a_mapping_fails_with_is_raised() -> None:
    """To whoever asks for it; it is not taken for a pause."""

    async def main() -> Stage:
        stage = Stage(Broken())
        stage.switch.begin()
        await asyncio.sleep(1)
        with pytest.raises(ValueError, match="no queue"):
            stage.switch.raise_failure()
        return stage

    assert ran(main()).told == []
