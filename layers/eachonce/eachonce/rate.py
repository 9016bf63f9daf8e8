"""The rate: how many events a consumer begins in a time, over all of its workers, without a counter that they share.

Each worker holds a token bucket, whose share of the rate is one of as many as there may be workers. So the rate is an
upper bound: where fewer workers run than may, their shares alone are used.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from eachonce.deferral import LONGEST
from eachonce.errors import HandlerError

# Who has been idle for long is forgotten, and begins with a full bucket, as it would have by then.
MAX_BUCKETS = 10_000

# What is put off is in flight to SQS, which hands out nothing more where 120,000 messages of a queue are.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_PUT_OFF = 60_000

# What was put off meets any of the workers, and ten of a batch meet one: with only as many as there are tokens, half of
# the tokens would wait for nobody.
_ASKED_BACK = 4  # for each token

_UNITS = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1)}


class _Number(msgspec.Struct, frozen=True):
    """What stands first, and needn't be named."""

    events: float


class Rate(_Number, frozen=True, kw_only=True):
    """So many events `per` second, minute, hour or timedelta, `by` tenant where each tenant has a rate of its own.

    `workers` is how many workers there may be: what the environment says in MAXIMUM_CONCURRENCY, unless it is given. In
    any time no more begin than the rate gives in it and in a second more, or one event a worker, where that is more.
    Raises HandlerError when it can't be meant.
    """

    per: Literal["second", "minute", "hour"] | timedelta = "second"
    by: Literal["tenant"] | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is no rate, where it is said."""
        if isinstance(self.events, bool) or not isinstance(self.events, int | float) or not 0 < self.events < math.inf:
            raise HandlerError("a Rate is a number of events over 0")
        if not (self.per > timedelta() if isinstance(self.per, timedelta) else self.per in tuple(_UNITS)):
            raise HandlerError('a Rate is per "second", "minute", "hour" or a timedelta over 0')
        if self.by not in (None, "tenant"):
            raise HandlerError('a Rate is by "tenant", or of all events together')
        if self.workers is not None and (type(self.workers) is not int or self.workers < 1):
            raise HandlerError("a Rate's workers are a whole number of 1 or more")

    @property
    def a_second(self) -> float:
        """How many events it lets begin in a second."""
        per = _UNITS[self.per] if isinstance(self.per, str) else self.per
        return self.events / per.total_seconds()


class _Bucket(msgspec.Struct):
    """What is left of a share, as it was `at` a time, and until when what was put off is to fill what comes in."""

    tokens: float
    at: datetime
    promised: datetime


class Buckets:
    """One worker's share of a rate. Not thread-safe: a batch is let in before its threads begin."""

    def __init__(
        self,
        rate: Rate,
        *,
        workers: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._by_tenant = rate.by is not None
        self._share = rate.a_second / workers
        self._most = max(1.0, self._share)
        self._longest = _pause(MAX_PUT_OFF / rate.a_second)
        self._clock = clock
        self._buckets: OrderedDict[str | None, _Bucket] = OrderedDict()

    def take(self, tenants: Iterable[str | None]) -> timedelta | None:
        """Take a token for each event of a message, or return in how long it is wanted again.

        A message of several events is one: where one of them may begin all may, and what comes next pays for it. Else
        one that holds more than a bucket does would never end.
        """
        now = self._clock()
        wanted = list(tenants) if self._by_tenant else [None for _ in tenants]
        buckets = [self._bucket(tenant, now) for tenant in wanted]
        empty = [bucket for bucket in buckets if bucket.tokens < 1]
        if not empty:
            for bucket in buckets:
                bucket.tokens -= 1
            return None
        return max(self._promise(bucket, now) for bucket in empty)

    def _bucket(self, tenant: str | None, now: datetime) -> _Bucket:
        """Return a tenant's bucket with all that has come in until now."""
        bucket = self._buckets.get(tenant)
        if bucket is None:
            bucket = self._buckets[tenant] = _Bucket(self._most, now, now)
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end(tenant)
        seconds = max(0.0, (now - bucket.at).total_seconds())  # a clock may be set back
        bucket.tokens = min(self._most, bucket.tokens + seconds * self._share)
        bucket.at = now
        return bucket

    def _promise(self, bucket: _Bucket, now: datetime) -> timedelta:
        """Return a turn that no more have been put off to than are asked back for a token."""
        first = now + _pause(max(0.0, -bucket.tokens) / self._share)
        turn = _pause(1 / (self._share * _ASKED_BACK))
        bucket.promised = min(max(bucket.promised, first) + turn, now + self._longest)
        return bucket.promised - now


def _pause(seconds: float) -> timedelta:
    """Return a time that something may be put off for; at a low rate it may be more than a timedelta holds."""
    return timedelta(seconds=min(seconds, LONGEST.total_seconds()))
