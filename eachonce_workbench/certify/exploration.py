"""The exploration: every order of some events that isn't another one in disguise, with every fault.

Two schedules are the same one in disguise when one becomes the other by exchanging neighbours that touch no row in
common (Mazurkiewicz's traces). Sleep sets skip the second: what was tried first at a point, and has nothing to do with
what is done instead, need not be tried after it (Godefroid, Partial-Order Methods for the Verification of Concurrent
Systems, 1996). Which rows a step touches is not guessed but seen while it is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import factorial
from typing import Any

from eachonce import Event
from eachonce.outcome import Verdict

from eachonce_workbench.certify.ending import Ending, ending
from eachonce_workbench.certify.fault import Fault, faults_at_calls
from eachonce_workbench.certify.files import Kept as KeptFiles
from eachonce_workbench.certify.footprint import Footprint
from eachonce_workbench.certify.rows import Kept
from eachonce_workbench.certify.run import Run
from eachonce_workbench.certify.schedule import Schedule, Step, Taken
from eachonce_workbench.certify.stage import Stage
from eachonce_workbench.simulator.fault import DeliveryFault

_DEFERRED = frozenset({Verdict.RETRY, Verdict.WAIT, Verdict.ABANDONED})


@dataclass(slots=True)
class Count:
    """How much was done: fault-free orders tried and skipped, schedules with faults tried, and branches of them cut.

    `rehearsed` are runs of handlers without the layer, which prove nothing, and `afresh` are runs in a new process.
    """

    orders: int = 0
    orders_pruned: int = 0
    with_faults: int = 0
    with_faults_pruned: int = 0
    faults: int = 0
    deliveries: int = 0
    rehearsed: int = 0
    afresh: int = 0

    def add(self, other: Count) -> None:
        """Add another count to this one."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """Where a schedule is: what it has left so far, and what is still to be delivered.

    - `files`: what is in the files that handlers have changed
    - `sent`: what handlers have asked of AWS themselves, and for which event; the same again is no more than once
    - `deferred`: what its handler has sent back, to come again after all others
    - `unfinished`: how many events were left when the last round began; a round that finishes none is the last
    """

    rows: Kept
    files: KeptFiles = field(default_factory=dict)
    bus: tuple[str, ...]
    sent: frozenset[tuple[str, str]] = frozenset()
    pending: tuple[str, ...]
    deferred: tuple[str, ...] = ()
    unfinished: int
    received: Mapping[str, int]
    verdicts: Mapping[str, Verdict]
    faults_left: int
    taken: tuple[Taken, ...] = ()


@dataclass(slots=True)
class Exploration:
    """All schedules of some events, with up to so many faults each; without `prune`, those in disguise as well."""

    stage: Stage
    events: Sequence[Event[Any]]
    faults: int = 0
    prune: bool = True
    count: Count = field(default_factory=Count)
    runs: list[Run] = field(default_factory=list)
    steps: list[Taken] = field(default_factory=list)

    def schedules(self) -> Iterator[Schedule]:
        """Yield every schedule with its ending, the plain one in the order of the events first."""
        yield from self._from(self._start(), ())

    def again(self, schedule: Schedule) -> Iterator[Ending]:
        """Yield what is left after each step of a schedule of these events, which is taken once more."""
        node = self._start()
        for taken in schedule.steps:
            node, _ = self._take(node, taken.step)
            yield ending(self.stage, node.verdicts, node.sent)

    def _start(self) -> _Node:
        ids = tuple(event.id for event in self.events)
        return _Node(
            rows=self.stage.furnished,
            bus=(),
            pending=ids,
            unfinished=len(ids) + 1,
            received=dict.fromkeys(ids, 1),
            verdicts={},
            faults_left=self.faults,
        )

    def _from(self, node: _Node, asleep: tuple[Taken, ...]) -> Iterator[Schedule]:
        if not node.pending and node.deferred and len(node.deferred) < node.unfinished:
            again = replace(node, pending=node.deferred, deferred=(), unfinished=len(node.deferred))
            yield from self._from(again, ())
            return
        if not node.pending:
            yield self._ended(node)
        known: dict[str, Taken] = {}
        tried: list[Taken] = []
        for event in node.pending:
            yield from self._branch(node, Step(event), asleep, tried, known)
        if node.faults_left:
            for step in self._faulty(node, known):
                yield from self._branch(node, step, asleep, tried, known)

    def _branch(
        self, node: _Node, step: Step, asleep: tuple[Taken, ...], tried: list[Taken], known: dict[str, Taken]
    ) -> Iterator[Schedule]:
        """Take a step and go on from there, unless what lies there has been seen from elsewhere."""
        before = next((taken for taken in asleep if taken.step == step), None) if self.prune else None
        if before is not None:
            self._pruned(node, step)
            known.setdefault(step.event, before)
            return
        child, taken = self._take(node, step)
        known.setdefault(step.event, taken)
        rest = (*asleep, *tried)
        yield from self._from(child, tuple(other for other in rest if other.commutes_with(taken)))
        tried.append(taken)

    def _faulty(self, node: _Node, known: Mapping[str, Taken]) -> Iterator[Step]:
        """Yield every step with a fault: at each call, by each other event, and of each event once more."""
        for event in node.pending:
            calls = len(known[event].calls)
            for fault in faults_at_calls(calls):
                yield Step(event, fault)
            for other in node.pending:
                if other == event or not known[event].footprint.shared_with(known[other].footprint):
                    continue  # it makes no difference when exactly the other is handled
                for call in range(calls):
                    yield Step(event, Fault(DeliveryFault.OVERTAKEN, call, other))
        for event in node.verdicts:
            if event not in node.pending and event not in node.deferred:
                yield Step(event, Fault(DeliveryFault.SENT_AGAIN))

    def _take(self, node: _Node, step: Step) -> tuple[_Node, Taken]:
        """Put the stage where the node is, deliver one message, and return what is there then."""
        stage, place, by = self.stage, len(node.taken), step.fault.by if step.fault is not None else ""
        self._put_back(node)
        overtaking: list[Verdict | None] = []
        rows = Footprint()

        def overtake() -> None:
            nested = stage.deliver(self._event(by), place=place, received=node.received[by])
            rows.note(reads=nested.traffic.footprint.reads, writes=nested.traffic.footprint.writes)
            overtaking.append(nested.verdict)

        copy = step.fault is not None and step.fault.kind is DeliveryFault.SENT_AGAIN
        received = 1 if copy else node.received[step.event]
        delivered = stage.deliver(
            self._event(step.event), place=place, received=received, fault=step.fault, overtake=overtake
        )
        rows.note(reads=delivered.traffic.footprint.reads, writes=delivered.traffic.footprint.writes)
        ends = {by: overtaking[0]} if overtaking else {}
        if not copy:
            ends[step.event] = delivered.verdict
        deferred = tuple(event for event, verdict in ends.items() if verdict in _DEFERRED and step.fault is None)
        taken = Taken(step, tuple(delivered.traffic.calls), rows, delivered.verdict, bool(deferred))
        sent = node.sent | {(run.event.id, letter) for run in self.stage.runs for letter in run.sent}
        self._note(taken)
        return self._after(replace(node, sent=sent), taken, ends, deferred), taken

    def _after(self, node: _Node, taken: Taken, ends: Mapping[str, Verdict | None], deferred: tuple[str, ...]) -> _Node:
        final = {event for event, verdict in ends.items() if verdict is not None and verdict not in _DEFERRED}
        return replace(
            node,
            rows=self.stage.wire.rows.keep(),
            files=self.stage.files.keep(),
            bus=tuple(self.stage.wire.bus),
            pending=tuple(event for event in node.pending if event not in final and event not in deferred),
            deferred=node.deferred + deferred,
            received={event: count + (event in ends) for event, count in node.received.items()},
            verdicts={**node.verdicts, **{event: verdict for event, verdict in ends.items() if verdict is not None}},
            faults_left=node.faults_left - (taken.step.fault is not None),
            taken=(*node.taken, taken),
        )

    def _ended(self, node: _Node) -> Schedule:
        if self._with_faults(node):
            self.count.with_faults += 1
        else:
            self.count.orders += 1
        self._put_back(node)
        return Schedule(node.taken, ending(self.stage, node.verdicts, node.sent))

    def _put_back(self, node: _Node) -> None:
        self.stage.wire.rows.put_back(node.rows)
        self.stage.wire.bus[:] = node.bus
        self.stage.files.put_back(node.files)

    def _pruned(self, node: _Node, step: Step) -> None:
        if step.fault is not None or self._with_faults(node):
            self.count.with_faults_pruned += 1
        else:
            self.count.orders_pruned += factorial(len(node.pending) - 1)

    def _with_faults(self, node: _Node) -> bool:
        return node.faults_left < self.faults

    def _note(self, taken: Taken) -> None:
        self.count.deliveries += 1
        self.count.faults += taken.step.fault is not None
        self.steps.append(taken)
        self.runs += self.stage.runs
        self.stage.runs.clear()

    def _event(self, event_id: str) -> Event[Any]:
        return next(event for event in self.events if event.id == event_id)
