"""An event source mapping on or off: one that is turned off ends what it is at, and takes no more.

https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, Protocol

State = Literal["Enabled", "Disabling", "Disabled"]


class Reader(Protocol):
    """What reads a queue or a stream."""

    async def run(self) -> None:
        """Read until `halt`, and return when what is in flight has ended; cancelled, end that, too."""

    def halt(self) -> None:
        """Take nothing more; what runs then ends by itself, and may be run again."""


class Switch:
    """Runs a reader as a task while it is on."""

    def __init__(self, reader: Reader, *, changed: Callable[[State], None], ended: Callable[[], None]) -> None:
        """Take whom to tell that it is on or off, and that the task ended, whatever it ended with."""
        self._reader = reader
        self._changed = changed
        self._ended = ended
        self._on = False
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """What it does now."""
        if self._on:
            return "Enabled"
        return "Disabled" if self._task is None or self._task.done() else "Disabling"

    @property
    def working(self) -> bool:
        """Whether it takes something, or has not ended what it took."""
        return self.state != "Disabled"

    def turn(self, *, on: bool) -> None:
        """Turn it on or off, unless it is so; one that is Disabling can't be turned."""
        if on and not self._on:
            self._start()
            self._changed("Enabled")
        elif self._on and not on:
            self._on = False
            self._reader.halt()

    def begin(self) -> None:
        """Turn it on for the first time, which is no news."""
        self._start()

    def _start(self) -> None:
        self._on = True
        self._task = asyncio.create_task(self._reader.run(), name="event source mapping")
        self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        if self.state == "Disabled" and not task.cancelled() and task.exception() is None:
            self._changed("Disabled")
        self._ended()

    def raise_failure(self) -> None:
        """Raise what the task failed with, if it did."""
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()

    async def stop(self) -> None:
        """End the task, whatever it is at. Raises nothing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
