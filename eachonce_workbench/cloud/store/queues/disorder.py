"""Seeded disorder: the duplicates and the reordering that standard queues are allowed."""

from __future__ import annotations

import random


class Disorder:
    """Decides what is delivered twice and what overtakes what; the same seed decides the same way.

    `duplicates` is the share of messages that come again, 0.0 to 1.0: half of them because the bus delivers twice, as
    two messages, the other half because a delete is lost, so that the same message comes again.
    """

    def __init__(self, seed: int, duplicates: float = 0.0, *, shuffle: bool = False) -> None:
        if not 0.0 <= duplicates <= 1.0:
            raise ValueError(f"a share is between 0 and 1, not {duplicates}")
        self._random = random.Random(seed)  # noqa: S311 - disorder, not cryptography
        self._half = duplicates / 2
        self._shuffle = shuffle

    def copies(self, target: str, body: str) -> int:  # noqa: ARG002 - for those who care
        """How many messages one delivery to `target` becomes: 1 or 2."""
        return 2 if self._happens() else 1

    def delay_seconds(self, target: str, body: str) -> float:  # noqa: ARG002 - as above
        """How long a delivery is on its way to `target`."""
        return 0.0

    def batch(self, queue: str, limit: int) -> int:  # noqa: ARG002 - as above
        """How many messages one receive takes at the most, of `limit`: at least 1."""
        return limit

    def hidden_seconds(self, queue: str, body: str, seconds: float) -> float:  # noqa: ARG002 - as above
        """How long a received message really stays hidden."""
        return seconds

    def redeliver(self, queue: str, body: str) -> bool:  # noqa: ARG002 - as above
        """Whether a delete is lost."""
        return self._happens()

    def pick(self, n: int) -> int:
        """Which of `n` visible messages is next, counted from the oldest."""
        return self._random.randrange(n) if self._shuffle and n > 1 else 0

    def _happens(self) -> bool:
        return self._half > 0.0 and self._random.random() < self._half
