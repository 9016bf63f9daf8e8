"""Witnesses: a bundle that counts once more what comes again, and what commands keep of proofs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eachonce_workbench.certify.examination import Bounds
from eachonce_workbench.certify.last import LastCertificate
from eachonce_workbench.certify.report import last
from eachonce_workbench.certify.verdict import Examined, Pair, Verdict
from eachonce_workbench.certify.witness import Cause, Witness, WitnessStep
from eachonce_workbench.simulator.last import LastSimulation, LastWitness
from eachonce_workbench.simulator.replay import Replay
from tests.simulation import strangers

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
ONE = (
    WitnessStep(told="e1", there={"Stock a": "{n: 1}"}),
    WitnessStep(told="e2", there={"Stock a": "{n: 2}", "Stock b": "{n: 1}"}),
)
OTHER = (
    WitnessStep(told="e2", there={"Stock a": "{n: 2}"}),
    WitnessStep(told="e1", there={"Stock a": "{n: 1}"}),
    WitnessStep(told="a copy of e1", there={"Stock a": "{n: 1}"}),
)


def write_doubling(folder: Path) -> Replay:
    """Write a bundle, and the witness that an answer which is lost doubles."""
    strangers.stranger(folder, strangers.COUNTS, messages=1)
    fault = "answer lost: Do UpdateItem Totals id=a #1"
    replay = Replay(broken="nothing is doubled", seed=0, inputs=["do/batch.json"], faults=[fault], apart=True)
    replay.write(folder / ".run" / "witness.json")
    return replay


def simulation(**named: Any) -> LastSimulation:
    """One of two calls that met some faults, in which every promise held."""
    told = {
        "at": NOW,
        "asked": [],
        "summary": "every promise holds: 1 run, 20 deliveries, 3 faults",
        "holds": True,
        "seeds": [7],
        "inputs": 2,
        "deliveries": 20,
        "faults": 3,
        "coverage": {"Do UpdateItem": {"late": 3, "throttled": 0}, "Do GetItem": {"throttled": 1}},
    }
    return LastSimulation(**{**told, **named})


def simulation_of(replay: Replay) -> LastSimulation:
    """The one that a witness is of."""
    told = LastWitness(broken=replay.broken, inputs=replay.inputs, faults=replay.faults)
    return simulation(summary="broken: 1 promise", holds=False, broken=[replay.broken], witness=told)


def witness(**named: Any) -> Witness:
    """Two orders with two endings."""
    told = {
        "cause": Cause.ORDER,
        "events": ("e1: A {}", "e2: A {}"),
        "types": ("A",),
        "one": "e1; e2",
        "other": "e2; e1; a copy of e1",
        "where": "Stock a, n",
        "one_value": "2",
        "other_value": "1",
        "one_steps": ONE,
        "other_steps": OTHER,
    }
    return Witness(**{**told, **named})


def certificate(*pairs: Pair, consumer: str = "stall") -> LastCertificate:
    """One of a consumer that depends on order."""
    found = pairs or (Pair("A", "A", Verdict.ORDER, witness()),)
    examined = Examined(consumer=consumer, ordered=False, code="c", types=("A",), pairs=found)
    return last([examined], Bounds(), ["app tried to connect"], at=NOW, asked=[])
