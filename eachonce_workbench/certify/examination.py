"""The examination of a consumer: its handlers one by one, then every two types of its events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations, combinations_with_replacement
from typing import Any

from eachonce import Event
from eachonce.handler import Handler
from eachonce.journal import TABLE

from eachonce_workbench.certify.crowd import Crowd, crowds
from eachonce_workbench.certify.exploration import Count, Exploration
from eachonce_workbench.certify.footprint import Footprint
from eachonce_workbench.certify.probe import Probe
from eachonce_workbench.certify.run import Run
from eachonce_workbench.certify.stage import Stage
from eachonce_workbench.certify.subject import Subject
from eachonce_workbench.certify.verdict import Contacts, Examined, Pair, Verdict
from eachonce_workbench.certify.witness import Cause, Witness, contradiction


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far the examination goes: `crowds` of `events` events for every two types, up to `faults` faults each."""

    events: int = 3
    faults: int = 1
    crowds: int = 8
    seed: int = 0


Tell = Callable[[str], None]


def examine(subject: Subject, bounds: Bounds, tell: Tell = lambda _: None) -> Examined:
    """Examine one consumer; `tell` is told of each step. Raises NoSampleError where events can't be made up."""
    handlers, isolated = subject.consumer.handlers, subject.isolated_by is not None
    drawn = [
        ((one.description.type, other.description.type), _crowds(one, other, bounds, isolated=isolated))
        for one, other in combinations_with_replacement(handlers, 2)
    ]
    examination = Examination(subject, faults=bounds.faults)
    with examination.stage.open():
        for (one, other), some in drawn:
            tell(f"{subject.name}: {one} and {other}, every order")
            for events in some:
                examination.order(events)
        tell(f"{subject.name}: its handlers alone")
        examination.probe()
        for (one, other), some in drawn:
            tell(f"{subject.name}: {one} and {other}, every fault")
            for events in some:
                examination.harm(events)
    return examination.result()


def _crowds(one: Handler, other: Handler, bounds: Bounds, *, isolated: bool) -> list[Crowd]:
    """Return the crowds for two types; each type has the majority in half of them."""
    if one is other:
        return crowds([one], size=bounds.events, count=bounds.crowds, chosen_by=bounds.seed, isolated=isolated)
    half = bounds.crowds // 2
    draw = partial(crowds, size=bounds.events, chosen_by=bounds.seed, isolated=isolated)
    return [*draw([one, other], count=bounds.crowds - half), *draw([other, one], count=half)]


@dataclass(slots=True)
class Examination:
    """What is found out about a consumer, step by step: orders, then handlers alone, then faults."""

    subject: Subject
    faults: int
    stage: Stage = field(init=False)
    count: Count = field(default_factory=Count)
    unsound: dict[str, Witness] = field(default_factory=dict)
    witnesses: dict[frozenset[str], Witness] = field(default_factory=dict)
    _contacts: dict[frozenset[str], Contacts] = field(default_factory=lambda: defaultdict(Contacts))
    _runs: list[Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage = Stage(
            self.subject.consumer,
            keys=self.subject.keys,
            environment=self.subject.environment,
            isolated_by=self.subject.isolated_by,
        )

    def order(self, events: Sequence[Event[Any]]) -> None:
        """Try every order of some events, and note what their handlers did and where they met."""
        self.stage.clear()
        exploration = Exploration(self.stage, events)
        for _ in exploration.schedules():
            pass
        self.count.add(exploration.count)
        self._runs += exploration.runs
        self._meet(events, exploration)

    def probe(self) -> None:
        """Look at each handler alone."""
        external = frozenset(name for name in self._types() if self.subject.consumer[name].external)
        probe = Probe(self.stage, external=external)
        for name in self._types():
            runs = [run for run in self._runs if run.event.type == name]
            found = probe.finding(runs, self._runs, faults=self.faults)
            if found is not None:
                self.unsound[name] = found
        self._runs.clear()

    def harm(self, events: Sequence[Event[Any]]) -> None:
        """Try every order with every fault, unless a handler is unsound: then no two schedules can be compared."""
        types = frozenset(event.type for event in events)
        if types & self.unsound.keys() or types in self.witnesses:
            return
        found = self._contradicted(events)
        if found is None or types == frozenset(found.types):
            return
        for few in combinations(events, 2):  # one of the types contradicts itself: do the two contradict each other?
            if types == frozenset(event.type for event in few) and self._contradicted(few) is not None:
                return

    def _contradicted(self, events: Sequence[Event[Any]]) -> Witness | None:
        self.stage.clear()
        count = Count()
        found = contradiction(self.stage, events, faults=self.faults, count=count)
        self.count.add(replace(count, orders=0, orders_pruned=0))  # which were counted when they were first tried
        if found is not None and found.cause is Cause.COPY and len(found.types) == 1:
            self.unsound.setdefault(found.types[0], found)
        elif found is not None:
            self.witnesses.setdefault(frozenset(found.types), found)
        return found

    def result(self) -> Examined:
        """Return the verdict on every two types."""
        return Examined(
            consumer=self.subject.name,
            ordered=self.subject.ordered,
            code=self.subject.code,
            types=self._types(),
            pairs=tuple(self._pair(one, other) for one, other in combinations_with_replacement(self._types(), 2)),
            count=self.count,
            refused=self.stage.refusals.lines(),
        )

    def _pair(self, one: str, other: str) -> Pair:
        for name in (one, other):
            if name in self.unsound:
                return Pair(one, other, Verdict.UNSOUND, self.unsound[name])
        types = frozenset({one, other})
        witness = self.witnesses.get(types)
        if witness is not None:
            return Pair(one, other, Verdict.UNSOUND if witness.cause is Cause.COPY else Verdict.ORDER, witness)
        if any(self.subject.consumer[name].external for name in types):
            return Pair(one, other, Verdict.EXTERNAL)
        return Pair(one, other, self._contacts[types].verdict)

    def _meet(self, events: Sequence[Event[Any]], exploration: Exploration) -> None:
        runs: dict[str, list[Run]] = defaultdict(list)
        for run in exploration.runs:
            runs[run.event.id].append(run)
        touched: dict[str, Footprint] = defaultdict(Footprint)
        for taken in exploration.steps:
            touched[taken.step.event].note(reads=taken.footprint.reads, writes=taken.footprint.writes)
        for one, other in combinations(events, 2):
            shared = {row for row in touched[one.id].shared_with(touched[other.id]) if row.table != TABLE}
            self._contacts[frozenset({one.type, other.type})].note(shared, runs, (one.id, other.id))

    def _types(self) -> tuple[str, ...]:
        return tuple(handler.description.type for handler in self.subject.consumer.handlers)
