"""An archive: the events of one bus that its pattern chooses, for as long as it keeps them.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive-event.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from eachonce_workbench.cloud.store.kept import KeptEvent
from eachonce_workbench.matching.reading import read_json, to_json
from eachonce_workbench.template.topology import Archive

# AWS keeps all of them; here the newest that fit: a month of a small shop's, and no more memory than a function has.
MAX_ARCHIVE_BYTES = 16 * 1024 * 1024

_DAY_SECONDS = 86_400


class Shelf:
    """What one archive holds, oldest first."""

    def __init__(self, archive: Archive, *, clock: Callable[[], float]) -> None:
        self.archive = archive
        self._clock = clock
        self._events: deque[KeptEvent] = deque()
        self.size_bytes = 0

    def __len__(self) -> int:
        """How many events it has."""
        self._let_go()
        return len(self._events)

    def offer(self, event: dict[str, Any]) -> None:
        """Keep an event of the bus, if the pattern chooses it."""
        if self.archive.pattern is None or self.archive.pattern.matches(event):
            self.take_back([KeptEvent(at=self._clock(), text=to_json(event))])

    def take_back(self, events: list[KeptEvent]) -> None:
        """Keep events that were kept."""
        self._events.extend(events)
        self.size_bytes += sum(len(each.text) for each in events)
        self._let_go()

    def kept(self) -> list[KeptEvent]:
        """Give all that it holds."""
        self._let_go()
        return list(self._events)

    def between(self, start: float, end: float) -> Iterator[dict[str, Any]]:
        """Give the events that happened in this time, by what they say themselves, in the order in which they came."""
        for each in self.kept():
            event = read_json(each.text)
            if start <= happened_at(event) <= end:
                yield event

    def _let_go(self) -> None:
        days = self.archive.retention_days
        oldest = self._clock() - days * _DAY_SECONDS if days else float("-inf")
        while self._events and (self._events[0].at < oldest or self.size_bytes > MAX_ARCHIVE_BYTES):
            self.size_bytes -= len(self._events.popleft().text)


def happened_at(event: dict[str, Any]) -> float:
    """When an event happened, in seconds since the epoch."""
    return datetime.fromisoformat(event["time"]).timestamp()
