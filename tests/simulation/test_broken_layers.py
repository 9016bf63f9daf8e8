"""A simulation sees what is wrong, and says how little it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.cli.command import ORDERS, TEMPLATE
from eachonce_workbench.simulator.replay import Replay
from eachonce_workbench.simulator.shrink import shrink
from eachonce_workbench.simulator.simulation import Scenario, simulate
from shop.orders import read_invoices
from tests.simulation.broken_layers import BROKEN

INVOICES = read_invoices(ORDERS, limit=12)


# Which rows share a batch is a matter of time, which fewer invoices change: not every seed's witness can be small.
SEEDS = {"relays the first of a batch": 3}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_and_shrunk(name: str, tmp_path: Path) -> None:
    """Down to two invoices and two faults, and the file that keeps them breaks the same promise again."""
    broken, invariants = BROKEN[name]
    scenario = Scenario(invoices=INVOICES, template=TEMPLATE, seed=SEEDS.get(name, 1), faults="heavy")
    with broken():
        found = simulate(scenario)
        witness = shrink(scenario, found)
        Replay.of(witness).write(tmp_path / "witness.json")
        again = simulate(Replay.read(tmp_path / "witness.json").scenario(INVOICES, scenario.template))

    assert invariants & {violation.invariant for violation in found.violations}
    assert witness.violation in again.violations
    assert again.happened == witness.faults
    assert len(witness.scenario.invoices) <= 2
    assert len(witness.faults) <= 2
    assert simulate(Replay.of(witness).scenario(INVOICES, scenario.template)).violations == ()
