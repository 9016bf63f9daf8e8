"""Two tenants, a consumer that keeps them apart, and traces, while everything goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.simulation import Scenario, Simulated, simulate
from tests.simulation.tenants import Cities, write_bundle

TRIPS = 12


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("cities") / "bikes")


def test_each_tenants_events_have_their_own_effects_and_traces(template: Path) -> None:
    """Each trip is counted once, in its own city, and is in the trace of the request that ended it."""
    books = Cities(TRIPS)

    run = simulate(Scenario(inputs=books.inputs(None, None), books=books, template=template, faults="heavy"))

    assert books.differences == []
    assert (run.violations, run.neighbours, run.denied) == ((), (), ())
    assert len(run.happened) > TRIPS
    assert run.consumers["CountArrivals"]["OverRate"] > 0


def test_a_fault_that_lasts_meets_all_tries_of_a_call(template: Path) -> None:
    """Until botocore gives up, and for longer; nobody is to blame for that."""

    def run(*only: str) -> Simulated:
        books = Cities(1)
        inputs = books.inputs(None, None)
        return simulate(Scenario(inputs=inputs, books=books, template=template, only=frozenset(only)))

    throttled = next(name for name in run().offered if name.startswith(f"{CallFault.THROTTLED}: committer.commit"))
    lasts = throttled.replace(CallFault.THROTTLED, DeliveryFault.CALL_LASTS)
    once, long = run(throttled), run(throttled, lasts)

    assert (once.happened, long.happened) == ((throttled,), (throttled, lasts))
    assert sum(once.call_faults.values()) == 1
    assert sum(long.call_faults.values()) >= 3
    assert long.violations == ()
