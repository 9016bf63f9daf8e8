"""What a campaign came to: as a document, and as a person sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from msgspec import to_builtins
from rich.console import Console

from eachonce_workbench.simulator.bundle.campaign import Finding, Judged, kind_of
from eachonce_workbench.simulator.last import LastSimulation
from eachonce_workbench.simulator.permissions import together
from eachonce_workbench.simulator.replay import Replay
from eachonce_workbench.simulator.report import count, coverage_of, last_witness, say
from eachonce_workbench.simulator.simulation import Simulated
from eachonce_workbench.simulator.step_by_step import StepByStep

_MOST_WAYS = 8


def document(judged: Judged) -> dict[str, Any]:
    """Return a campaign as a JSON object: the same for the same bundle, inputs and seeds."""
    return {
        "verdict": judged.verdict,
        "inputs": [given.name for given in judged.inputs],
        "bounds": _bounds(judged),
        "broken": [_finding(each) for each in judged.broken],
        "exposed": [_finding(each) for each in judged.exposed],
        "denied": judged.denied,
        "inconclusive": judged.inconclusive,
        "not_compared": list(not_compared(judged)),
        "failing": list(judged.troubles),
        "refused": list(judged.refused),
        "rights": {
            function: sorted(f"{action} {name}" for action, name in rights)
            for function, rights in sorted(together(run.used for run in judged.all_runs).items())
        },
        "witness": None if judged.witness is None else to_builtins(Replay.of(judged.witness)),
    }


def replayed(replay: Replay, run: Simulated, recorded: StepByStep) -> dict[str, Any]:
    """Return a replay as a JSON object: which faults happened, and what they broke, step by step."""
    return {
        "verdict": "broken" if run.violations else "holds",
        "inputs": replay.inputs,
        "faults": list(run.happened),
        "broken": [str(violation) for violation in run.violations],
        **recorded.document(),
    }


def not_compared(judged: Judged) -> Iterator[str]:
    """Say, a line each, what of the bundle's doings no comparison was made of, though all else was judged."""
    if judged.calm is not None:
        yield from judged.calm.expectation.learned.uncompared()


def show_findings(console: Console, judged: Judged) -> None:
    """Print what is broken, and what would be, by what."""
    for word, findings in (("broken", judged.broken), ("exposed", judged.exposed)):
        for invariant, ways in groupby(findings, key=lambda each: each.violation.invariant):
            _show_promise(console, f"{word}: {invariant}", list(ways))


def show_verdict(console: Console, judged: Judged) -> None:
    """Print what AWS would refuse, what can't be said, and the line that says it all."""
    for line in _reservations(judged):
        say(console, line)
    say(console, summary(judged))


def last(judged: Judged, *, at: datetime, asked: Sequence[str], ok: bool) -> LastSimulation:
    """Return what is kept of a campaign; `asked` are the arguments that named its inputs."""
    return LastSimulation(
        at=at,
        asked=list(asked),
        summary=summary(judged),
        holds=ok,
        seeds=[scenario.seed for scenario, _ in judged.runs],
        inputs=len(judged.inputs),
        deliveries=sum(run.deliveries for run in judged.all_runs),
        faults=sum(len(run.happened) for run in judged.all_runs),
        coverage=coverage_of(judged.all_runs),
        broken=[f"{each.violation} ({_cause(each)})" for each in judged.broken],
        said=[*(f"exposed: {each.violation} ({_cause(each)})" for each in judged.exposed), *_reservations(judged)],
        witness=last_witness(judged.witness),
    )


def _reservations(judged: Judged) -> Iterator[str]:
    for word, lines in (
        ("denied", judged.denied),
        ("not compared", not_compared(judged)),
        ("inconclusive", judged.inconclusive),
    ):
        for line in lines:
            yield f"{word}: {line}"


def summary(judged: Judged) -> str:
    """Return the verdict in a line, with the bounds within which it is true."""
    bounds = _bounds(judged)
    looked = (
        f"{count(judged.inputs, 'input')}, {bounds['single_faults']:,} of {bounds['single_faults_offered']:,} faults "
        f"each alone, {count(judged.runs, 'run')} under {bounds['faults']} ones, {bounds['deliveries']:,} deliveries"
    )
    promises = {each.violation.invariant for each in judged.broken}
    words = {
        "broken": f"broken: {count(promises, 'promise')}"
        if promises
        else "broken: roles don't allow what functions do",
        "inconclusive": "inconclusive: nothing is wrong that was seen, and not all was seen",
        "holds": "holds: whatever went wrong, the same was left as when nothing does",
    }
    return f"{words[judged.verdict]}; {looked}"


def _show_promise(console: Console, heading: str, ways: Sequence[Finding]) -> None:
    say(console, heading)
    seen = None
    for way in ways[:_MOST_WAYS]:
        if way.violation.seen != seen:
            seen = way.violation.seen
            say(console, f"    {seen}")
        say(console, f"        {_cause(way)}")
    if len(ways) > _MOST_WAYS:
        say(console, f"        and in {len(ways) - _MOST_WAYS} more ways")


def _cause(way: Finding) -> str:
    manner = way.scenario.manner
    together_ = manner is not None and not manner.apart
    if not way.faults:
        return "without any fault, by inputs that come together"
    others = f", and {way.times - 1} more of its kind" if way.times > 1 else ""
    many = f" and {len(way.faults) - 1} more faults" if len(way.faults) > 1 else ""
    return f"by {way.faults[0]}{many}{', among others' if together_ else ''}{others}"


def _finding(each: Finding) -> Mapping[str, Any]:
    return {
        "promise": each.violation.invariant,
        "seen": each.violation.seen,
        "kind": kind_of(each.faults),
        "faults": list(each.faults),
        "times": each.times,
    }


def _bounds(judged: Judged) -> dict[str, Any]:
    return {
        "single_faults": judged.singles,
        "single_faults_offered": judged.offered,
        "faults": judged.faults,
        "seeds": [scenario.seed for scenario, _ in judged.runs],
        "deliveries": sum(run.deliveries for run in judged.all_runs),
    }
