"""How fast dead letters go back: so many a second, or at first slowly and faster while none of them is dead again."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_PER_SECOND = 1.0
"""Where a rising pace begins."""
STEP_SECONDS = 10.0
"""How long a rising pace stays as it is: what a handler rejects is dead again within seconds."""

Tell = Callable[[str], None]


class Pace:
    """Lets letters go at a rate; by a clock that never jumps.

    Whoever was held up has nothing saved: what comes after a pause goes at the rate, too.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.per_second = self.slowest = per_second
        self._clock = clock
        self._sleep = sleep
        self._due = clock()

    def take(self, most: int) -> int:
        """Wait until some may go, and return how many of `most`: a second's worth at the most, and at least one."""
        if (wait := self._due - self._clock()) > 0:
            self._sleep(wait)
        count = min(most, max(1, int(self.per_second)))
        self._due = max(self._due, self._clock()) + count / self.per_second
        return count

    def watch(self, dead_again: Callable[[], int]) -> None:
        """Take how many letters have come back since it was asked last; a steady pace doesn't ask."""


class RisingPace(Pace):
    """Begins slowly and doubles, step by step, up to its rate; halves and rises no more once letters are dead again.

    What its journal doesn't know (a message without an event, a consumer without the layer) is never seen again.
    """

    def __init__(
        self,
        per_second: float,
        *,
        tell: Tell,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the rate to rise to, and whom to tell of each change."""
        super().__init__(min(per_second, FIRST_PER_SECOND), clock=clock, sleep=sleep)
        self._highest = per_second
        self._tell = tell
        self._next = clock() + STEP_SECONDS

    def watch(self, dead_again: Callable[[], int]) -> None:
        """Ask at the end of a step, and go on faster or slower."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + STEP_SECONDS
        if count := dead_again():
            self._highest = self.per_second = max(self.slowest, self.per_second / 2)
            self._tell(f"{count:,} dead again: on at {self.per_second:g} a second, and no faster")
        elif self.per_second < self._highest:
            self.per_second = min(self._highest, self.per_second * 2)
            self._tell(f"none is dead again: on at {self.per_second:g} a second")
