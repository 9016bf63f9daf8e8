"""A tenant with most of the events keeps the others waiting no longer than it must."""

from __future__ import annotations

import pytest

from tests.neighbours import NOISY, PATH, alone, crowd, median_seconds

# Nineteen of twenty of two thousand events.
SHARES = {"noisy": 1900, "others": 100}


@pytest.mark.parametrize("workers", [2, 10])
@pytest.mark.parametrize(
    "noisy_first", [pytest.param(False, id="among the others"), pytest.param(True, id="before the others")]
)
@pytest.mark.parametrize("tenants", [1, 20])
def test_a_noisy_tenant_at_most_doubles_the_others_median(tenants: int, noisy_first: bool, workers: int) -> None:
    """However few batches run at once, and wherever the noisy tenant's events stand; alone, the others take as long."""
    arrivals = crowd(**SHARES, tenants=tenants, noisy_first=noisy_first)
    assert sum(arrival.tenant == NOISY for arrival in arrivals) / len(arrivals) == 0.95

    by_themselves = median_seconds(alone(arrivals), group=PATH, workers=workers)
    beside_it = median_seconds(arrivals, group=PATH, workers=workers)

    assert beside_it <= 2 * by_themselves


def test_without_groups_a_noisy_tenant_delays_everybody() -> None:
    """So it is the group that helps, and nothing else."""
    arrivals = crowd(**SHARES, tenants=20)

    by_themselves = median_seconds(alone(arrivals), group=None)
    beside_it = median_seconds(arrivals, group=None)

    assert beside_it > 5 * by_themselves


def test_the_same_events_take_the_same_time() -> None:
    """To the last digit, since no clock of this machine is asked."""
    arrivals = crowd(noisy=190, others=10, tenants=5)

    assert median_seconds(arrivals, group=PATH) == median_seconds(arrivals, group=PATH)
