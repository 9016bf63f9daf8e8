"""The deadline: nothing begins or commits that may not end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from eachonce.deadline import Deadline

from tests.records import Context

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("remaining_ms", "near"), [(30_000, False), (1_001, False), (1_000, True), (-5, True)])
def test_the_last_part_of_an_invocation_is_its_reserve(remaining_ms: int, near: bool) -> None:
    """It is for the acknowledgement."""
    assert Deadline.of(Context(remaining_ms=remaining_ms), reserve=SECOND).near is near


@pytest.mark.parametrize(("remaining_ms", "near"), [(1, False), (0, True)])
def test_without_a_reserve_the_end_is_the_end(remaining_ms: int, near: bool) -> None:
    """Whoever only answers a caller needs no time for more."""
    assert Deadline.of(Context(remaining_ms=remaining_ms)).near is near


def test_time_is_asked_for_each_time() -> None:
    """A deadline comes nearer while handlers run."""
    remaining = iter([2 * SECOND, SECOND])
    deadline = Deadline(lambda: next(remaining), SECOND)

    assert [deadline.near, deadline.near] == [False, True]


def test_a_claim_outlives_its_invocation() -> None:
    """By more than the clocks of two workers differ."""
    assert Deadline.of(Context(remaining_ms=30_000), reserve=SECOND).lease == timedelta(seconds=35)
