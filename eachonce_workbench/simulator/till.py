"""The till: places invoices, again and again until they are taken, and lets poison in between."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.run.run import Progress
from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.poison import poison_before, poison_row_before
from eachonce_workbench.simulator.tables import put
from eachonce_workbench.simulator.watch import Watch
from shop.orders import Row
from shop.till import PlacingError, place

_AT_ONCE = 4
_EVERY_SECONDS = 0.2
_ROUNDS = 50


class Till:
    """Places one simulation's invoices.

    `poison_rows` are the keys of the journal's rows that nobody can relay.
    """

    def __init__(self, cloud: LocalCloud, chaos: Chaos, watch: Watch, progress: Progress) -> None:
        self._cloud = cloud
        self._chaos = chaos
        self._watch = watch
        self._progress = progress
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self.poison_rows: set[str] = set()

    async def place(self, invoices: Mapping[str, list[Row]]) -> dict[str, str]:
        """Place invoices; return the numbers of those that are refused, with the reasons. Raises PlacingError."""
        refused: dict[str, str] = {}
        done = 0

        async def one(number: str, lines: list[Row]) -> None:
            nonlocal done
            async with self._slots:
                reason = await self._patiently(number, lines)
            if reason is not None:
                refused[number] = reason
            done += 1
            self._progress.placed(done, len(invoices))

        try:
            async with asyncio.TaskGroup() as placing:
                for number, lines in invoices.items():
                    self._poison(number)
                    placing.create_task(one(number, lines))
                    await asyncio.sleep(_EVERY_SECONDS)
        except* PlacingError as failed:
            first = failed.exceptions[0]
        else:
            return refused
        raise first

    async def _patiently(self, number: str, lines: list[Row]) -> str | None:
        for _ in range(_ROUNDS - 1):
            with suppress(PlacingError):
                return await place(self._cloud.invoke, number, lines)
            await asyncio.sleep(_EVERY_SECONDS)
        return await place(self._cloud.invoke, number, lines)

    def _poison(self, number: str) -> None:
        bus = next(bus for bus in self._cloud.topology.buses if bus.logical_id)
        for poison in poison_before(self._chaos, number, bus=bus.name):
            self._watch.from_outside.add(poison.event_id)
            self._cloud.bus.put_events([poison.entry])
        row = poison_row_before(self._chaos, number)
        if row is not None:
            self.poison_rows.add(row["pk"]["S"])
            put(self._cloud, "Journal", row)
