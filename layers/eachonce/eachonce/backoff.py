"""The back-off: when a deferred message comes again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from eachonce.outcome import Outcome, Verdict

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
MAX_SECONDS = 12 * 60 * 60

_MOST_DOUBLINGS = 20  # a second is 12 days by then, and a day is still a timedelta
_NO_TIME = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential back-off with full jitter: a random time up to `first`, doubled with each failure, up to `longest`.

    What isn't counted (waiting, a service that is down) waits up to as long again as it has waited so far.
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=15)
    jitter: Callable[[], float] = random.random

    def seconds(self, outcome: Outcome, age: timedelta) -> int:
        """Return the visibility timeout, in whole seconds, of a message first received `age` ago."""
        if outcome.verdict is Verdict.ABANDONED:
            return 0
        if outcome.after is not None:
            return _clamped(outcome.after)
        doublings = min((outcome.attempts or 1) - 1, _MOST_DOUBLINGS)
        most = self.first * 2**doublings if outcome.attempts else max(self.first, age)
        return _clamped(min(most, self.longest) * self.jitter())


def _clamped(pause: timedelta) -> int:
    return round(max(_NO_TIME, min(pause, timedelta(seconds=MAX_SECONDS))).total_seconds())
