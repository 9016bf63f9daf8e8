"""The deferral: for how long a delivery is put off that may not begin now.

SQS counts each receive, and takes an event for poison after 1,000 (`maxReceiveCount`). So the older a message is, the
longer it is put off: it comes 63 times at most in its first 80 minutes, and from then on 144 times a day.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

# The pause that a message is put off for when it has been for long; up to half as long again, since it is spread.
LONGEST = timedelta(minutes=10)

_LEAST = timedelta(seconds=1)  # SQS counts in whole seconds, and 0 is at once
_PART_OF_AGE = 8


def deferral(wanted: timedelta, age: timedelta, *, jitter: Callable[[], float] = random.random) -> timedelta:
    """Return the pause of a message first received `age` ago that is not `wanted` before that: the same or longer.

    It is spread over half as long again, so that what is put off together doesn't come back together.
    """
    return max(wanted, _LEAST, min(age / _PART_OF_AGE, LONGEST)) * (1 + jitter() / 2)
