"""Tenants that share a consumer: how long each one's events take beside the others', in virtual time.

The bus, the queue and its poller are the local cloud's, and the batches are put in order as the layer does. Only the
handler is played: an event takes a tenth of a second, in four threads unless it is said otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from eachonce.lanes import in_lanes, in_turn
from eachonce.listener import listen

from eachonce_workbench.cloud.bus.bus import Bus
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.mappings.queue_mapping import QueuePoller
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.matching.filter import Filters
from eachonce_workbench.simulator import clock as virtual_time
from eachonce_workbench.template.topology import QueueMapping
from tests.topologies import bus, queue, rule, target, topology

NOISY = "noisy"
EVENT_SECONDS = 0.1
THREADS = 4
BATCH = 10  # messages, as in the template
BATCHES_AT_ONCE = 10  # the template's MaximumConcurrency
PATH = "$.detail.tenant"

_QUEUE = queue("orders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event of a tenant's, and when it is published."""

    tenant: str
    at_seconds: float


def crowd(
    *, noisy: int, others: int, tenants: int, over_seconds: float = 0.0, noisy_first: bool = False
) -> list[Arrival]:
    """Return a noisy tenant's events, which come at once, and some others', evenly among them or over a time."""
    theirs = [Arrival(tenant=f"quiet-{n % tenants}", at_seconds=over_seconds * n / others) for n in range(others)]
    loud = [Arrival(tenant=NOISY, at_seconds=0.0)] * noisy
    if noisy_first or not noisy:
        mixed = [*loud, *theirs]
    else:
        each = noisy // others
        mixed = [one for n, mine in enumerate(theirs) for one in [*loud[n * each : (n + 1) * each], mine]]
        mixed += loud[others * each :]
    return sorted(mixed, key=lambda arrival: arrival.at_seconds)


def alone(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Return the others' events."""
    return [arrival for arrival in arrivals if arrival.tenant != NOISY]


def median_seconds(
    arrivals: Sequence[Arrival],
    *,
    group: str | None,
    in_turns: bool = True,
    workers: int = BATCHES_AT_ONCE,
    threads: int = THREADS,
    batch: int = BATCH,
) -> float:
    """Return the median of the others' times, from an event's publishing to the end of its handler."""
    town = _Town(group, in_turns=in_turns, threads=threads, batch=batch)
    took = virtual_time.run(town.live(arrivals, workers))
    return median(seconds for tenant, seconds in took if tenant != NOISY)


class _Town:
    """A bus, a queue and its consumer."""

    def __init__(self, group: str | None, *, in_turns: bool, threads: int, batch: int) -> None:
        self._in_turns = in_turns
        self._threads = threads
        self._batch = batch
        self._took: list[tuple[str, float]] = []
        way = rule("all", {"source": ["shop"]}, target(_QUEUE, message_group_id=group))
        self._topology = topology(queues=(_QUEUE,), buses=(bus("shop"),), rules=(way,))

    async def live(self, arrivals: Sequence[Arrival], workers: int) -> list[tuple[str, float]]:
        """Publish what arrives, and return what each event took, by tenant, when all are handled."""
        history = History()
        store = Store(self._topology, history=history)
        store.create()
        publishing = Bus(self._topology, store.queues, history, after=lambda *_: None)
        poller = QueuePoller(
            _mapping(workers, self._batch),
            queue=_QUEUE,
            queues=store.queues,
            runtime=self,
            history=history,
            concurrency=workers,
        )
        task = asyncio.create_task(poller.run())
        begun = time.time()
        for number, arrival in enumerate(arrivals):
            await asyncio.sleep(max(0.0, begun + arrival.at_seconds - time.time()))
            publishing.put_events([_entry(number, arrival.tenant)])
        while len(self._took) < len(arrivals):
            await asyncio.sleep(EVENT_SECONDS)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return self._took

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        """Handle a batch as the layer would, its lanes in threads."""
        lanes = in_lanes(listen(json.loads(payload)))
        began = time.time()
        free = [began] * self._threads
        for lane in in_turn(lanes) if self._in_turns else lanes:
            ended = heapq.heappop(free)
            for delivery in lane:
                ended += EVENT_SECONDS
                assert delivery.event is not None
                assert delivery.event.time is not None
                sent = delivery.event.time.timestamp()
                self._took.append((str(delivery.event.tenant), ended - sent))
            heapq.heappush(free, ended)
        await asyncio.sleep(max(free) - began)
        return Invocation(status="ok", payload=b'{"batchItemFailures": []}', request_id="r")

    async def stop(self) -> None:
        """Nothing was started."""


def _mapping(workers: int, batch: int) -> QueueMapping:
    return QueueMapping(
        function="Fn",
        queue_arn=_QUEUE.arn,
        enabled=True,
        batch_size=batch,
        window_seconds=0,
        max_concurrency=workers,
        report_failures=True,
        filters=Filters.of(None),
    )


def _entry(number: int, tenant: str) -> dict[str, Any]:
    detail = {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "shop",
        "type": "OrderPlaced",
        "time": datetime.now(UTC).isoformat(),
        "tenant": tenant,
        "data": {},
    }
    return {"EventBusName": "shop", "Source": "shop", "DetailType": "OrderPlaced", "Detail": json.dumps(detail)}
