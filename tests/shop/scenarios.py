"""Simulations of the shop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from eachonce_workbench.run.books import Input
from eachonce_workbench.simulator.simulation import Scenario
from shop.books import Shop
from shop.laboratory.app import FOLLOWED
from tests.shop.place import TEMPLATE


@cache
def _first(invoices: int) -> Sequence[Input]:
    return Shop().inputs(None, invoices)


def scenario(*, invoices: int = 10, seed: int = 0, faults: str = "heavy") -> Scenario:
    """Return a scenario of the month's first invoices."""
    return Scenario(inputs=_first(invoices), books=Shop(), template=TEMPLATE, seed=seed, faults=faults)


def followed(*, invoices: int, seed: int) -> Scenario:
    """Return a scenario in which events meet: of invoices whose parts the laboratory counts in one row."""
    some = [given for given in _first(20 * invoices) if given.name.endswith(FOLLOWED)]
    return replace(scenario(seed=seed, faults="crowded"), inputs=some[:invoices])
