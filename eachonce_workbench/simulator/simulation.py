"""One simulation: inputs through the whole bundle, under faults, and what did not hold."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from eachonce_workbench.cloud.confinement import process
from eachonce_workbench.cloud.confinement.guard import Guard, guarded
from eachonce_workbench.cloud.confinement.refusals import Refusals
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.rights import Right
from eachonce_workbench.cloud.store.protocol import Response, decoded, success
from eachonce_workbench.cloud.store.queues.queues import QueueError
from eachonce_workbench.run.books import Books, Input, Outcome
from eachonce_workbench.run.folder import own_folder
from eachonce_workbench.run.progress import Progress
from eachonce_workbench.run.reconciliation import Reconciliation
from eachonce_workbench.run.tally import Tally
from eachonce_workbench.simulator import clock, strand
from eachonce_workbench.simulator.buried import buried
from eachonce_workbench.simulator.chaos import PROFILES, Chaos, Unruly
from eachonce_workbench.simulator.fault import CallFault, DeliveryFault
from eachonce_workbench.simulator.handling import handled
from eachonce_workbench.simulator.judgement import conclude, inconclusive, missing_poison
from eachonce_workbench.simulator.outage import Outages
from eachonce_workbench.simulator.permissions import denied
from eachonce_workbench.simulator.printed import PRINTED
from eachonce_workbench.simulator.rotation import rotate
from eachonce_workbench.simulator.runtime import SimulatedRuntime
from eachonce_workbench.simulator.sender import Sender
from eachonce_workbench.simulator.staging import staged
from eachonce_workbench.simulator.tables import scan
from eachonce_workbench.simulator.trial import NoTrial, Peer, Trial
from eachonce_workbench.simulator.watch import Unwatched, Violation, Watch
from eachonce_workbench.simulator.wire import Wire
from eachonce_workbench.template.journal import journal_of
from eachonce_workbench.template.topology import Topology

# After this a system that is not quiet never will be: every back-off and outage ends sooner.
_LONGEST_SECONDS = 3 * 86_400.0
# The latest that a call arrives of which nobody knows any more.
_LATE_SECONDS = 200.0

# What functions say of each event is nobody's here, and costs more than the event.
_QUIET = {"POWERTOOLS_LOG_LEVEL": "ERROR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is simulated; the same scenario and code give the same run.

    `only`, where given, are the faults that happen, and no others.
    """

    inputs: Sequence[Input]
    books: Books
    template: Path
    seed: int = 0
    faults: str = "none"
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What a simulation came to.

    `reconciliation` is None where nobody can say what had to come of the inputs. `neighbours` are innocent events in
    dead-letter queues, `missing` the events that should have followed others, `happened` the faults in their order,
    `virtual_seconds` what the virtual clock says, `refused` which function tried to reach beyond the simulation, and
    how, and `inconclusive` what could not be checked. `used` are the rights that each function needed, by its logical
    id, and `denied` says which of them its role doesn't give it.
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


def simulate(scenario: Scenario, *, peer: Peer | None = None, progress: Progress | None = None) -> Simulated:
    """Run a scenario to its end.

    Raises SendingError when a function fails on an input for good, and what LocalCloud raises. Not for threads, and one
    at a time in a process.
    """
    return _Simulation(scenario, peer, Progress() if progress is None else progress).run()


