"""The examination of a consumer: its handlers one by one, then every two types of its events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations, combinations_with_replacement
from typing import Any

from eachonce import Event
from eachonce.handler import Handler
from eachonce.journal import TABLE

from eachonce_workbench.certify.afresh import said_afresh, witness_of
from eachonce_workbench.certify.crowd import Crowd, crowds
from eachonce_workbench.certify.deeds import Deeds
from eachonce_workbench.certify.exploration import Count, Exploration
from eachonce_workbench.certify.footprint import Footprint
from eachonce_workbench.certify.patience import SECONDS, EndlessError
from eachonce_workbench.certify.probe import Probe
from eachonce_workbench.certify.run import Form, Run, form
from eachonce_workbench.certify.sample import NoSampleError
from eachonce_workbench.certify.scout import Scout
from eachonce_workbench.certify.scouting import scouting, warmed
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


_MOST_TRIALS = 4  # of what ended differently in rehearsals, and perhaps not on the stage

Tell = Callable[[str], None]


def examine(subject: Subject, bounds: Bounds, tell: Tell = lambda _: None) -> Examined:
    """Examine one consumer; `tell` is told of each step. Nothing is said of types whose events can't be made up."""
    examination = Examination(subject, faults=bounds.faults, seed=bounds.seed)
    drawn = []
    for one, other in sorted(
        combinations_with_replacement(subject.handlers, 2), key=lambda pair: pair[0] is not pair[1]
    ):
        types = (one.description.type, other.description.type)
        if examination.strange.keys().isdisjoint(types):
            try:
                drawn.append((types, _crowds(one, other, bounds, isolated=subject.has_tenants)))
            except NoSampleError as error:
                examination.strange[one.description.type] = str(error)
    try:
        with examination.stage.open():
            _examined(examination, drawn, tell)
    except EndlessError as error:
        examination.endless = error.event_type
    return examination.result()


