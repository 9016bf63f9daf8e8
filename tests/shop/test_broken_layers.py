"""A simulation sees what is wrong, and says how little it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.simulator.replay import Replay
from eachonce_workbench.simulator.shrink import shrink
from eachonce_workbench.simulator.simulation import Scenario, simulate
from tests.shop.scenarios import scenario as of_the_shop
from tests.simulation.broken_layers import BROKEN


def replayed(replay: Replay, of: Scenario) -> Scenario:
    return replay.scenario(of.inputs, books=of.books, template=of.template)


# Which rows share a batch is a matter of time, which fewer inputs change: not every seed's witness can be small.
SEEDS = {"acknowledges everything": 6, "accuses whoever began": 2}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_and_shrunk(name: str, tmp_path: Path) -> None:
    """Down to two inputs and two faults, and the file that keeps them breaks the same promise again."""
    broken, invariants = BROKEN[name]
    scenario = of_the_shop(invoices=3, seed=SEEDS.get(name, 3))
    with broken():
        found = simulate(scenario)
        witness = shrink(scenario, found)
        Replay.of(witness).write(tmp_path / "witness.json")
        again = simulate(replayed(Replay.read(tmp_path / "witness.json"), scenario))

    assert invariants & {violation.invariant for violation in found.violations}
    assert witness.violation in again.violations
    assert again.happened == witness.faults
    assert len(witness.scenario.inputs) <= 2
    assert len(witness.faults) <= 2
    assert simulate(replayed(Replay.of(witness), scenario)).violations == ()
