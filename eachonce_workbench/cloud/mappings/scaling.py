"""How many batches of one queue Lambda works on at once."""

from __future__ import annotations

from collections.abc import Callable

_START = 5
_GROWTH_PER_SECOND = 300 / 60


class Scaling:
    """The concurrency of a queue's poller: five batches at first, more while a backlog lasts, fewer after failures.

    The numbers are those of https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html: 300 more a minute
    at the most. `ceiling` is the mapping's MaximumConcurrency, or what the machine allows where that is less.
    """

    def __init__(self, ceiling: int, clock: Callable[[], float]) -> None:
        self._ceiling = ceiling
        self._clock = clock
        self._limit = float(min(_START, ceiling))
        self._since: float | None = None

    @property
    def limit(self) -> int:
        """The number of batches that may be worked on now, at least 1."""
        return int(self._limit)

    @property
    def step_seconds(self) -> float | None:
        """After how long a backlog allows one batch more; None when it never does."""
        return 1 / _GROWTH_PER_SECOND if self._limit < self._ceiling else None

    def backlog(self) -> None:
        """Note that messages wait."""
        now = self._clock()
        if self._since is not None:
            self._limit = min(self._ceiling, self._limit + (now - self._since) * _GROWTH_PER_SECOND)
        self._since = now

    def calm(self) -> None:
        """Note that no message waits."""
        self._since = None
        self._limit = min(self._limit, _START)

    def failed(self) -> None:
        """Note an invocation that was throttled, or that failed as a whole."""
        self._limit = max(1.0, self._limit - 1)
