"""Simulations of the shop."""

from __future__ import annotations

from eachonce_workbench.simulator.simulation import Scenario
from shop.books import Shop
from tests.shop.place import TEMPLATE


def scenario(*, invoices: int = 10, seed: int = 0, faults: str = "heavy") -> Scenario:
    """Return a scenario of the month's first invoices."""
    books = Shop()
    return Scenario(inputs=books.inputs(None, invoices), books=books, template=TEMPLATE, seed=seed, faults=faults)