def _examined(examination: Examination, drawn: Sequence[tuple[tuple[str, str], list[Crowd]]], tell: Tell) -> None:
    name = examination.subject.name
    for (one, other), some in drawn:
        tell(f"{name}: {one} and {other}, every order")
        for events in some:
            examination.order(events)
    tell(f"{name}: every way through its code")
    ways = examination.scout()
    tell(f"{name}: its handlers alone")
    examination.probe()
    tell(f"{name}: orders of others")
    examination.suspect()
    for (one, other), some in drawn:
        tell(f"{name}: {one} and {other}, every fault")
        for events in some:
            examination.harm(events)
    for events in ways:
        examination.harm(events, unlike_others=True)


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
    seed: int = 0
    stage: Stage = field(init=False)
    count: Count = field(default_factory=Count)
    endless: str | None = None
    strange: dict[str, str] = field(default_factory=dict)
    unsound: dict[str, Witness] = field(default_factory=dict)
    witnesses: dict[frozenset[str], Witness] = field(default_factory=dict)
    _contacts: dict[frozenset[str], Contacts] = field(default_factory=lambda: defaultdict(Contacts))
    _runs: list[Run] = field(default_factory=list)
    _in_vain: list[Sequence[Event[Any]]] = field(default_factory=list)
    _forms: dict[tuple[int, ...], frozenset[Form]] = field(default_factory=dict)
    _harmed: list[frozenset[Form]] = field(default_factory=list)
    _scout: Scout | None = None
    _remembered: list[Witness] = field(default_factory=list)
    _deeds: Deeds = field(default_factory=Deeds)

    def __post_init__(self) -> None:
        self.stage = Stage(
            self.subject.consumer,
            handlers=self.subject.handlers,
            keys=self.subject.keys,
            environment=self.subject.environment,
            isolated_by=self.subject.isolated_by,
        )

    def order(self, events: Sequence[Event[Any]]) -> None:
        """Try every order of some events, and note what their handlers did and where they met."""
        self.stage.clear()
        exploration = Exploration(self.stage, events)
        ends = {word for schedule in exploration.schedules() for word in schedule.ending.verdicts.values()}
        if "done" not in ends:
            self._in_vain.append(events)
        self.count.add(exploration.count)
        self._runs += exploration.runs
        self._forms[tuple(map(id, events))] = frozenset(map(form, exploration.runs))
        self._meet(events, exploration)

    def scout(self) -> list[Crowd]:
        """Look for other ways through the handlers' code; try the orders of events that take them, and return these.

        What a handler remembers of very many events shows here.
        """
        self.stage.clear()
        scout = self._scout = scouting(self.subject, self.stage, self.seed)
        with self.stage.rehearsing():
            scout.look()
            self._remembered = list(warmed(scout, self.stage))
        self._deeds.note(scout)
        if scout.rehearsal.seeds:
            self.stage.furnish(scout.rehearsal.seeds)
        for events in scout.ways:
            self.order(events)
        return scout.ways

    def suspect(self) -> None:
        """Try on the stage what ended differently in rehearsals."""
        scout, tried, settled = self._scout, Counter[frozenset[str]](), set(self.witnesses)
        if scout is None:
            return
        self.stage.clear()
        scout.leave_out(self.unsound.keys())
        with self.stage.rehearsing():
            suspects = scout.suspects(settled)
            while (events := next(suspects, None)) is not None:
                types = frozenset(event.type for event in events)
                if types in settled:
                    continue
                tried[types] += 1
                if tried[types] == _MOST_TRIALS:
                    settled.add(types)
                with self.stage.performing():
                    self.stage.clear()
                    found = contradiction(self.stage, events, faults=0, count=Count())
                if found is not None:
                    self.witnesses.setdefault(frozenset(found.types), found)
                    settled.add(frozenset(found.types))
        self.count.rehearsed = scout.rehearsal.runs

    def probe(self) -> None:
        """Look at each handler alone."""
        external = self._external()
        probe = Probe(self.stage, external=external)
        for name in self._types():
            runs = [run for run in self._runs if run.event.type == name]
            self._deeds.hear(name, runs)
            found = probe.finding(runs, self._runs, faults=self.faults)
            if found is not None:
                self.unsound[name] = found
        for witness in self._remembered:
            self.unsound.setdefault(witness.types[0], witness)
        for run, told in said_afresh(self.subject, [run for run in self._runs if run.event.type not in self.unsound]):
            self.count.afresh += 1
            if told != run.said:
                self.unsound.setdefault(run.event.type, witness_of(run, told))
        self._runs.clear()

    def harm(self, events: Sequence[Event[Any]], *, unlike_others: bool = False) -> None:
        """Try every order with every fault, unless none of the events is ever done without what was made up.

        Neither where a handler is unsound: then no two schedules can be compared. What is to be `unlike_others`, and
        whose works are of the same forms as some that have met every fault, is tried without: a fault lies between the
        layer's calls, which are the same ones.
        """
        types = frozenset(event.type for event in events)
        in_vain = types & self._deeds.made_up.keys() or any(events is some for some in self._in_vain)
        if types & self.unsound.keys() or types in self.witnesses or in_vain:
            return
        forms = self._forms.get(tuple(map(id, events)))
        again = unlike_others and forms is not None and any(forms <= known for known in self._harmed)
        found = self._contradicted(events, faults=0 if again else self.faults)
        self._harmed += [] if forms is None else [forms]
        if found is None or types == frozenset(found.types):
            return
        for few in combinations(events, 2):  # one of the types contradicts itself: do the two contradict each other?
            if types == frozenset(event.type for event in few) and self._contradicted(few, faults=self.faults):
                return

    def _contradicted(self, events: Sequence[Event[Any]], *, faults: int) -> Witness | None:
        self.stage.clear()
        count = Count()
        found = contradiction(self.stage, events, faults=faults, count=count)
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
            done=self._deeds.done,
            untaken=self._deeds.untaken(),
            made_up=tuple(map(str, self._scout.rehearsal.seeds)) if self._scout is not None else (),
            pairs=tuple(self._pair(one, other) for one, other in combinations_with_replacement(self._types(), 2)),
            count=self.count,
            refused=self.stage.refusals.lines(),
        )

    def _pair(self, one: str, other: str) -> Pair:
        for name in (one, other):
            if name in self.unsound:
                return Pair(one, other, Verdict.UNSOUND, self.unsound[name])
        types = frozenset({one, other})
        witness = self.witnesses.get(types) or self._among_more(types)
        if witness is not None:
            return Pair(one, other, Verdict.UNSOUND if witness.cause is Cause.COPY else Verdict.ORDER, witness)
        if self.endless is not None:
            lasts = f"the handler of {self.endless} did not return within {SECONDS:.0f} seconds, and no more was tried"
            return Pair(one, other, Verdict.INCONCLUSIVE, why=lasts)
        known = dict.fromkeys((one, other))
        whys = [self.strange[name] for name in known if name in self.strange]
        whys += [why for name in known for why in self._deeds.whys(name) if name not in self.strange]
        if whys:
            return Pair(one, other, Verdict.INCONCLUSIVE, why="; ".join(whys))
        if types & self._external():
            return Pair(one, other, Verdict.EXTERNAL)
        return Pair(one, other, self._contacts[types].verdict)

    def _among_more(self, types: frozenset[str]) -> Witness | None:
        """Return a witness of more than two types, among which are these."""
        return next((found for known, found in self.witnesses.items() if len(known) > 2 and types <= known), None)

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
        return tuple(handler.description.type for handler in self.subject.handlers)

    def _external(self) -> frozenset[str]:
        return frozenset(handler.description.type for handler in self.subject.handlers if handler.external)
