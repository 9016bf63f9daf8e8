"""The comparison with a peer says what became of effects, not only that rows differ."""

from __future__ import annotations

import pytest

from eachonce_workbench.simulator.report import _way


@pytest.mark.parametrize(
    ("row", "way"),
    [
        ("sales 2010-12-01 EIRE: revenue is 570.38, expected 555.38; units is 255, expected 243", "effects doubled"),
        ("stock 22633: reserved is 6, expected 12", "effects lost"),
        ("sales 2010-12-01 EIRE: revenue is 500, expected 555.38; units is 255, expected 243", "other values"),
        ("customers 17850: last_order is 536372, expected 536373; country is France, expected EIRE", "effects lost"),
        ("customers 17850: country is France, expected EIRE", "other values"),
    ],
)
def test_a_row_says_whether_an_effect_was_doubled_or_lost(row: str, way: str) -> None:
    """By its sums: too high, too low, or something else."""
    assert _way(row) == way
