"""The till asks until it is answered, and says so when it never is."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from eachonce_workbench.cli.command import ORDERS, TEMPLATE
from eachonce_workbench.simulator import till
from eachonce_workbench.simulator.simulation import Scenario, simulate
from shop.orders import read_invoices
from shop.till import PlacingError


def test_an_invoice_that_can_never_be_placed_ends_the_simulation() -> None:
    """With the reason, and no group of errors."""
    invoices = read_invoices(ORDERS, limit=2)

    with (
        patch.object(till, "place", side_effect=PlacingError("no orders today")) as asked,
        patch.object(till, "_ROUNDS", 3),
        pytest.raises(PlacingError, match="no orders today"),
    ):
        simulate(Scenario(invoices=invoices, template=TEMPLATE))

    assert asked.await_count >= 3
