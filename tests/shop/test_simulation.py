"""Whole simulations: the same every time, without a broken promise, and fair to whoever is simulated."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from dataclasses import replace

import pytest

from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.left import Left
from eachonce_workbench.simulator.simulation import Simulated, simulate
from tests.shop.place import ROOT
from tests.shop.scenarios import scenario


def told(run: Simulated) -> object:
    """Return all that a run says of itself but how long it took, what else could have happened, and ciphertexts."""
    return replace(run, seconds=0.0, offered=(), left=Left())


def test_without_faults_nothing_happens_but_the_shop() -> None:
    """All orders are in the books, and no fault is said to have happened."""
    run = simulate(scenario(faults="none"))

    assert str(run.reconciliation) == "10 orders, 0 lost, 0 doubled, 0 different, 0 refused"
    assert (run.violations, run.neighbours, run.missing, run.happened) == ((), (), (), ())
    assert run.deliveries > 40
    assert run.virtual_seconds > 200


@pytest.mark.parametrize("faults", ["light", "heavy"])
def test_every_promise_holds(faults: str) -> None:
    """Whatever goes wrong."""
    run = simulate(scenario(invoices=8, faults=faults))

    assert run.violations == ()
    assert run.happened != ()


def test_the_same_seed_is_the_same_run_to_the_letter() -> None:
    """Each fault, each call, each moment; another seed is another run."""
    first, again, other = (simulate(scenario(invoices=3, seed=seed)) for seed in (3, 3, 4))

    assert told(first) == told(again)
    assert first.happened != other.happened


def test_the_same_seed_is_the_same_report_in_another_process() -> None:
    """To the byte, wherever objects lie, however sets are ordered, however long it takes, and whatever ran before."""
    program = """if True:
        import json
        import sys
        from eachonce_workbench.simulator.report import document
        from eachonce_workbench.simulator.simulation import simulate
        from tests.shop.scenarios import scenario
        given = scenario(invoices=2)
        for seed in range(int(sys.argv[1])):
            simulate(scenario(invoices=2, seed=seed + 1))
        run = simulate(given)
        print(json.dumps(document([given], [run])), run.happened, sorted(run.calls.items()), run.reconciliation)
    """
    reports = {
        subprocess.run(
            [sys.executable, "-c", program, before],
            env=os.environ | {"PYTHONHASHSEED": before, "PYTHONPATH": str(ROOT / "layers" / "contracts")},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for before in ("0", "1")
    }

    assert len(reports) == 1


def test_what_happened_can_be_made_to_happen_again() -> None:
    """All of it, and nothing else: a run of the faults of another one is that run."""
    whole = simulate(scenario(invoices=3, seed=5))

    again = simulate(replace(scenario(invoices=3, seed=5), only=frozenset(whole.happened)))

    assert told(again) == told(whole)


def test_one_fault_can_be_picked_out() -> None:
    """The others don't happen, and this one does, where it did."""
    whole = simulate(scenario(seed=6))
    failed = tuple(f"{DeliveryFault.HANDLER_FAILED}: {name} " for name in ("ReserveStock", "TallySales"))
    picked = next(name for name in whole.happened if name.startswith(failed) and name.endswith("#1"))

    run = simulate(replace(scenario(seed=6), only=frozenset({picked})))

    assert run.happened == (picked,)
    assert run.violations == ()
    assert sum(counts["Retried"] for counts in run.consumers.values()) == 1


def test_a_simulation_leaves_nothing_behind() -> None:
    """What it put in Python's place is gone, and the next one starts from nothing."""
    before, state = (time.sleep, uuid.uuid4, sys.stdout, dict(os.environ)), random.getstate()

    simulate(scenario(invoices=2))

    assert (time.sleep, uuid.uuid4, sys.stdout, dict(os.environ)) == before
    assert random.getstate() == state
