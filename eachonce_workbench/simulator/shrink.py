"""Shrinking: the fewest faults, on the fewest inputs, after which an invariant still does not hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from eachonce_workbench.run.books import Input
from eachonce_workbench.run.sending import SendingError
from eachonce_workbench.simulator.simulation import Scenario, Simulated, simulate
from eachonce_workbench.simulator.watch import Violation

T = TypeVar("T")

# Each is a simulation; the last ones are of few invoices, and take a tenth of a second.
_MOST_RUNS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A scenario that breaks an invariant, with nothing in it that could be left out; `runs` were needed to find it."""

    scenario: Scenario
    violation: Violation
    faults: tuple[str, ...]
    runs: int


def shrink(
    scenario: Scenario,
    found: Simulated,
    *,
    told: Callable[[Witness], None] = lambda _: None,
    prepare: Callable[[Scenario], Scenario] = lambda scenario: scenario,
    most: int = _MOST_RUNS,
) -> Witness:
    """Return the smallest witness of the first violation that was `found`.

    `told` hears of each that is smaller than the last. `prepare` makes ready what is simulated: what must come of fewer
    inputs may be something else. After `most` runs the smallest so far is returned.
    """
    return _Search(scenario, found, told, prepare, most).smallest()


def fewest(things: Sequence[T], enough: Callable[[Sequence[T]], bool]) -> list[T]:
    """Return a part of `things` that is still enough, and of which none can be left out alone.

    The complements of ddmin: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002).
    """
    left, parts = list(things), 1
    while left:
        size = -(-len(left) // parts)
        for start in range(0, len(left), size):
            rest = left[:start] + left[start + size :]
            if enough(rest):
                left, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(len(left), 2 * parts)
    return left


def _about(witness: Witness) -> list[str]:
    """Return the faults that happened to what is broken: a guess, and often a good one."""
    named = [word for word in re.split(r"[\s#:]+", witness.violation.seen) if any(map(str.isdigit, word))]
    return [fault for fault in witness.faults if any(word in fault for word in named if len(word) > 4)]


class _Search:
    def __init__(
        self,
        scenario: Scenario,
        found: Simulated,
        told: Callable[[Witness], None],
        prepare: Callable[[Scenario], Scenario],
        most: int,
    ) -> None:
        self._whole = scenario
        self._told = told
        self._prepare = prepare
        self._most = most
        self._runs = 0
        self._best = Witness(scenario=scenario, violation=found.violations[0], faults=found.happened, runs=0)

    def smallest(self) -> Witness:
        self._from_the_start()
        self._breaks(self._inputs(), _about(self._best))
        before = None
        while self._best is not before:
            before = self._best
            # The faults first: with all of them, one input fewer and everything goes another way.
            fewest(self._best.faults, lambda faults: self._breaks(self._inputs(), faults))
            fewest(self._inputs(), lambda inputs: self._breaks(inputs, self._best.faults))
        return replace(self._best, runs=self._runs)

    def _from_the_start(self) -> None:
        """Take as many inputs from the start as it needs, with all faults of the seed.

        The first inputs fare as they do among all, up to the moment when the next one would have come.
        """
        inputs, count = self._inputs(), 1
        while count < len(inputs) and not self._breaks(inputs[:count], None):
            count *= 2

    def _inputs(self) -> Sequence[Input]:
        return self._best.scenario.inputs

    def _breaks(self, inputs: Sequence[Input], faults: Sequence[str] | None) -> bool:
        """Whether the invariant is broken with these; if so, they are the best so far."""
        if self._runs == self._most:
            return False
        self._runs += 1
        only = None if faults is None else frozenset(faults)
        scenario = self._prepare(replace(self._whole, inputs=inputs, only=only))
        try:
            run = simulate(scenario)
        except SendingError:
            return False
        for violation in run.violations:
            if violation.invariant == self._best.violation.invariant:
                # Of the faults that may happen, some have no occasion any more.
                self._best = Witness(scenario=scenario, violation=violation, faults=run.happened, runs=self._runs)
                self._told(self._best)
                return True
        return False
