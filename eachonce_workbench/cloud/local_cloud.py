"""The local cloud: everything that template.yaml describes, on this machine, for as long as its context lasts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from eachonce_workbench import template as sam_template
from eachonce_workbench.cloud.bus.bus import Bus
from eachonce_workbench.cloud.confinement.cell import Cells, open_cells
from eachonce_workbench.cloud.event_sources import EventSources
from eachonce_workbench.cloud.faults.chaos import Chaos
from eachonce_workbench.cloud.faults.faults import Faults
from eachonce_workbench.cloud.functions.asynchronous import Asynchronous
from eachonce_workbench.cloud.functions.destinations import Destinations
from eachonce_workbench.cloud.functions.invocations import Invocations
from eachonce_workbench.cloud.functions.processes import ProcessRuntime
from eachonce_workbench.cloud.functions.runtime import Invocation, Runtime
from eachonce_workbench.cloud.functions.watched import WatchedRuntime
from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.logs.calls import Logs
from eachonce_workbench.cloud.logs.writer import LogWriter
from eachonce_workbench.cloud.mappings.mappings import Mappings, flows_of
from eachonce_workbench.cloud.mappings.stream_mapping import StreamReader
from eachonce_workbench.cloud.mappings.wakeup import Wakeup
from eachonce_workbench.cloud.pipes import flows as pipes
from eachonce_workbench.cloud.post import Post
from eachonce_workbench.cloud.server import Endpoint
from eachonce_workbench.cloud.serving import Server, endpoint_of, listen
from eachonce_workbench.cloud.store.keeping import give_back, keep, resume
from eachonce_workbench.cloud.store.kept import Kept
from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.template.topology import Topology

if TYPE_CHECKING:
    from eachonce_workbench.cloud.seal import Seal

# The endpoint of a cloud that isn't served.
NOWHERE = "http://localhost:4566"

# What happens when a message moves: after any of it the cloud may have become quiet.
_MOVES = frozenset({"acknowledged", "concluded", "dead-lettered", "delivered", "returned", "undelivered"})
# What others do through AWS's protocol isn't told; whoever waits for quiet looks by itself, ever more seldom.
_LOOK_AGAIN_SECONDS = 1.0
_MOST_SELDOM_SECONDS = 30.0


class LocalCloud:
    """Everything that one template describes and that runs here, served on 127.0.0.1 while the context is open.

    Leaving the context, by whatever way, ends every process and task that it started. A process holds one local cloud
    at a time, because the store is moto's.
    """

    endpoint: str
    topology: Topology
    store: Store
    bus: Bus
    sources: EventSources
    invocations: Invocations

    def __init__(
        self,
        template: Path,
        *,
        parameters: Mapping[str, str] | None = None,
        disorder: Disorder | None = None,
        port: int | None = 0,
        hosts: Collection[str] = (),
        workers_per_function: int = 2,
        minute_seconds: float = 1.0,
        history: History | None = None,
        runtime: Callable[[Topology], Runtime] | None = None,
        adapt: Callable[[Topology], Topology] | None = None,
        cells: Cells = open_cells,
        listening: socket.socket | None = None,
        kept: Kept | None = None,
        keeps_time: bool = False,
        faults: Faults | None = None,
    ) -> None:
        """Take the template and what to make of it; nothing starts yet.

        `port` 0 is any that is free, and None means that nothing is served. `hosts` are the names and addresses that
        clients may call it by, beside those of the loopback interface. `minute_seconds` is what passes for a
        minute between the tries of an asynchronous invocation. `runtime` gives what runs the functions, real processes
        by default. `adapt` may change what the template says. `cells` give what each of those processes is confined by;
        nothing does by default, as a person's own development needs. `listening` is a socket in place of a port; it is
        closed at the end. `kept` is what it begins with. `keeps_time` fires schedules by the clock;
        without it only `fire` does, and nothing waits for a time to come. `faults` are those that functions' calls are
        to meet; without it none can be turned on.
        """
        self._template = template.resolve()
        self._parameters = dict(parameters or {})
        self._disorder = Disorder(0) if disorder is None else disorder
        self._port = port
        self._hosts = hosts
        self._workers_per_function = workers_per_function
        self._minute_seconds = minute_seconds
        self._history = History() if history is None else history
        self._make_runtime = self._processes if runtime is None else runtime
        self._adapt = adapt
        self._cells = cells
        self._listening = listening
        self._kept = Kept() if kept is None else kept
        self.gone: tuple[str, ...] = ()
        self._keeps_time = keeps_time
        self._chaos = None if faults is None else Chaos(faults, self._history)
        self._open = False

    @cached_property
    def seal(self) -> Seal:
        """What signs events that this tool sends, where they are to be signed."""
        from eachonce_workbench.cloud.seal import Seal  # the layer, which nothing else of the cloud needs

        return Seal(self.topology, self.store.keep_value)

    async def __aenter__(self) -> Self:
        """Start everything. Raises TemplateError, and OSError when the port is taken."""
        async with contextlib.AsyncExitStack() as stack:
            listening = self._listening
            if listening is None and self._port is not None:
                listening = listen(self._port)
            if listening is not None:
                stack.enter_context(contextlib.closing(listening))
            self.endpoint = NOWHERE if listening is None else endpoint_of(listening)
            self.topology = self._topology()
            self._moved = Wakeup()
            self._history.subscribe(self._notice)
            self.store = Store(self.topology, disorder=self._disorder, history=self._history)
            self.store.create()
            self.gone = tuple(give_back(self._kept, self.store))
            if self._kept.tables or self._kept.queues:
                self.seal.make_known()
            self._functions = self._make_runtime(self.topology)
            self._runtime = WatchedRuntime(self._functions, self._moved.ring)
            self.invocations = self._make_invocations()
            self.sources = self._make_sources()
            self.bus = self._make_bus()
            self.sources.join(self.bus, self._kept.buckets)
            self.gone += tuple(self.sources.buckets.gone())
            self.gone += tuple(self.bus.archives.take_back(self._kept.archives))
            self._mappings = self._make_mappings()
            if listening is not None:
                server = Server(self._application(), listening)
                stack.push_async_callback(server.stop)
                await server.start()
            stack.push_async_callback(self._runtime.stop)
            stack.push_async_callback(self.invocations.stop)
            stack.push_async_callback(self._mappings.stop)
            stack.push_async_callback(self.sources.schedules.stop)
            self._open = True
            self._mappings.start(lambda readers: resume(self._kept, readers, self.store))
            if self._keeps_time:
                self.sources.schedules.start()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything. Raises what a mapping failed with, if one did."""
        self._open = False
        await self._stack.aclose()

    async def invoke(self, function: str, payload: bytes) -> Invocation:
        """Run a function (its logical id, name or ARN) on `payload` (JSON), as a caller who waits for its result."""
        return await self._runtime.invoke(function, payload)

    def read(self) -> Topology:
        """Read the template as it is now; changes nothing. Raises TemplateError."""
        return sam_template.load(self._template, parameters=self._parameters, endpoint=self.endpoint)

    async def renew(self, functions: Collection[str]) -> None:
        """Let no later invocation of these functions (logical ids) run in a process that there is now."""
        if isinstance(self._functions, ProcessRuntime):
            await self._functions.renew(functions)

    def keep(self) -> Kept:
        """Give what tables, queues and buckets hold, and what nobody has read of the streams; after the end, too."""
        return replace(
            keep(self.store, self._mappings.readers),
            buckets=self.sources.buckets.keep(),
            switched=self._mappings.switched,
            archives=self.bus.archives.keep(),
        )

    def fire(self, name: str) -> str:
        """Fire a schedule (its logical id, name or ARN) now; returns its name. Raises KeyError when there is none."""
        return self.sources.schedules.fire(name).name

    @property
    def stream_readers(self) -> Sequence[StreamReader]:
        """What reads the tables' streams."""
        return self._mappings.readers

    def quiet(self) -> bool:
        """Whether nothing is left to be done.

        No invocation runs, no delivery waits to be tried again, and no consumer has a message (visible, hidden or
        delayed) or a stream record left. What lies in a queue without a consumer, such as a dead-letter queue, doesn't
        count, nor does a schedule's time that is to come. Everything changes on this thread alone, so what this sees is
        one moment.
        """
        return (
            self._runtime.running == 0
            and self.invocations.running == 0
            and self.bus.pending == 0
            and self.sources.pending == 0
            and not self._mappings.behind
        )

    async def settle(self, timeout_seconds: float | None = None) -> None:
        """Return as soon as all is quiet. Raises TimeoutError, and what a mapping failed with, if one did."""
        async with asyncio.timeout(timeout_seconds):
            pause = _LOOK_AGAIN_SECONDS
            while not self.quiet():
                self._mappings.raise_failures()
                rung = await self._moved.sleep(pause)
                pause = _LOOK_AGAIN_SECONDS if rung else min(2 * pause, _MOST_SELDOM_SECONDS)
                await asyncio.sleep(0)  # what ended has told so before it was over: let it finish

    def _application(self) -> Endpoint:
        written = LogWriter(self.topology)
        self._history.subscribe(written)
        logs = Logs(written.groups, self.store.handle)
        return Endpoint(
            self.store,
            self.bus,
            self.invocations,
            logs,
            hosts=self._hosts,
            history=self._history,
            sources=self.sources,
            mappings=self._mappings,
            chaos=self._chaos,
        )

    def _topology(self) -> Topology:
        topology = self.read()
        return topology if self._adapt is None else self._adapt(topology)

    def _processes(self, topology: Topology) -> Runtime:
        return ProcessRuntime(
            topology.functions,
            endpoint=self.endpoint,
            history=self._history,
            workers_per_function=self._workers_per_function,
            cells=self._cells,
            roster=None if self._chaos is None else self._chaos.roster,
        )

    def _make_invocations(self) -> Invocations:
        # The bus starts functions, and functions end on the bus: each asks for the other when it is needed.
        post = Post(
            self.store.queues,
            put_events=lambda entries: self.bus.put_events(entries),
            start=lambda arn, payload: self.invocations.start(arn, payload),
            publish=lambda *given, **named: self.sources.topics.publish(*given, **named),
        )
        asynchronous = Asynchronous(
            self._runtime, send=Destinations(post), history=self._history, minute_seconds=self._minute_seconds
        )
        return Invocations(self.topology, self._runtime, asynchronous=asynchronous)

    def _make_bus(self) -> Bus:
        return Bus(
            self.topology,
            self.store.queues,
            self._history,
            after=self._after,
            disorder=self._disorder,
            start=self.invocations.start,
            publish=self.sources.topics.publish,
        )

    def _make_sources(self) -> EventSources:
        return EventSources(
            self.topology, self.store.queues, self._history, after=self._after, start=self.invocations.start
        )

    def _make_mappings(self) -> Mappings:
        piped = pipes.flows_of(self.topology, runtime=self._runtime, post=self.sources.post, history=self._history)
        return Mappings(
            [*flows_of(self.topology, self._runtime), *piped],
            topology=self.topology,
            store=self.store,
            history=self._history,
            concurrency=self._workers_per_function,
            moved=self._moved.ring,
            switched=self._kept.switched,
        )

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, lambda: call() if self._open else None)

    def _notice(self, happening: Happening) -> None:
        if happening.kind in _MOVES:
            self._moved.ring()
