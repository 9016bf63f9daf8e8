"""A tenant with most of the events keeps the others waiting no longer than it must."""

from __future__ import annotations

import pytest

from tests.neighbours import EVENT_SECONDS, NOISY, PATH, Arrival, alone, crowd, median_seconds

# It does over and over what other tests do once: to measure its coverage would take as long as the test.
pytestmark = pytest.mark.no_cover

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


@pytest.mark.parametrize(
    ("workers", "threads", "batch"),
    [
        pytest.param(10, 4, 10, id="as in the template"),
        pytest.param(2, 10, 10, id="two batches of as many lanes as events"),
        pytest.param(2, 4, 4, id="two batches of as many events as lanes"),
    ],
)
def test_a_noisy_tenant_at_most_doubles_the_median_of_who_comes_later(workers: int, threads: int, batch: int) -> None:
    """A batch that has begun is waited for: so where few run at once, each is to be as long as one event."""
    arrivals = crowd(**SHARES, tenants=20, over_seconds=3.0)

    def took(these: list[Arrival]) -> float:
        return median_seconds(these, group=PATH, workers=workers, threads=threads, batch=batch)

    by_themselves, beside_it = took(alone(arrivals)), took(arrivals)

    assert beside_it <= 2 * by_themselves


def test_long_batches_of_which_few_run_at_once_are_waited_for() -> None:
    """It is as docs/flow.md says: half a batch, and then a place in the next one, on average."""
    arrivals = crowd(**SHARES, tenants=20, over_seconds=3.0)

    by_themselves = median_seconds(alone(arrivals), group=PATH, workers=2)
    beside_it = median_seconds(arrivals, group=PATH, workers=2)

    batch_seconds = 3 * EVENT_SECONDS  # ten events in four threads
    assert 2 * by_themselves < beside_it <= batch_seconds / 2 + (EVENT_SECONDS + batch_seconds) / 2


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
