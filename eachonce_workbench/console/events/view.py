"""The events that somebody looks at: those of a selection, kept up to date while they look."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from typing import Any

from eachonce_workbench.console.events.selection import Selection
from eachonce_workbench.console.known import KnownEvent
from eachonce_workbench.console.record import Record

# Looking at a hundred thousand events takes a while, and the local cloud answers on the same thread meanwhile.
_AT_ONCE = 1_000


class View:
    """The numbers of the events that fit a selection, in order; `version` changes whenever what it shows does."""

    def __init__(self, record: Record, selection: Selection) -> None:
        """Begin empty: `start` has what there is looked at, and what changes is followed from now on."""
        self._record = record
        self._selection = selection
        self._numbers: list[int] = []
        self.version = 0
        self.filled = False
        self._end = record.watch(self._changed)

    def start(self) -> asyncio.Task[None]:
        """Begin to look at the events that there are."""
        return asyncio.create_task(self._fill(), name="view")

    async def _fill(self) -> None:
        for place, number in enumerate(list(self._record.events)):
            event = self._record.events.get(number)
            if event is not None:
                self._changed(event)
            if place % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
        self.filled = True
        self.version += 1

    @property
    def last(self) -> int:
        """The number of the newest, 0 where there is none."""
        return self._numbers[-1] if self._numbers else 0

    def close(self) -> None:
        """Follow nothing any more."""
        self._end()

    def __len__(self) -> int:
        """How many there are, of those that are still kept."""
        self._forget()
        return len(self._numbers)

    def rows(self, start: int, count: int) -> list[dict[str, Any]]:
        """Return the headlines of some events, the newest first; `start` counts from the newest."""
        self._forget()
        last = len(self._numbers) - max(0, start)
        chosen = self._numbers[max(0, last - count) : max(0, last)]
        return [self._record.events[number].headline() for number in reversed(chosen)]

    def _changed(self, event: KnownEvent) -> None:
        place = bisect_left(self._numbers, event.number)
        there = place < len(self._numbers) and self._numbers[place] == event.number
        if event in self._selection:
            if not there:
                insort(self._numbers, event.number)
            self.version += 1
        elif there:
            del self._numbers[place]
            self.version += 1

    def _forget(self) -> None:
        """Let go of what the record has let go of: always the oldest."""
        if not self._record.events:
            self._numbers.clear()
            return
        oldest = next(iter(self._record.events))
        gone = bisect_left(self._numbers, oldest)
        if gone:
            del self._numbers[:gone]
