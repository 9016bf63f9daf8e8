"""The campaign: each fault by itself, then many at once, and what came of it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from eachonce_workbench.run.books import Input
from eachonce_workbench.run.progress import Progress
from eachonce_workbench.simulator.bundle.oracle import Calm, Oracle
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.shrink import Witness, shrink
from eachonce_workbench.simulator.simulation import Scenario, Simulated, simulate
from eachonce_workbench.simulator.watch import Violation

_MOST_SHRINKING_RUNS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is tried: at most so many `singles` in each of the two manners, and `faults` at once for each seed."""

    singles: int = 100
    seeds: Sequence[int] = (0,)
    faults: str = "heavy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A promise that is broken, by which faults, and how many of the same kind break it."""

    violation: Violation
    faults: tuple[str, ...]
    scenario: Scenario
    run: Simulated
    times: int = 1

    @property
    def is_exposure(self) -> bool:
        """Whether it takes a message that ends whoever reads it, which none of the bundle's own does."""
        return any(fault.startswith(DeliveryFault.POISON_KILLS) for fault in self.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a campaign came to.

    `calm` is None where no input comes to anything by itself. `singles` of `offered` faults were tried by themselves;
    `runs` are those under many faults. `idle` are functions that nothing reached.
    """

    inputs: Sequence[Input]
    calm: Calm | None
    findings: Sequence[Finding] = ()
    witness: Witness | None = None
    failed: dict[str, str] = field(default_factory=dict)
    troubles: Sequence[str] = ()
    refused: Sequence[str] = ()
    idle: Sequence[str] = ()
    faults: str = "none"
    singles: int = 0
    offered: int = 0
    runs: Sequence[tuple[Scenario, Simulated]] = ()
    all_runs: Sequence[Simulated] = ()

    @property
    def denied(self) -> list[str]:
        """What functions did that their roles don't allow, a line each."""
        return sorted({line for run in self.all_runs for line in run.denied})

    @property
    def inconclusive(self) -> list[str]:
        """Say, a line each, what no verdict can be given of."""
        return list(_inconclusive(self))

    @property
    def broken(self) -> list[Finding]:
        """What is broken, by promises: what the fewest faults break first."""
        return sorted((each for each in self.findings if not each.is_exposure), key=_by_promise)

    @property
    def exposed(self) -> list[Finding]:
        """What a message that ends its worker would do to others, likewise."""
        return sorted((each for each in self.findings if each.is_exposure), key=_by_promise)

    @property
    def verdict(self) -> str:
        """Return "broken", "inconclusive" or "holds"."""
        if self.broken or self.denied:
            return "broken"
        return "inconclusive" if self.inconclusive else "holds"


def campaign(
    oracle: Oracle, inputs: Sequence[Input], *, functions: Sequence[str], bounds: Bounds, progress: Progress
) -> Judged:
    """Run a bundle's inputs under every single fault, and under many at once for each seed, and judge what is left."""
    return _Campaign(oracle, functions, bounds, progress).judged(inputs)


class _Campaign:
    def __init__(self, oracle: Oracle, functions: Sequence[str], bounds: Bounds, progress: Progress) -> None:
        self._oracle = oracle
        self._functions = functions
        self._bounds = bounds
        self._progress = progress
        self._found: dict[tuple[str, str], Finding] = {}
        self._times: Counter[tuple[str, str]] = Counter()
        self._all: list[Simulated] = []
        self._offered = 0

    def judged(self, inputs: Sequence[Input]) -> Judged:
        self._progress.about("without faults")
        taken, failed, first = self._taken(inputs)
        if not taken:
            return Judged(
                inputs=taken,
                calm=None,
                failed=failed,
                troubles=first.troubles,
                refused=first.refused,
                all_runs=self._all,
            )
        calm = self._oracle.calm(taken, first)
        self._all.append(calm.run)
        singles = 0 if self._bounds.faults == "none" else self._singles(taken, apart=True)
        singles += self._singles(taken, apart=False)
        runs = list(self._many(taken))
        findings = [replace(each, times=self._times[key]) for key, each in self._found.items()]
        return Judged(
            inputs=taken,
            calm=calm,
            findings=findings,
            witness=self._witness(findings),
            failed=failed,
            troubles=first.troubles,
            refused=sorted({line for run in self._all for line in run.refused}),
            idle=[name for name in self._functions if name not in calm.run.ran],
            faults=self._bounds.faults,
            singles=singles,
            offered=self._offered,
            runs=runs,
            all_runs=self._all,
        )

    def _taken(self, inputs: Sequence[Input]) -> tuple[list[Input], dict[str, str], Simulated]:
        """Return the inputs of which something comes when nothing goes wrong, and why of the others nothing does."""
        left = list(inputs)
        failed: dict[str, str] = {}
        while True:
            run = self._oracle.run(left)
            if not run.failed:
                return left, failed, run
            failed.update(run.failed)
            left = [given for given in left if given.name not in run.failed]
            if not left:
                return left, failed, run

    def _singles(self, inputs: Sequence[Input], *, apart: bool) -> int:
        """Let each fault happen by itself that there is an occasion for; return how many did."""
        scenario = self._oracle.scenario(inputs, apart=apart)
        calm = self._simulated(scenario)
        self._note(scenario, calm)
        offered = [] if self._bounds.faults == "none" else list(dict.fromkeys(calm.offered))
        chosen = spread(offered)[: self._bounds.singles]
        self._offered += len(offered)
        self._progress.about("one fault" if apart else "one fault, all together")
        for done, fault in enumerate(chosen, start=1):
            single = replace(scenario, only=frozenset({fault}))
            self._note(single, self._simulated(single))
            self._progress.tried(done, len(chosen))
        return len(chosen)

    def _many(self, inputs: Sequence[Input]) -> Iterator[tuple[Scenario, Simulated]]:
        """Let many faults happen at once, for each seed; what they break that none breaks alone is shrunk."""
        for seed in self._bounds.seeds if self._bounds.faults != "none" else ():
            self._progress.about(f"seed {seed}")
            calm = self._oracle.scenario(inputs, apart=False)
            scenario = replace(calm, seed=seed, faults=self._bounds.faults, only=None)
            run = self._simulated(scenario)
            self._note_many(scenario, run)
            yield scenario, run

    def _simulated(self, scenario: Scenario) -> Simulated:
        run = simulate(scenario)
        self._all.append(run)
        return run

    def _note(self, scenario: Scenario, run: Simulated) -> None:
        for violation in run.violations:
            key = violation.invariant, kind_of(run.happened)
            self._times[key] += 1
            if key not in self._found:
                self._found[key] = Finding(violation=violation, faults=run.happened, scenario=scenario, run=run)

    def _note_many(self, scenario: Scenario, run: Simulated) -> None:
        known = {invariant for (invariant, _), found in self._found.items() if not found.is_exposure}
        for violation in run.violations:
            if violation.invariant in known:
                continue
            known.add(violation.invariant)
            witness = self._shrunk(scenario, replace(run, violations=(violation,)))
            finding = Finding(violation=witness.violation, faults=witness.faults, scenario=witness.scenario, run=run)
            key = violation.invariant, kind_of(witness.faults)
            self._found[key] = finding
            self._times[key] += 1

    def _witness(self, findings: Sequence[Finding]) -> Witness | None:
        """Return the smallest witness of what is worst: what the fewest faults do."""
        broken = [each for each in findings if not each.is_exposure]
        if not broken:
            return None
        worst = min(broken, key=lambda each: len(each.faults))
        return self._shrunk(worst.scenario, replace(worst.run, violations=(worst.violation,)))

    def _shrunk(self, scenario: Scenario, run: Simulated) -> Witness:
        self._progress.about("looking for the fewest faults")
        return shrink(scenario, run, prepare=self._oracle.prepared, most=_MOST_SHRINKING_RUNS)


def _by_promise(finding: Finding) -> tuple[str, int]:
    return finding.violation.invariant, len(finding.faults)


_PLACE = re.compile(r"^([^:]+: \S+ [A-Z]\w+)")


def kind_of(faults: Iterable[str]) -> str:
    """Return which kind of thing went wrong: a fault, at whose call.

    >>> kind_of(["killed after: Lend PutItem Loans book=a #1"])
    'killed after: Lend PutItem'
    >>> kind_of(["message overtaken: a message #3"])
    'message overtaken'
    """
    kinds = (_PLACE.match(fault) for fault in faults)
    return "; ".join(
        found[1] if found is not None else fault.partition(":")[0] for found, fault in zip(kinds, faults, strict=True)
    )


def spread(faults: Sequence[str]) -> list[str]:
    """Return faults so that each kind comes early: first one of each, then a second one of each, and so on."""
    seen: Counter[str] = Counter()
    turns: dict[int, list[str]] = defaultdict(list)
    for fault in faults:
        kind = kind_of([fault])
        turns[seen[kind]].append(fault)
        seen[kind] += 1
    return [fault for turn in sorted(turns) for fault in turns[turn]]


def _inconclusive(judged: Judged) -> Iterator[str]:
    if judged.calm is None:
        yield "no input comes to anything, with nothing gone wrong: nothing was judged"
    for name, why in sorted(judged.failed.items()):
        yield f"{name} is left out, since it fails with nothing gone wrong: {why}"
    if judged.calm is None:
        return
    yield from (f"{name} did nothing: no input reaches it" for name in judged.idle)
    learned = judged.calm.expectation.learned
    if not any(sheet.things for part in (learned.rows, learned.sent, learned.effects) for sheet in part.values()):
        yield "nothing is left that others could see: no row, no message, no event, and nobody was asked for anything"
    for line in learned.uncompared():
        if "how many there are" in line:
            yield line
    yield from (f"{line}: what would have come of it is not judged" for line in judged.refused)