class _Simulation:
    def __init__(self, scenario: Scenario, peer: Peer | None, progress: Progress) -> None:
        self._scenario = scenario
        self._trial = scenario.books if isinstance(scenario.books, Trial) else NoTrial(scenario.inputs)
        self._peer = peer
        self._progress = progress
        self._chaos = Chaos(scenario.seed, PROFILES[scenario.faults], only=scenario.only)
        self._observer = self._trial.observer()
        self._watch = Watch(self._observer) if peer is None else Unwatched(self._observer)
        self._history = History()
        self._tally = Tally()
        self._refusals = Refusals()
        self._queues = Outages(self._chaos, DeliveryFault.DLQ_DOWN, shortest=60.0, longest=3_600.0)
        self._error: Exception | None = None
        self._journal: str | None = None

    def run(self) -> Simulated:
        started = time.perf_counter()
        wire = Wire(
            self._chaos, self._answer, unreachable=self._unreachable, broken=self._stop, called=self._watch.called
        )
        PRINTED.history = self._history
        self._history.subscribe(self._tally)
        self._history.subscribe(self._watch)
        self._history.subscribe(self._refusals)
        try:
            with (
                own_folder() as folder,
                guarded(self._guard()),
                staged(self._scenario.seed, hook=wire) as self._draw_anew,
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
        )

    def _unchecked(self, reconciliation: Reconciliation | None) -> Iterator[str]:
        journal, poison = self._journal is not None, self._trial.model() is not None
        return inconclusive(self._watch, reconciliation, journal=journal, poison=poison)

    def _until_broken(self, folder: Path) -> tuple[Reconciliation | None, list[str], float]:
        try:
            return clock.run(self._live(folder))
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
            adapt=self._trial.adapt if self._peer is None else self._peer.adapt,
        )
        self._main: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]
        async with AsyncExitStack() as stack:
            with guarded(None):  # no function runs yet, and what is translated may be kept
                await stack.enter_async_context(self._cloud)
            self._draw_anew()
            self._watch_journal()
            rotation = asyncio.create_task(rotate(self._cloud))
            sender = Sender(
                self._cloud,
                self._chaos,
                self._watch,
                self._progress,
                model=self._trial.model(),
                journal=self._journal,
            )
            answers = await sender.send(self._scenario.inputs)
            rotation.cancel()
            self._progress.settling()
            await self._settle(sender)
            self._chaos.end()
            outcome = Outcome(scan=partial(scan, self._cloud), folder=folder, answers=answers)
            if self._peer is None:
                for difference in self._observer.misbooked(outcome.scan):
                    self._watch.violated("no effect lost or twice", difference)
            reconciliation = self._scenario.books.reconcile(self._scenario.inputs, outcome)
            dead = list(buried(self._cloud.store, self._cloud.topology))
            missing_poison(self._watch, self._cloud.topology, dead, rows=sender.poison_rows)
            innocent = [str(each) for each in dead if each.innocent]
            return reconciliation, innocent, asyncio.get_running_loop().time()

    def _make_runtime(self, topology: Topology) -> SimulatedRuntime:
        environment = _QUIET | ({} if self._peer is None else dict(self._peer.environment))
        self._runtime = SimulatedRuntime(topology, self._chaos, self._history, self._watch, environment=environment)
        return self._runtime

    def _watch_journal(self) -> None:
        table, streams = journal_of(self._cloud.topology), self._cloud.store.streams
        if table is not None:
            self._journal = table.logical_id
            streams.on_write(table.name, lambda: self._watch.journaled(streams.newest(table.name)))

    async def _settle(self, sender: Sender) -> None:
        try:
            await self._cloud.settle(_LONGEST_SECONDS)
            await sender.use_again()
            await asyncio.sleep(_LATE_SECONDS)
            await self._cloud.settle(_LONGEST_SECONDS)
        except TimeoutError:
            self._watch.violated("all becomes quiet", f"not within {_LONGEST_SECONDS / 3600:.0f} hours")

    def _answer(self, who: str, service: str, headers: Mapping[str, str], body: bytes) -> Response:
        self._watch.speaker = who
        try:
            if service == "events":
                return success(self._cloud.bus.put_events(decoded(body)["Entries"]))
            answer = self._cloud.store.handle(service, headers, body)
        finally:
            self._watch.speaker = None
        if service == "sqs":
            self._watch.told(who, headers["x-amz-target"], body)
        return answer

    def _show(self, queue_arn: str, receipt_handle: str) -> None:
        with contextlib.suppress(QueueError):  # it has left its queue
            self._cloud.store.queues.change_visibility(queue_arn, receipt_handle, 0)

    def _unreachable(self, queue_url: str) -> bool:
        return self._queues.down(queue_url.rpartition("/")[2])

    def _guard(self) -> Guard:
        """Return who refuses what functions try to do beyond the simulation."""
        return Guard(limits=process.limits(), refused=self._refused, programs=process.confines_programs())

    def _refused(self, what: str) -> None:
        if strand.in_strand():
            strand.current().owner.refused(what)
        else:
            self._history.record("refused", function="a thread that a function started", what=what)
