"""The oracle: a bundle itself, when nothing goes wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from eachonce_workbench.run.books import Books, Input, Outcome
from eachonce_workbench.run.reconciliation import Reconciliation
from eachonce_workbench.simulator.bundle.expectation import Expectation
from eachonce_workbench.simulator.bundle.learned import learn
from eachonce_workbench.simulator.manner import Manner
from eachonce_workbench.simulator.simulation import Scenario, Simulated, simulate
from eachonce_workbench.template.journal import JOURNAL_VARIABLE
from eachonce_workbench.template.topology import Topology

_NOTHING: frozenset[str] = frozenset()
# Another date in each of its parts; and inputs as far from each other that no two are of one day.
_ANOTHER_TIME = datetime(2027, 3, 18, 13, 47, 59, 123_457, tzinfo=UTC)
_ANOTHER_PACE_SECONDS = 26 * 3_600.0 + 61.0
_ANOTHER_CHANCE = 1_000_003
# What isn't done by then, with nothing gone wrong, never will be.
_PATIENCE_SECONDS = 6 * 3_600.0

_ALONE = Manner(apart=True, patience_seconds=_PATIENCE_SECONDS)
_AT_ANOTHER_TIME = replace(_ALONE, start=_ANOTHER_TIME, pause_seconds=_ANOTHER_PACE_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """What comes of inputs when nothing goes wrong: the run, and what is to be expected of each other one."""

    run: Simulated
    expectation: Expectation


class Own:
    """Books that judge nothing: the bundle's own have the template's parameters, where it has any."""

    def __init__(self, books: Books | None = None) -> None:
        self._books = books

    def parameters(self, folder: Path) -> Mapping[str, str]:
        """Return what the bundle's books say; none without them."""
        return {} if self._books is None else self._books.parameters(folder)

    def inputs(self, source: Path | None, limit: int | None) -> Sequence[Input]:  # noqa: ARG002 - as Books have it
        """Return none: they come from elsewhere."""
        return ()

    def reconcile(self, inputs: Sequence[Input], outcome: Outcome) -> Reconciliation | None:  # noqa: ARG002 - as Books
        """Return None: the oracle judges."""
        return None


class Oracle:
    """Says what must come of a bundle's inputs: it runs them, each once, in order and alone."""

    def __init__(self, template: Path, topology: Topology, *, books: Books | None = None, seed: int = 0) -> None:
        """Take the bundle, and what its own books know of parameters."""
        self._scenario = Scenario(inputs=(), books=Own(books), template=template, seed=seed, only=_NOTHING)
        self._known: dict[tuple[str, ...], Calm] = {}
        self.layered = _has_journals(topology)

    def calm(self, inputs: Sequence[Input], run: Simulated | None = None) -> Calm:
        """Return what comes of inputs, none of which fails by itself; `run` is the first run, where there was one."""
        names = tuple(given.name for given in inputs)
        if names not in self._known:
            first = self.run(inputs) if run is None else run
            by_chance = self._run(inputs, seed=self._scenario.seed + _ANOTHER_CHANCE)
            by_clock = self._run(inputs, manner=_AT_ANOTHER_TIME)
            learned = learn(first.left, by_chance=by_chance.left, by_clock=by_clock.left)
            self._known[names] = Calm(run=first, expectation=Expectation(learned))
        return self._known[names]

    def run(self, inputs: Sequence[Input]) -> Simulated:
        """Run inputs once, with nothing gone wrong."""
        return self._run(inputs)

    def scenario(self, inputs: Sequence[Input], *, apart: bool) -> Scenario:
        """Return the scenario of these inputs, one by one or together, in which nothing goes wrong, and its judge."""
        manner = Manner(apart=apart, layered=self.layered)
        return replace(self._scenario, inputs=inputs, manner=manner, judge=self.calm(inputs).expectation)

    def prepared(self, scenario: Scenario) -> Scenario:
        """Return a scenario that is judged by what must come of its own inputs."""
        return replace(scenario, judge=self.calm(scenario.inputs).expectation)

    def _run(self, inputs: Sequence[Input], *, seed: int | None = None, manner: Manner = _ALONE) -> Simulated:
        calm = replace(self._scenario, inputs=inputs, manner=manner)
        return simulate(calm if seed is None else replace(calm, seed=seed))


def _has_journals(topology: Topology) -> bool:
    """Whether the layer keeps the journal of every function that handles messages or publishes by itself."""
    read = {mapping.function for mapping in topology.queue_mappings}
    streams = {mapping.function for mapping in topology.stream_mappings}
    others = [each for each in topology.functions if each.logical_id not in streams]
    return bool(read) and all(JOURNAL_VARIABLE in each.environment for each in others)
