"""All that reads the queues and streams of one local cloud: event source mappings, and pipes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from eachonce_workbench.cloud.mappings.queue_mapping import QueuePoller
from eachonce_workbench.cloud.mappings.stream_mapping import StreamReader
from eachonce_workbench.template.topology import QueueMapping, StreamMapping, Topology

if TYPE_CHECKING:
    from eachonce_workbench.cloud.functions.runtime import Runtime
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.cloud.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What is read, as a mapping says, and what is invoked with it, whose ARN is `arn`."""

    mapping: QueueMapping | StreamMapping
    arn: str
    runtime: Runtime


def flows_of(topology: Topology, runtime: Runtime) -> list[Flow]:
    """The topology's event source mappings, as far as they are enabled."""
    mappings: list[QueueMapping | StreamMapping] = [*topology.queue_mappings, *topology.stream_mappings]
    return [
        Flow(mapping=each, arn=topology.function(each.function).arn, runtime=runtime)
        for each in mappings
        if each.enabled
    ]


class Mappings:
    """Runs each flow as a task, from `start` to `stop`."""

    def __init__(
        self,
        flows: Iterable[Flow],
        *,
        topology: Topology,
        store: Store,
        history: History,
        concurrency: int,
        moved: Callable[[], None],
    ) -> None:
        """Take what flows, how many batches of a queue run at once, and whom to tell that something was done."""
        self._topology = topology
        self._store = store
        self._history = history
        self._concurrency = concurrency
        self._moved = moved
        self._flows = list(flows)
        self._readers: list[StreamReader] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def behind(self) -> bool:
        """Whether a queue that is read has a message (visible, hidden or delayed), or a stream a record left."""
        return any(reader.behind for reader in self._readers) or any(
            self._store.queues.depth(flow.mapping.queue_arn).total
            for flow in self._flows
            if isinstance(flow.mapping, QueueMapping)
        )

    @property
    def readers(self) -> Sequence[StreamReader]:
        """Those that read streams."""
        return self._readers

    def start(self, resume: Callable[[Sequence[StreamReader]], None]) -> None:
        """Begin to read everything; `resume` may say before where readers of streams are."""
        self._readers = [
            self._reader(each, flow) for flow in self._flows if not isinstance(each := flow.mapping, QueueMapping)
        ]
        resume(self._readers)
        pollers = [self._poller(each, flow) for flow in self._flows if isinstance(each := flow.mapping, QueueMapping)]
        runs = [reader.run() for reader in self._readers] + [poller.run() for poller in pollers]
        self._tasks = [asyncio.create_task(run, name="event source mapping") for run in runs]
        for task in self._tasks:
            task.add_done_callback(lambda _: self._moved())

    def raise_failures(self) -> None:
        """Raise what a task failed with, if one did."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def stop(self) -> None:
        """End every task. Raises what one failed with, if one did."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.raise_failures()

    def _poller(self, mapping: QueueMapping, flow: Flow) -> QueuePoller:
        return QueuePoller(
            mapping,
            queue=self._topology.queue(mapping.queue_arn),
            queues=self._store.queues,
            runtime=flow.runtime,
            history=self._history,
            concurrency=self._concurrency,
        )

    def _reader(self, mapping: StreamMapping, flow: Flow) -> StreamReader:
        return StreamReader(
            mapping,
            function_arn=flow.arn,
            streams=self._store.streams,
            queues=self._store.queues,
            runtime=flow.runtime,
            history=self._history,
            clock=time.time,
            passed=partial(self._trim, mapping.table_name),
        )

    def _trim(self, table_name: str) -> None:
        """Forget the records that every reader of a stream has passed."""
        self._store.streams.trim(table_name, min(r.position for r in self._readers if r.table_name == table_name))
        self._moved()
