"""The statistics of the bench."""

from __future__ import annotations

import pytest

from bench.quantiles import median_ratio, percentile


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 3), (0.25, 2), (0.9, 4.6), (1.0, 5)])
def test_a_percentile_lies_between_its_neighbours(share: float, expected: float) -> None:
    """In whatever order the values come."""
    assert percentile([5, 1, 4, 2, 3], share) == pytest.approx(expected)


def test_one_value_is_every_percentile() -> None:
    """There is nothing else to say."""
    assert percentile([7.0], 0.99) == 7.0


def test_runs_are_compared_pair_by_pair() -> None:
    """A run in which the machine was slow is slow for both: the ratio of the medians would be another one."""
    ours, theirs = [1.0, 10.0, 3.0], [2.0, 20.0, 30.0]

    assert median_ratio(ours, theirs) == 0.5


def test_runs_that_have_no_partner_are_refused() -> None:
    """One side would go unseen."""
    with pytest.raises(ValueError, match="shorter"):
        median_ratio([1.0, 2.0], [1.0])
