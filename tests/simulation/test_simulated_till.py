"""The till asks until it is answered, and says so when it never is."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest

from workbench.orders import read_invoices
from workbench.shop import PlacingError
from workbench.simulator import till
from workbench.simulator.simulation import Scenario, simulate

ROOT = Path(__file__).resolve().parents[2]


def test_an_invoice_that_can_never_be_placed_ends_the_simulation() -> None:
    """With the reason, and no group of errors."""
    invoices = read_invoices(ROOT / "data" / "online-retail-2010-12.csv.gz", limit=2)

    with (
        patch.object(till, "place", side_effect=PlacingError("no orders today")) as asked,
        patch.object(till, "_ROUNDS", 3),
        pytest.raises(PlacingError, match="no orders today"),
    ):
        simulate(Scenario(invoices=invoices, template=ROOT / "template.yaml"))

    assert asked.await_count >= 3
