"""A simulation sees what is wrong, and says how little it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.simulator.replay import Replay
from eachonce_workbench.simulator.shrink import shrink
from eachonce_workbench.simulator.simulation import Scenario, simulate
from tests.shop.scenarios import scenario as of_the_shop
from tests.simulation.wrong_layers import WrongLayer

# A few of the wrong layers, each with a seed that finds it; `make wrong-layers` tries all. Which rows share a batch is
# a matter of time, which fewer inputs change, so not every seed's witness can be small.
SEEDS = {
    "a commit is blind": 3,
    "everything is acknowledged": 0,
    "a failure counts twice": 3,
    "the first of a batch is relayed": 3,
    "what another began is a copy": 4,
    "each add is one too many": 3,
}


def replayed(replay: Replay, of: Scenario) -> Scenario:
    return replay.scenario(of.inputs, books=of.books, template=of.template)


@pytest.mark.parametrize("name", SEEDS)
def test_what_is_broken_is_found_and_shrunk(name: str, tmp_path: Path) -> None:
    """Down to two inputs and two faults, and the file that keeps them breaks the same promise again."""
    wrong, scenario = WrongLayer.read()[name], of_the_shop(invoices=3, seed=SEEDS[name])
    with wrong.in_place():
        found = simulate(scenario)
        witness = shrink(scenario, found)
        Replay.of(witness).write(tmp_path / "witness.json")
        again = simulate(replayed(Replay.read(tmp_path / "witness.json"), scenario))

    assert {violation.invariant for violation in found.violations} & {*wrong.promises}
    assert witness.violation in again.violations
    assert again.happened == witness.faults
    assert len(witness.scenario.inputs) <= 2
    assert len(witness.faults) <= 2
    assert simulate(replayed(Replay.of(witness), scenario)).violations == ()
