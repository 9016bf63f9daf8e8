"""The pace of calls to a service that asks to slow down: longer and longer pauses, within the time that there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec

_LONGEST_SECONDS = 5.0
_MOST_DOUBLINGS = 10

_NO_TIME = timedelta()


class Pace(msgspec.Struct, kw_only=True):
    """Pauses before calls: exponential, with full jitter, and never beyond the time that is `left`.

    A call that was throttled has the next one wait, too, whatever it sends; one that wasn't ends that. Calls don't get
    smaller: fewer of them are what a throttle asks for. Of calls at once, one that was throttled speaks for all.
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    left: Callable[[], timedelta]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]
    base_seconds: float
    throttled_calls: int = 0

    def note(self, *, throttled: bool) -> None:
        """Note how a call ended."""
        self.throttled_calls = self.throttled_calls + 1 if throttled else 0

    def pause(self, doublings: int) -> bool:
        """Wait as long as so many failures ask for, if any; return False at once where there is no time for that."""
        if self.left() <= _NO_TIME:
            return False
        doublings = min(max(doublings, self.throttled_calls), _MOST_DOUBLINGS)
        if not doublings:
            return True
        seconds = min(self.base_seconds * 2**doublings, _LONGEST_SECONDS) * self.jitter()
        if timedelta(seconds=seconds) >= self.left():
            return False
        self.sleep(seconds)
        return True
