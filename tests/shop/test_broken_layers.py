"""A simulation sees what is wrong, and says how little it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eachonce_workbench.simulator.replay import Replay
from eachonce_workbench.simulator.shrink import Witness, shrink
from eachonce_workbench.simulator.simulation import Scenario, simulate
from tests.shop.scenarios import scenario as of_the_shop
from tests.simulation.wrong_layers import WrongLayer

# A few of the wrong layers; `make wrong-layers` tries all.
NAMES = ("a commit is blind", "everything is acknowledged", "a failure counts twice", "each add is one too many")
# Which rows share a batch is a matter of time, which fewer inputs change: not every seed's witness can be small.
SEEDS = range(8)


def replayed(replay: Replay, of: Scenario) -> Scenario:
    return replay.scenario(of.inputs, books=of.books, template=of.template)


def witnesses(wrong: WrongLayer) -> Iterator[tuple[Scenario, Witness]]:
    """Yield what breaks a promise that the layer is said to break, and the least that does, seed by seed."""
    for seed in SEEDS:
        scenario = of_the_shop(invoices=3, seed=seed)
        found = simulate(scenario)
        if {violation.invariant for violation in found.violations} & {*wrong.promises}:
            yield scenario, shrink(scenario, found)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_broken_is_found_and_shrunk(name: str, tmp_path: Path) -> None:
    """Down to two inputs and two faults, and the file that keeps them breaks the same promise again."""
    wrong = WrongLayer.read()[name]
    with wrong.in_place():
        scenario, witness = next(
            (scenario, witness)
            for scenario, witness in witnesses(wrong)
            if len(witness.scenario.inputs) <= 2 and len(witness.faults) <= 2
        )
        Replay.of(witness).write(tmp_path / "witness.json")
        again = simulate(replayed(Replay.read(tmp_path / "witness.json"), scenario))

    assert witness.violation in again.violations
    assert again.happened == witness.faults
    assert simulate(replayed(Replay.of(witness), scenario)).violations == ()
