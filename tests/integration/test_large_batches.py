"""Batches of up to 10,000 records, as a mapping with a window makes them: each record costs what it costs alone."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from eachonce import Aws, Consumer
from eachonce.settings import Settings

from tests.parcels import Weighed, weigh, weighed
from tests.records import Context, batch, record, returned

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
SMALL, LARGEST = 500, 10_000

# Its event, its outcome, and where it is among the lanes. A work that waits for its commit takes three times as much.
MOST_BYTES = 2_000


class Forgetful:
    """A DynamoDB that takes everything and keeps nothing, so that what is kept is the layer's."""

    exceptions: Any = None

    def transact_write_items(self, **_: Any) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one record took: bytes at the most, bytes that are left when the invocation is over, processor time."""

    most_bytes: float
    left_bytes: float
    cpu_us: float


@pytest.fixture(scope="module")
def costs() -> Iterator[dict[int, Cost]]:
    """The cost of a record, by the size of its batch; the first batch makes what is made once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("POWERTOOLS_LOG_LEVEL", "WARNING")
        settings = Settings(tables={"JOURNAL": "journal", "WEIGHTS": "weights"}, source="post", former_rows=False)
        post = Consumer("post", aws=Aws(dynamodb=Forgetful()), settings=settings)
        post.on(Weighed)(weigh)
        cost_of(post, 10)
        yield {size: cost_of(post, size) for size in (SMALL, LARGEST)}


def cost_of(post: Consumer, size: int) -> Cost:
    """Let a batch of so many events be handled: each another parcel's."""
    records = [
        record(weighed(f"p-{place}", event_id=f"{size}-{place}"), message_id=f"m-{place}") for place in range(size)
    ]
    given = batch(*records)
    gc.collect()
    tracemalloc.start()
    began = time.process_time()

    response = post(given, Context(remaining_ms=900_000))

    cpu = time.process_time() - began
    assert returned(response) == []
    del response
    gc.collect()
    left, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Cost(most_bytes=most / size, left_bytes=left / size, cpu_us=cpu / size * 1e6)


def test_a_record_takes_no_more_memory_in_a_large_batch(costs: dict[int, Cost]) -> None:
    """And none of it for its work, once that is committed."""
    assert costs[LARGEST].most_bytes <= costs[SMALL].most_bytes
    assert costs[LARGEST].most_bytes <= MOST_BYTES


def test_nothing_is_kept_of_a_record(costs: dict[int, Cost]) -> None:
    """After its invocation: what a process caches is as much for twenty times as many."""
    assert costs[LARGEST].left_bytes <= costs[SMALL].left_bytes / 2


def test_a_record_takes_no_more_time_in_a_large_batch(costs: dict[int, Cost]) -> None:
    """Twenty times as many take twenty times as long; what grew with the square would be far beyond twice that."""
    assert costs[LARGEST].cpu_us <= 2 * costs[SMALL].cpu_us
