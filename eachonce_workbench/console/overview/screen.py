"""The first screen: how it stands, drawn."""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eachonce_workbench.cloud.store.queues.queues import QueueMissing
from eachonce_workbench.console.overview.graph import Edge, graph_of
from eachonce_workbench.console.overview.layout import WIDTH, draw
from eachonce_workbench.console.overview.state import (
    ConsumerState,
    Depth,
    deployed_consumers,
    lines_of,
    local_consumers,
    outcomes_by_consumer,
    sentence,
)
from eachonce_workbench.console.pages import Pages
from eachonce_workbench.console.place import aside
from eachonce_workbench.console.record import Record
from eachonce_workbench.template.topology import Topology


class Overview:
    """Shows the whole system, and how it stands."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._place = pages.place

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [Route("/", self.show)]

    async def show(self, request: Request) -> Response:
        """Show it as it is now."""
        record = self._place.record or Record()
        topology = self._place.topology()
        consumers = await self._consumers(topology, record)
        drawing = None
        if topology is not None:
            drawing = draw(graph_of(topology), lines_of(topology, consumers, record))
        return self._pages.page(
            request,
            "overview.html",
            sentence=sentence(record, consumers) if self._place.record is not None else None,
            consumers=consumers,
            drawing=drawing,
            box_width=WIDTH,
            counts=_Counts(record, topology),
            functions=_others(topology, consumers, record),
            now=time.time(),
            command=self._place.command("dlq", "list"),
        )

    async def _consumers(self, topology: Topology | None, record: Record) -> list[ConsumerState]:
        if self._place.record is not None and topology is not None:
            return list(local_consumers(topology, self._depth, record))
        return await aside(lambda: list(deployed_consumers(self._place.stack(), self._place.account.client("sqs"))))

    def _depth(self, queue_arn: str) -> Depth | None:
        if self._place.cloud is None:
            return None
        try:
            held = self._place.cloud().store.queues.depth(queue_arn)
        except QueueMissing:
            return None
        return Depth(visible=held.visible, in_flight=held.in_flight, delayed=held.delayed)


class _Counts:
    """What has gone along each arrow of the drawing."""

    def __init__(self, record: Record, topology: Topology | None) -> None:
        self._delivered = {key[1:]: count for key, count in record.counts.items() if key[0] == "delivered"}
        self._invoked = {key[1]: count for key, count in record.counts.items() if key[0] == "invoked"}
        self._rules = {} if topology is None else {rule.logical_id: rule.name for rule in topology.rules}
        self._functions = {} if topology is None else {each.arn: each.logical_id for each in topology.functions}

    def of(self, edge: Edge) -> int | None:
        """How much went along an arrow, None where nobody counts."""
        if edge.through:
            return self._delivered.get((self._rules.get(edge.through, edge.through), edge.target), 0)
        return self._invoked.get(self._functions.get(edge.target, ""), 0) if edge.does == "feeds" else None


def _others(
    topology: Topology | None, consumers: list[ConsumerState], record: Record
) -> list[tuple[str, dict[str, Any]]]:
    """Return the functions that consume no queue, and how often they ended in which way."""
    told = {each.name for each in consumers}
    outcomes = outcomes_by_consumer(record)
    ended: dict[str, dict[str, int]] = {}
    for key, count in record.counts.items():
        if key[0] == "attempted":
            ended.setdefault(key[1], {})[key[2]] = count
    names = () if topology is None else (function.logical_id for function in topology.functions)
    return [(name, dict(outcomes.get(name) or ended.get(name, {}))) for name in names if name not in told]
