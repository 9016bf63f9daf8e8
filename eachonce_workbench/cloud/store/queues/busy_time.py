"""How long consumers have been busy with each message group of a queue of late."""

from __future__ import annotations

from collections import defaultdict

# AWS says "recent", and no number: here it is the minute that runs and the one before it.
WINDOW_SECONDS = 60


class BusyTime:
    """The seconds from a message's receive to its end, by group; what has no group counts in the whole alone."""

    def __init__(self) -> None:
        self._window = 0
        self._now: defaultdict[str | None, float] = defaultdict(float)
        self._before: defaultdict[str | None, float] = defaultdict(float)
        self._total_now = 0.0
        self._total_before = 0.0

    def add(self, group: str | None, seconds: float, now: float) -> None:
        """Count seconds that ended now."""
        self._turn(now)
        self._total_now += seconds
        if group is not None:
            self._now[group] += seconds

    def share(self, group: str, now: float) -> float:
        """Return a group's part of the whole, from 0 to 1."""
        self._turn(now)
        total = self._total_now + self._total_before
        return 0.0 if total <= 0.0 else (self._now.get(group, 0.0) + self._before.get(group, 0.0)) / total

    def _turn(self, now: float) -> None:
        window = int(now // WINDOW_SECONDS)
        if window == self._window:
            return
        follows = window == self._window + 1
        self._before = self._now if follows else defaultdict(float)
        self._total_before = self._total_now if follows else 0.0
        self._now, self._total_now, self._window = defaultdict(float), 0.0, window
