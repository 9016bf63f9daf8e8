"""The back-off: when a deferred message comes again."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from math import floor

import msgspec

from eachonce.outcome import Outcome, Verdict

# From the receive on: SQS refuses a timeout that would end later, and then the queue's own holds.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
MAX_SECONDS = 12 * 60 * 60

# Lambda gathers a batch for 5 minutes at most, and a function runs for 15.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
LONGEST_HOLD = timedelta(minutes=20)

_MAX = timedelta(seconds=MAX_SECONDS)
_MARGIN = timedelta(minutes=1)  # for clocks that differ, and for the call's way

_MOST_DOUBLINGS = 20  # a second is 12 days by then, and a day is still a timedelta
_NO_TIME = timedelta()


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """Exponential back-off with full jitter: a random time up to `first`, doubled with each failure, up to `longest`.

    What isn't counted (waiting, a service that is down) waits up to as long again as it has waited so far.
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=15)
    jitter: Callable[[], float] = random.random

    def seconds(self, outcome: Outcome, age: timedelta, *, held: timedelta | None = None) -> int:
        """Return the visibility timeout, in whole seconds, of a message first received `age` ago.

        It has been `held` since it was received this time: since the first time, where nothing is said.
        """
        if outcome.verdict is Verdict.ABANDONED:
            return 0
        most_left = _left(age if held is None else held)
        if outcome.after is not None:
            return _clamped(outcome.after, most_left)
        doublings = min((outcome.attempts or 1) - 1, _MOST_DOUBLINGS)
        most = self.first * 2**doublings if outcome.attempts else max(self.first, age)
        return _clamped(min(most, self.longest) * self.jitter(), most_left)


def _left(held: timedelta) -> timedelta:
    """Return how much of SQS's time is left to a message; none is held for all of it, whatever a clock says."""
    return _MAX - _MARGIN - (held if held < _MAX else LONGEST_HOLD)


def _clamped(pause: timedelta, most: timedelta) -> int:
    return max(0, min(round(pause.total_seconds()), floor(most.total_seconds())))
