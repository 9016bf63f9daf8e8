"""One simulation: inputs through the whole bundle, under faults, and what did not hold."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from eachonce_workbench.cloud.confinement import process
from eachonce_workbench.cloud.confinement.guard import Guard, guarded
from eachonce_workbench.cloud.confinement.refusals import Refusals
from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.rights import Right
from eachonce_workbench.cloud.store.protocol import Response
from eachonce_workbench.cloud.store.queues.queues import QueueError
from eachonce_workbench.run.books import Books, Input, Outcome
from eachonce_workbench.run.folder import own_folder
from eachonce_workbench.run.progress import Progress
from eachonce_workbench.run.reconciliation import Reconciliation
from eachonce_workbench.run.tally import Tally
from eachonce_workbench.run.trouble import Trouble
from eachonce_workbench.simulator import clock, strand
from eachonce_workbench.simulator.buried import buried
from eachonce_workbench.simulator.call import Call
from eachonce_workbench.simulator.chaos import PROFILES, Chaos, Unruly
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.handling import handled
from eachonce_workbench.simulator.judgement import conclude, inconclusive, missing_poison
from eachonce_workbench.simulator.left import Left, Traffic
from eachonce_workbench.simulator.manner import Manner
from eachonce_workbench.simulator.outage import Outages
from eachonce_workbench.simulator.outside.answers import Answers
from eachonce_workbench.simulator.outside.web import ANSWERED, web
from eachonce_workbench.simulator.permissions import denied
from eachonce_workbench.simulator.printed import PRINTED
from eachonce_workbench.simulator.recorder import Recorder
from eachonce_workbench.simulator.rotation import rotate
from eachonce_workbench.simulator.runtime import SimulatedRuntime
from eachonce_workbench.simulator.sender import Sender
from eachonce_workbench.simulator.sender_in_turn import SenderInTurn
from eachonce_workbench.simulator.staging import staged
from eachonce_workbench.simulator.tables import scan
from eachonce_workbench.simulator.trial import NoTrial, Trial
from eachonce_workbench.simulator.watch import Unwatched, Violation, Watch
from eachonce_workbench.simulator.wire import Wire
from eachonce_workbench.template.finding import bundle_folder
from eachonce_workbench.template.journal import journal_of
from eachonce_workbench.template.topology import Bus, Queue, Table, Topology

# After this a system that is not quiet never will be: every back-off and outage ends sooner.
_LONGEST_SECONDS = 3 * 86_400.0
# The latest that a call arrives of which nobody knows any more.
_LATE_SECONDS = 200.0

# What functions say of each event is nobody's here, and costs more than the event.
_QUIET = {
    "POWERTOOLS_LOG_LEVEL": "ERROR",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "AWS_XRAY_SDK_ENABLED": "false",
    "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR",
}

Judge = Callable[[Left], Iterable[Violation]]
"""Says what must not be left as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is simulated; the same scenario and code give the same run.

    `only`, where given, are the faults that happen, and no others. `manner`, where given, is how the inputs come, and
    `judge` says what must hold of all that is left then; without it the books are all that is asked.
    """

    inputs: Sequence[Input]
    books: Books
    template: Path
    seed: int = 0
    faults: str = "none"
    only: frozenset[str] | None = None
    manner: Manner | None = None
    judge: Judge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What a simulation came to.

    `reconciliation` is None where nobody can say what had to come of the inputs. `neighbours` are innocent events in
    dead-letter queues, `missing` the events that should have followed others, `happened` the faults in their order,
    `virtual_seconds` what the virtual clock says, `refused` which function tried to reach beyond the simulation, and
    how, and `inconclusive` what could not be checked. `used` are the rights that each function needed, by its logical
    id, and `denied` says which of them its role doesn't give it. `left` is what others could see in the end. `offered`
    are all faults that there was an occasion for, where they were chosen by name. `failed` says why of each input that
    came to nothing, by its name, `troubles` in which ways functions failed, and `ran` which functions did something.
    """

    reconciliation: Reconciliation | None
    violations: tuple[Violation, ...]
    neighbours: tuple[str, ...]
    missing: tuple[str, ...]
    happened: tuple[str, ...]
    calls: Mapping[str, int]
    call_faults: Mapping[tuple[str, CallFault], int]
    consumers: Mapping[str, Mapping[str, int]]
    deliveries: int
    seconds: float
    virtual_seconds: float
    refused: tuple[str, ...] = ()
    inconclusive: tuple[str, ...] = ()
    used: Mapping[str, frozenset[Right]] = field(default_factory=dict)
    denied: tuple[str, ...] = ()
    left: Left = field(default_factory=Left)
    offered: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()
    ran: frozenset[str] = frozenset()


