"""Outcomes: what became of a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """The kinds of outcome; all but RETRY are final, and their message leaves the queue."""

    DONE = "done"  # committed now
    DUPLICATE = "duplicate"  # committed before: this copy changed nothing
    STALE = "stale"  # something newer is there already: nothing to change
    IGNORED = "ignored"  # a type that the consumer chose to ignore
    RETRY = "retry"  # not now: the message returns to the queue
    REJECT = "reject"  # never: the message goes to the dead-letter queue with its reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an event: the verdict, why, and what its caller is answered.

    `reason` is for people and `error` names the exception's type; neither holds values of the payload.
    """

    verdict: Verdict
    reason: str | None = None
    error: str | None = None
    result: Any = None
    cause: Exception | None = None

    @property
    def final(self) -> bool:
        """Whether the message may leave its queue."""
        return self.verdict is not Verdict.RETRY
