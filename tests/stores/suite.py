"""The suite: every case that stores, buses and queues are asked, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.stores.cases import ITEM_CASES, Call
from tests.stores.patterns import PATTERN_CASES
from tests.stores.queues import QUEUE_CASES

CASES: Mapping[str, Sequence[Call]] = {**ITEM_CASES, **PATTERN_CASES, **QUEUE_CASES}
