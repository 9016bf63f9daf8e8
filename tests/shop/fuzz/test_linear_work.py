"""Linear work: a body twice as large takes twice the calls and twice the memory, whatever it is made of."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from tests.effort import calls_of
from tests.shop.fuzz.hostile import BODIES, hostile, take

SIZE = 60_000
AT_MOST = 2.5
# What a body of any size takes.
FEW_CALLS, FEW_BYTES = 200, 20_000


def calls(records: dict[str, Any]) -> int:
    return calls_of(lambda: take(records))


def peak_bytes(records: dict[str, Any]) -> int:
    tracemalloc.start()
    try:
        take(records)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", BODIES)
def test_twice_the_body_is_twice_the_work(kind: str) -> None:
    """`python -m bench.fuzz_costs` shows the time, which a test can't be sure of."""
    once, twice = hostile(kind, SIZE), hostile(kind, 2 * SIZE)
    take(once)  # what is made at the first use is made

    assert calls(twice) <= AT_MOST * calls(once) + FEW_CALLS
    assert peak_bytes(twice) <= AT_MOST * peak_bytes(once) + FEW_BYTES


@pytest.mark.parametrize("kind", BODIES)
def test_memory_is_a_few_times_the_body(kind: str) -> None:
    """A function of 128 MB takes a body of the largest size: at worst it is lists in lists, 56 bytes each."""
    assert peak_bytes(hostile(kind, SIZE)) <= 64 * SIZE
