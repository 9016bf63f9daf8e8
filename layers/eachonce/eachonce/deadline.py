"""The deadline: when an invocation must have ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

# A claim outlives its invocation by this much, since the clocks of two workers differ a little.
_LEASE_MARGIN = timedelta(seconds=5)


class Deadline(msgspec.Struct, frozen=True):
    """How much time an invocation has left; nothing begins or commits within the last `reserve` of it."""

    remaining: Callable[[], timedelta]
    reserve: timedelta = timedelta()

    @classmethod
    def of(cls, context: LambdaContext, *, reserve: timedelta = timedelta()) -> Deadline:
        """Return the deadline of the invocation that `context` belongs to."""
        return cls(lambda: timedelta(milliseconds=context.get_remaining_time_in_millis()), reserve)

    @property
    def usable(self) -> timedelta:
        """How much time is left to begin and to commit in."""
        return self.remaining() - self.reserve

    @property
    def near(self) -> bool:
        """Whether it is too late to begin, or to commit."""
        return self.usable <= timedelta()

    @property
    def lease(self) -> timedelta:
        """How long a claim must last so that it ends after the invocation."""
        return self.remaining() + _LEASE_MARGIN
