"""What simulations came to: as a document, and as a person sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Sized
from datetime import datetime
from typing import Any

from msgspec import to_builtins
from rich.console import Console
from rich.table import Table

from eachonce_workbench.cloud.faults.fault import CallFault, all_faults
from eachonce_workbench.simulator.coverage import Met, missed, sites, times, together
from eachonce_workbench.simulator.last import LastSimulation, LastWitness, coverage
from eachonce_workbench.simulator.permissions import together as needed
from eachonce_workbench.simulator.replay import Replay
from eachonce_workbench.simulator.shrink import Witness
from eachonce_workbench.simulator.simulation import Scenario, Simulated
from eachonce_workbench.simulator.step_by_step import StepByStep

_MOST_SHOWN = 20


def document(
    scenarios: Sequence[Scenario],
    runs: Sequence[Simulated],
    witness: Witness | None = None,
    *,
    replayed: StepByStep | None = None,
) -> dict[str, Any]:
    """Return all runs as a JSON object, the same of the same seeds and code; a replay says what happened, in order."""
    met = together(run.call_faults for run in runs)
    return {
        "runs": [_run(scenario, run) for scenario, run in zip(scenarios, runs, strict=True)],
        "coverage": {
            site: {str(fault): count for fault in CallFault if (count := times(met, site, fault)) is not None}
            for site in sites()
        },
        "missed": missed(met),
        "denied": sorted({line for run in runs for line in run.denied}),
        "rights": {
            function: sorted(f"{action} {name}" for action, name in rights)
            for function, rights in sorted(needed(run.used for run in runs).items())
        },
        "witness": None if witness is None else to_builtins(Replay.of(witness)),
        **({} if replayed is None else {"faults": list(runs[0].happened), **replayed.document()}),
    }


def show_run(console: Console, seed: int, run: Simulated) -> None:
    """Print what did not hold in a run, and the line that says it all."""
    for violation in run.violations[:_MOST_SHOWN]:
        say(console, f"broken: {violation}")
    for line in run.refused:
        say(console, line)
    say(
        console,
        f"seed {seed}: {run.reconciliation or 'no books'}; "
        f"{run.deliveries:,} deliveries, {len(run.happened):,} faults, "
        f"{len(run.violations)} promises broken; {run.virtual_seconds / 3600:.1f} hours in {run.seconds:.1f} seconds, "
        f"{run.deliveries / run.seconds:.0f} deliveries a second",
    )


def show_missed(console: Console, met: Met) -> None:
    """Print in a line how many calls of the layer never met one of their faults."""
    if never := len(missed(met)):
        say(console, f"{never} of {len(all_faults())} pairs of call and fault never met; --cover lists them")


def show_coverage(console: Console, met: Met) -> None:
    """Print how often each call of the layer met each fault, and which it never met."""
    table = Table(title="call x fault: times", title_justify="left", box=None)
    table.add_column("call", no_wrap=True)
    for fault in CallFault:
        table.add_column(fault, justify="right", width=max(map(len, fault.split())))
    for site in sites():
        counts = (times(met, site, fault) for fault in CallFault)
        table.add_row(site, *("" if count is None else str(count) for count in counts))
    console.print(table)
    for pair in missed(met):
        say(console, f"never met: {pair}")


def show_verdict(console: Console, runs: Sequence[Simulated], *, uncovered: int = 0) -> None:
    """Print what could not be checked, what AWS would refuse, and the line that says whether all the rest holds."""
    for line in _reservations(runs):
        say(console, line)
    say(console, summary(runs, uncovered=uncovered))


def summary(runs: Sequence[Simulated], *, uncovered: int = 0) -> str:
    """Return whether every promise holds, in a line."""
    broken = sum(len(run.violations) for run in runs)
    denied = any(run.denied for run in runs)
    deliveries, faults = sum(run.deliveries for run in runs), sum(len(run.happened) for run in runs)
    what = (
        "every promise that could be checked holds" if any(run.inconclusive for run in runs) else "every promise holds"
    )
    verdicts = (
        (broken, f"{broken} promises broken"),
        (denied, "roles don't allow what functions do"),
        (uncovered, f"{uncovered} faults never met"),
    )
    verdict = next((words for wrong, words in verdicts if wrong), what)
    return f"{verdict}: {count(runs, 'run')}, {deliveries:,} deliveries, {faults:,} faults"


def last(
    scenarios: Sequence[Scenario],
    runs: Sequence[Simulated],
    witness: Witness | None = None,
    *,
    at: datetime,
    asked: Sequence[str],
    uncovered: int = 0,
) -> LastSimulation:
    """Return what is kept of all runs; `asked` are the arguments that named their inputs."""
    refused = dict.fromkeys(line for run in runs for line in run.refused)
    return LastSimulation(
        at=at,
        asked=list(asked),
        summary=summary(runs, uncovered=uncovered),
        holds=not uncovered and not any(run.violations or run.denied for run in runs),
        seeds=[scenario.seed for scenario in scenarios],
        inputs=max(len(scenario.inputs) for scenario in scenarios),
        deliveries=sum(run.deliveries for run in runs),
        faults=sum(len(run.happened) for run in runs),
        coverage=coverage_of(runs),
        broken=[str(violation) for run in runs for violation in run.violations],
        said=[*_reservations(runs), *refused],
        witness=last_witness(witness),
    )


def coverage_of(runs: Sequence[Simulated]) -> dict[str, dict[str, int]]:
    """Return how often each call, of the layer and of functions themselves, met each fault in all runs."""
    calls = {site: 1 for run in runs for site, times in run.calls.items() if times}
    return coverage(sites(), calls, together(run.call_faults for run in runs))


def last_witness(witness: Witness | None) -> LastWitness | None:
    """Return what is kept of a witness."""
    if witness is None:
        return None
    inputs = [given.name for given in witness.scenario.inputs]
    return LastWitness(broken=str(witness.violation), inputs=inputs, faults=list(witness.faults))


def _reservations(runs: Sequence[Simulated]) -> Iterable[str]:
    """Return what could not be checked, and what AWS would refuse, a line each."""
    inconclusive = dict.fromkeys(line for run in runs for line in run.inconclusive)
    denied = dict.fromkeys(line for run in runs for line in run.denied)
    return [*(f"inconclusive: {line}" for line in inconclusive), *(f"denied: {line}" for line in denied)]


def show_faults(console: Console, faults: Sequence[str]) -> None:
    """Print faults as a numbered list."""
    for number, fault in enumerate(faults, start=1):
        say(console, f"{number:>4}  {fault}")


def show_witness(console: Console, witness: Witness, command: str) -> None:
    """Print the least that breaks a promise, and the command that shows it again."""
    inputs = [given.name for given in witness.scenario.inputs]
    least = (
        f"the least that breaks it, after {witness.runs} more simulations: "
        f"{count(witness.faults, 'fault')} on {count(inputs, 'input')}, {', '.join(inputs)}"
    )
    for line in ("", f"broken: {witness.violation}", least):
        say(console, line)
    show_faults(console, witness.faults)
    say(console, f"again: {command}")


def say(console: Console, line: str) -> None:
    """Print a line as it is, however long."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def count(things: Sized, name: str) -> str:
    """Return how many things of a name there are, in words."""
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _run(scenario: Scenario, run: Simulated) -> dict[str, Any]:
    return {
        "seed": scenario.seed,
        "faults": scenario.faults,
        "inputs": len(scenario.inputs),
        "reconciliation": None if run.reconciliation is None else run.reconciliation.as_dict(),
        "violations": [str(violation) for violation in run.violations],
        "neighbours": list(run.neighbours),
        "missing": list(run.missing),
        "refused": list(run.refused),
        "inconclusive": list(run.inconclusive),
        "consumers": {name: dict(counts) for name, counts in run.consumers.items()},
        "happened": dict(Counter(name.partition(":")[0] for name in run.happened)),
        "deliveries": run.deliveries,
        "virtual_seconds": round(run.virtual_seconds, 1),
    }
