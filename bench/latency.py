"""How long AWS takes to answer: published measurements, drawn from anew by a seed.

Alex DeBrie, "DynamoDB Transactions Performance Testing" (https://www.alexdebrie.com/posts/dynamodb-transactions-performance/,
figures in https://github.com/alexdebrie/dynamodb-performance-testing): from Lambda, 400 times each. A latency is drawn
from the log-normal distribution that has the published median and 99th percentile.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

from bench.write_units import Request

_P99_DEVIATIONS = 2.3263  # of the normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What was measured of an operation, in milliseconds."""

    p50_ms: float
    p99_ms: float

    def between(self, other: Latency, share: float) -> Latency:
        """Return what lies at a share of the way to the other, or beyond it."""
        return Latency(
            p50_ms=self.p50_ms + share * (other.p50_ms - self.p50_ms),
            p99_ms=self.p99_ms + share * (other.p99_ms - self.p99_ms),
        )

    def drawn(self, normal: float) -> float:
        """Return milliseconds, so many deviations from the median."""
        return self.p50_ms * math.exp(normal * math.log(self.p99_ms / self.p50_ms) / _P99_DEVIATIONS)


PUT = Latency(p50_ms=7.55, p99_ms=16.2)
BATCH_OF_5, BATCH_OF_25 = Latency(p50_ms=8.14, p99_ms=25.5), Latency(p50_ms=10.2, p99_ms=27.6)
TRANSACTION_OF_5, TRANSACTION_OF_25 = Latency(p50_ms=25.3, p99_ms=92.5), Latency(p50_ms=32.1, p99_ms=97.5)


def latency_of(operation: str, params: Request) -> Latency:
    """Return an operation's latency: between 5 items and 25, and beyond, on the straight line through both.

    The source has no reads of one item and no PutEvents: they are taken to be as quick as a PutItem. Neither is more
    often on our way than on the peer's.
    """
    if operation == "TransactWriteItems":
        return TRANSACTION_OF_5.between(TRANSACTION_OF_25, _beyond_5(len(params["TransactItems"])))
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return BATCH_OF_5.between(BATCH_OF_25, _beyond_5(sum(map(_items, params["RequestItems"].values()))))
    if operation == "BatchExecuteStatement":
        return BATCH_OF_5.between(BATCH_OF_25, _beyond_5(len(params["Statements"])))
    return PUT


class Latencies:
    """Draws the latency of one call after the other; the same seed draws the same.

    `mirrored`, each is as far to the other side of the median. So of a pair of runs neither is lucky: one that makes a
    single call has drawn a quick answer and a slow one.
    """

    def __init__(self, seed: int, *, mirrored: bool = False) -> None:
        self._random = random.Random(seed)
        self._side = -1 if mirrored else 1

    def __call__(self, operation: str, params: Request) -> float:
        """Return the seconds that this call takes."""
        return latency_of(operation, params).drawn(self._side * self._random.gauss(0, 1)) / 1000


def _beyond_5(items: int) -> float:
    return (items - 5) / 20


def _items(asked: Any) -> int:
    return len(asked["Keys"]) if isinstance(asked, dict) else len(asked)
