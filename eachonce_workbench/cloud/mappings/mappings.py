"""All that reads the queues and streams of one local cloud: event source mappings, and pipes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from eachonce_workbench.cloud.mappings.queue_mapping import QueuePoller
from eachonce_workbench.cloud.mappings.stream_mapping import StreamReader
from eachonce_workbench.cloud.mappings.switch import Reader, State, Switch
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
    """The topology's event source mappings, those that are disabled, too."""
    mappings: list[QueueMapping | StreamMapping] = [*topology.queue_mappings, *topology.stream_mappings]
    return [Flow(mapping=each, arn=topology.function(each.function).arn, runtime=runtime) for each in mappings]


class Mappings:
    """Runs each flow as a task, from `start` to `stop`, while it is enabled."""

    def __init__(
        self,
        flows: Iterable[Flow],
        *,
        topology: Topology,
        store: Store,
        history: History,
        concurrency: int,
        moved: Callable[[], None],
        switched: Mapping[str, bool] | None = None,
    ) -> None:
        """Take what flows, how many batches of a queue run at once, and whom to tell that something was done.

        `switched` are the mappings, by their UUID, that were turned on or off against what the template says.
        """
        self._topology = topology
        self._store = store
        self._history = history
        self._concurrency = concurrency
        self._moved = moved
        self._flows = list(flows)
        self.switched = dict(switched or {})
        self._readers: dict[int, StreamReader] = {}
        self._switches: dict[int, Switch] = {}

    @property
    def behind(self) -> bool:
        """Whether a queue that is read has a message (visible, hidden or delayed), or a stream a record left."""
        return any(self._is_behind(place, flow) for place, flow in enumerate(self._flows))

    def _is_behind(self, place: int, flow: Flow) -> bool:
        if place not in self._switches or not self._switches[place].working:
            return False
        if isinstance(flow.mapping, QueueMapping):
            return self._store.queues.depth(flow.mapping.queue_arn).total > 0
        return self._readers[place].behind

    @property
    def readers(self) -> Sequence[StreamReader]:
        """Those that read streams, or did."""
        return list(self._readers.values())

    def start(self, resume: Callable[[Sequence[StreamReader]], None]) -> None:
        """Begin to read everything; `resume` may say before where readers of streams are."""
        for place, flow in enumerate(self._flows):
            if flow.mapping.enabled or self._wanted(flow):
                self._switches[place] = self._switch(place, flow)
        resume(self.readers)
        for place, switch in self._switches.items():
            if self._wanted(self._flows[place]):
                switch.begin()
            else:
                self._tell(self._flows[place], "Disabled")

    def state(self, uuid: str) -> State | None:
        """What a mapping does now; None when there is none."""
        place = self._place(uuid)
        if place is None:
            return None
        return self._switches[place].state if place in self._switches else "Disabled"

    def turn(self, uuid: str, *, on: bool) -> None:
        """Turn a mapping on or off, for this local cloud and those to come. Raises KeyError when there is none."""
        place = self._place(uuid)
        if place is None:
            raise KeyError(uuid)
        flow = self._flows[place]
        if place not in self._switches:
            self._switches[place] = self._switch(place, flow)
        self._switches[place].turn(on=on)
        self.switched.pop(uuid, None)
        if on != flow.mapping.enabled:
            self.switched[uuid] = on

    def raise_failures(self) -> None:
        """Raise what a task failed with, if one did."""
        for switch in self._switches.values():
            switch.raise_failure()

    async def stop(self) -> None:
        """End every task. Raises what one failed with, if one did."""
        await asyncio.gather(*(switch.stop() for switch in self._switches.values()))
        self.raise_failures()

    def _place(self, uuid: str) -> int | None:
        found = (place for place, flow in enumerate(self._flows) if flow.mapping.uuid == uuid != "")
        return next(found, None)

    def _wanted(self, flow: Flow) -> bool:
        return self.switched.get(flow.mapping.uuid, flow.mapping.enabled)

    def _switch(self, place: int, flow: Flow) -> Switch:
        reader: Reader
        if isinstance(flow.mapping, QueueMapping):
            reader = self._poller(flow.mapping, flow)
        else:
            reader = self._readers[place] = self._reader(flow.mapping, flow)
        return Switch(reader, changed=partial(self._tell, flow), ended=self._moved)

    def _tell(self, flow: Flow, state: State) -> None:
        self._history.record("switched", function=flow.mapping.function, state=state)

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
        self._store.streams.trim(table_name, min(r.position for r in self.readers if r.table_name == table_name))
        self._moved()