def simulate(scenario: Scenario, *, progress: Progress | None = None, recorder: Recorder | None = None) -> Simulated:
    """Run a scenario to its end; `recorder` hears of all that happens.

    Raises SendingError when a function fails on an input for good, and what LocalCloud raises. Not for threads, and one
    at a time in a process.
    """
    progress = Progress() if progress is None else progress
    return _Simulation(scenario, progress, Recorder() if recorder is None else recorder).run()


class _Simulation:
    def __init__(self, scenario: Scenario, progress: Progress, recorder: Recorder) -> None:
        self._scenario = scenario
        self._trial = scenario.books if isinstance(scenario.books, Trial) else NoTrial(scenario.inputs)
        self._progress = progress
        self._recorder = recorder
        self._chaos = Chaos(scenario.seed, PROFILES[scenario.faults], only=scenario.only, told=recorder.fault)
        self._observer = self._trial.observer()
        manner = scenario.manner
        watch = Watch if manner is None or manner.layered else Unwatched
        self._watch = watch(self._observer, told=recorder.broken)
        self._history = History()
        self._tally = Tally()
        self._refusals = Refusals()
        self._traffic = Traffic()
        self._failed: Mapping[str, str] = {}
        self._troubles: tuple[str, ...] = ()
        self._queues = Outages(self._chaos, DeliveryFault.DLQ_DOWN, shortest=60.0, longest=3_600.0)
        self._error: Exception | None = None
        self._journal: str | None = None

    def run(self) -> Simulated:
        started = time.perf_counter()
        self._wire = wire = Wire(
            self._chaos, self._answer, unreachable=self._unreachable, broken=self._stop, called=self._watch.called
        )
        PRINTED.history = self._history
        for listener in (self._tally, self._watch, self._refusals, self._traffic):
            self._history.subscribe(listener)
        self._recorder.follow(self._history)
        try:
            with (
                own_folder() as folder,
                guarded(self._guard()),
                web(wire.carry),
                staged(self._scenario.seed, hook=wire),
                handled(self._chaos, self._watch, self._show),
            ):
                reconciliation, neighbours, virtual_seconds = self._until_broken(folder)
        finally:
            PRINTED.history = None
        missing = tuple(self._observer.missing())
        conclude(self._watch, reconciliation, neighbours, missing)
        return Simulated(
            reconciliation=reconciliation,
            violations=tuple(self._watch.violations),
            neighbours=tuple(neighbours),
            missing=missing,
            happened=tuple(self._chaos.happened),
            calls=dict(wire.calls),
            call_faults=dict(wire.faults),
            consumers={m.function: self._tally.of(m.function) for m in self._cloud.topology.queue_mappings},
            deliveries=self._runtime.deliveries,
            seconds=time.perf_counter() - started,
            virtual_seconds=virtual_seconds,
            refused=self._refusals.lines(),
            inconclusive=tuple(self._unchecked(reconciliation)),
            used={function: frozenset(rights) for function, rights in wire.used.items()},
            denied=tuple(denied(self._cloud.topology, wire.used)),
            left=self._left,
            offered=tuple(self._chaos.offered),
            failed=self._failed,
            troubles=self._troubles,
            ran=frozenset(
                each.logical_id for each in self._cloud.topology.functions if self._tally.worked(each.logical_id)
            ),
        )

    def _unchecked(self, reconciliation: Reconciliation | None) -> Iterator[str]:
        journal, poison = self._journal is not None, self._trial.model() is not None
        return inconclusive(self._watch, reconciliation, journal=journal, poison=poison)

    def _until_broken(self, folder: Path) -> tuple[Reconciliation | None, list[str], float]:
        try:
            manner = self._scenario.manner
            return clock.run(self._live(folder), start=clock.START if manner is None else manner.start)
        except asyncio.CancelledError:
            if self._error is None:
                raise
            raise self._error from None

    def _stop(self, error: Exception) -> None:
        self._error = error
        self._main.cancel()

    async def _live(self, folder: Path) -> tuple[Reconciliation | None, list[str], float]:
        self._cloud = LocalCloud(
            self._scenario.template,
            parameters=self._scenario.books.parameters(folder),
            disorder=Unruly(self._chaos),
            port=None,
            workers_per_function=4,
            minute_seconds=60.0,
            history=self._history,
            runtime=self._make_runtime,
            adapt=self._trial.adapt,
        )
        self._main: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]
        async with AsyncExitStack() as stack:
            with guarded(None):  # no function runs yet, and what is translated may be kept
                await stack.enter_async_context(self._cloud)
            stack.enter_context(self._recorder.seeing(self._cloud))
            self._watch_journal()
            self._wire.names = {each.name: each.logical_id for each in _named(self._cloud.topology)}
            self._answers = Answers(self._cloud, self._traffic)
            trouble = Trouble(self._cloud.topology, root=bundle_folder(self._scenario.template))
            self._history.subscribe(trouble)
            manner = self._scenario.manner
            # Who is its own oracle is compared with itself, event by event, and each says which key signed it.
            rotation = asyncio.create_task(rotate(self._cloud)) if manner is None else None
            sender = self._sender()
            answers = await self._send(sender)
            if rotation is not None:
                rotation.cancel()
            self._progress.settling()
            await self._settle(sender)
            self._chaos.end()
            self._troubles = tuple(trouble.lines())
            self._left = self._traffic.left(self._cloud)
            outcome = Outcome(scan=partial(scan, self._cloud), folder=folder, answers=answers)
            for difference in self._observer.misbooked(outcome.scan):
                self._watch.violated("no effect lost or twice", difference)
            reconciliation = self._scenario.books.reconcile(self._scenario.inputs, outcome)
            innocent = list(self._judged())
            return reconciliation, innocent, asyncio.get_running_loop().time()

    async def _send(self, sender: Sender) -> dict[str, bytes]:
        """Send the inputs, and note what could not be sent."""
        try:
            return await sender.send(self._scenario.inputs)
        finally:
            self._poison_rows = sender.poison_rows
            self._failed = sender.failed if isinstance(sender, SenderInTurn) else {}

    def _sender(self) -> Sender:
        manner, parts = self._scenario.manner, (self._cloud, self._chaos, self._watch, self._progress)
        if manner is None:
            return Sender(*parts, model=self._trial.model(), journal=self._journal, sent=self._recorder.sent)
        model = self._trial.model() if manner.layered and not manner.apart else None
        relayed = {mapping.table_name for mapping in self._cloud.topology.stream_mappings}
        table = journal_of(self._cloud.topology)
        journal = self._journal if model is not None and table is not None and table.name in relayed else None
        return SenderInTurn(
            *parts,
            model=model,
            journal=journal,
            manner=manner,
            runtime=self._runtime,
            history=self._history,
            sent=self._recorder.sent,
        )

    def _judged(self) -> Iterator[str]:
        """Note what must not be left as it is; yield the innocent that lie in dead-letter queues."""
        manner = self._scenario.manner
        if self._scenario.judge is not None and not self._runtime.poisoned_in_vain:
            for violation in self._scenario.judge(self._left):
                self._watch.violated(violation.invariant, violation.seen)
        if manner is None or manner.layered:
            dead = list(buried(self._cloud.store, self._cloud.topology))
            missing_poison(self._watch, self._cloud.topology, dead, rows=self._poison_rows)
            yield from (str(each) for each in dead if each.innocent)

    def _make_runtime(self, topology: Topology) -> SimulatedRuntime:
        self._runtime = SimulatedRuntime(topology, self._chaos, self._history, self._watch, environment=_QUIET)
        return self._runtime

    def _watch_journal(self) -> None:
        table, streams = journal_of(self._cloud.topology), self._cloud.store.streams
        if table is not None:
            self._journal = table.logical_id
            streams.on_write(table.name, lambda: self._watch.journaled(streams.newest(table.name)))

    async def _settle(self, sender: Sender) -> None:
        manner = self._scenario.manner
        longest = _LONGEST_SECONDS if manner is None else manner.patience_seconds
        try:
            await self._cloud.settle(longest)
            if manner is None:
                await sender.use_again()
            await asyncio.sleep(_LATE_SECONDS)
            await self._cloud.settle(longest)
        except TimeoutError:
            self._watch.violated("all becomes quiet", f"not within {longest / 3600:.0f} hours")

    def _answer(self, call: Call, function: str) -> Response | Awaitable[Response]:
        self._watch.speaker = call.who
        self._recorder.arrives(call)
        try:
            answer = self._answers(call, function)
        finally:
            self._watch.speaker = None
        if isinstance(answer, tuple):
            self._recorder.answered(answer)
        if call.service == "sqs":
            self._watch.told(call)
        return answer

    def _show(self, queue_arn: str, receipt_handle: str) -> None:
        with contextlib.suppress(QueueError):  # it has left its queue
            self._cloud.store.queues.change_visibility(queue_arn, receipt_handle, 0)

    def _unreachable(self, queue_url: str) -> bool:
        return self._queues.down(queue_url.rpartition("/")[2])

    def _guard(self) -> Guard:
        """Return who refuses what functions try to do beyond the simulation."""
        programs = process.confines_programs()
        return Guard(limits=process.limits(), refused=self._refused, programs=programs, answered=ANSWERED)

    def _refused(self, what: str) -> None:
        if strand.in_strand():
            strand.current().owner.refused(what)
        else:
            self._history.record("refused", function="a thread that a function started", what=what)


def _named(topology: Topology) -> Iterator[Table | Queue | Bus]:
    """Yield what functions know by a name that a template's reader doesn't."""
    yield from topology.tables
    yield from topology.queues
    yield from (bus for bus in topology.buses if bus.logical_id)
