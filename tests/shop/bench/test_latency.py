"""The latencies that are drawn are those that were published."""

from __future__ import annotations

import pytest

from bench.latency import PUT, TRANSACTION_OF_5, TRANSACTION_OF_25, Latencies, latency_of
from bench.quantiles import percentile


def transaction(items: int) -> dict[str, list[object]]:
    return {"TransactItems": [{}] * items}


def test_draws_have_the_published_quantiles() -> None:
    """The median and the 99th percentile, within a few hundredths."""
    latencies = Latencies(seed=1)

    drawn = [latencies("PutItem", {}) * 1000 for _ in range(20_000)]

    assert percentile(drawn, 0.5) == pytest.approx(PUT.p50_ms, rel=0.02)
    assert percentile(drawn, 0.99) == pytest.approx(PUT.p99_ms, rel=0.05)


def test_a_seed_draws_the_same_again() -> None:
    """Another one draws others."""
    one, same, other = Latencies(7), Latencies(7), Latencies(8)

    assert [one("PutItem", {}) for _ in range(5)] == (drawn := [same("PutItem", {}) for _ in range(5)])
    assert [other("PutItem", {}) for _ in range(5)] != drawn


def test_what_is_mirrored_is_as_far_to_the_other_side_of_the_median() -> None:
    """So neither of a pair of runs is the lucky one."""
    one, other = Latencies(7), Latencies(7, mirrored=True)

    for _ in range(5):
        drawn, mirrored = one("PutItem", {}) * 1000, other("PutItem", {}) * 1000
        assert drawn * mirrored == pytest.approx(PUT.p50_ms**2)


def test_a_transaction_takes_longer_the_more_items_it_has() -> None:
    """As measured at 5 and at 25; on a straight line elsewhere."""
    assert latency_of("TransactWriteItems", transaction(5)) == TRANSACTION_OF_5
    assert latency_of("TransactWriteItems", transaction(25)) == TRANSACTION_OF_25
    assert latency_of("TransactWriteItems", transaction(15)).p50_ms == pytest.approx((25.3 + 32.1) / 2)
    assert latency_of("TransactWriteItems", transaction(2)).p50_ms < TRANSACTION_OF_5.p50_ms
    assert latency_of("TransactWriteItems", transaction(100)).p50_ms > 50


def test_a_batch_of_reads_counts_its_keys() -> None:
    """Of all its tables."""
    few = {"RequestItems": {"t": {"Keys": [{}] * 5}}}
    many = {"RequestItems": {"t": {"Keys": [{}] * 20}, "u": {"Keys": [{}] * 5}}}

    assert latency_of("BatchGetItem", few).p50_ms == pytest.approx(8.14)
    assert latency_of("BatchGetItem", many).p50_ms == pytest.approx(10.2)
