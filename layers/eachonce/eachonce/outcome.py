"""Outcomes: what became of a delivery."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any

import msgspec


class Verdict(StrEnum):
    """The kinds of outcome: after a final one the message leaves its queue, after any other it comes again."""

    DONE = "done"  # committed now
    DUPLICATE = "duplicate"  # committed before: this copy changed nothing
    STALE = "stale"  # something newer is there already: nothing to change
    IGNORED = "ignored"  # a type that the consumer chose to ignore
    REJECT = "reject"  # never: the message goes to the dead-letter queue with its reason
    RETRY = "retry"  # not now
    WAIT = "wait"  # too early
    ABANDONED = "abandoned"  # the deadline came before it could begin or commit


class Hold(StrEnum):
    """What puts off an event that might have been handled now; each has a metric of its own."""

    RATE = "rate"  # the consumer's own
    BREAKER = "breaker"  # of what the handler needs


_DEFERRED = frozenset({Verdict.RETRY, Verdict.WAIT, Verdict.ABANDONED})


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an event: the verdict, why, and what its caller is answered.

    - `reason` is for people and `error` names the exception's type; neither holds values of the payload
    - `cause` is the exception itself, for the log
    - `counted`: whether it is the handler's own failure
    - `attempts`: how often the handler has failed on the event, where that was counted
    - `after`: when the message is to come again, where the handler said so, or what holds it back
    - `held`: what holds it back, where it was put off without being handled
    """

    verdict: Verdict
    reason: str | None = None
    error: str | None = None
    result: Any = None
    cause: Exception | None = None
    counted: bool = False
    attempts: int | None = None
    after: timedelta | None = None
    held: Hold | None = None

    @property
    def final(self) -> bool:
        """Whether the message may leave its queue."""
        return self.verdict not in _DEFERRED
