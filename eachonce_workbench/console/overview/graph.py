"""A topology as a graph: who publishes what, by which rule, into which queue, to which function and table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from eachonce_workbench.template.topology import Function, Rule, Topology

NodeKind = Literal["api", "bucket", "bus", "function", "pipe", "queue", "schedule", "table", "topic"]

_WRITES = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A part of the system; `id` is its ARN, or its logical id where it has none."""

    id: str
    kind: NodeKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What goes from one part to another; `through` is the logical id of the rule, or subscription, that lets it."""

    source: str
    target: str
    does: Literal["calls", "publishes", "feeds", "delivers", "writes"]
    through: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes, and the edges between those that are there."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(topology: Topology) -> Graph:
    """Return the graph of a topology; dead-letter queues are told of at the queues that they are of."""
    nodes = {node.id: node for node in _nodes(topology)}
    edges = [edge for edge in dict.fromkeys(_edges(topology)) if edge.source in nodes and edge.target in nodes]
    # A bus that nothing goes through is the account's own, which is always there.
    used = {end for edge in edges for end in (edge.source, edge.target)}
    shown = [node for node in nodes.values() if node.id in used or node.kind not in ("bus", "queue")]
    return Graph(nodes=tuple(shown), edges=tuple(edges))


def _nodes(topology: Topology) -> Iterator[Node]:
    yield from (Node(id=api.logical_id, kind="api", name=api.logical_id) for api in topology.apis)
    yield from (Node(id=each.arn, kind="schedule", name=each.logical_id) for each in topology.schedules)
    yield from (Node(id=each.arn, kind="bucket", name=each.logical_id) for each in topology.buckets)
    yield from (Node(id=each.arn, kind="topic", name=each.logical_id or each.name) for each in topology.topics)
    yield from (Node(id=each.arn, kind="bus", name=each.logical_id or each.name) for each in topology.buses)
    yield from (Node(id=each.arn, kind="queue", name=each.logical_id) for each in topology.queues)
    yield from (Node(id=each.arn, kind="pipe", name=each.logical_id) for each in topology.pipes)
    yield from (Node(id=each.arn, kind="function", name=each.logical_id) for each in topology.functions)
    yield from (Node(id=each.arn, kind="table", name=each.logical_id) for each in topology.tables)


def _edges(topology: Topology) -> Iterator[Edge]:
    functions = {function.logical_id: function.arn for function in topology.functions}
    buses = {bus.name: bus.arn for bus in topology.buses}
    for api in topology.apis:
        for route in api.routes:
            if route.function is not None:
                yield Edge(source=api.logical_id, target=functions.get(route.function, ""), does="calls")
    for schedule in topology.schedules:
        yield from (Edge(source=schedule.arn, target=target.arn, does="delivers") for target in schedule.targets)
    for bucket in topology.buckets:
        yield from (Edge(source=bucket.arn, target=each.target_arn, does="delivers") for each in bucket.notifications)
        if bucket.tells_bus:
            yield Edge(source=bucket.arn, target=buses.get("default", ""), does="publishes")
    for each in topology.subscriptions:
        yield Edge(source=each.topic_arn, target=each.endpoint, does="delivers", through=each.logical_id)
    for rule in topology.rules:
        yield from _of_rule(rule, buses.get(rule.bus_name, ""))
    for pipe in topology.pipes:
        yield Edge(source=_table_or_queue(topology, pipe.source_arn), target=pipe.arn, does="feeds")
        yield Edge(source=pipe.arn, target=pipe.target.arn, does="delivers")
    for mapping in topology.queue_mappings:
        yield Edge(source=mapping.queue_arn, target=functions.get(mapping.function, ""), does="feeds")
    for stream in topology.stream_mappings:
        source = _table_or_queue(topology, stream.stream_arn)
        yield Edge(source=source, target=functions.get(stream.function, ""), does="feeds")
    for function in topology.functions:
        yield from _of_function(function, topology)


def _of_rule(rule: Rule, bus_arn: str) -> Iterator[Edge]:
    if rule.pattern is not None:
        for target in rule.targets:
            yield Edge(source=bus_arn, target=target.arn, does="delivers", through=rule.logical_id)


def _of_function(function: Function, topology: Topology) -> Iterator[Edge]:
    """Yield what a function may do, as its role says; what nobody can say is left out."""
    if function.policy is None:
        return
    for bus in topology.buses:
        if function.policy.allows("events:PutEvents", bus.arn):
            yield Edge(source=function.arn, target=bus.arn, does="publishes")
    for table in topology.tables:
        if _any_allowed(function, _WRITES, table.arn):
            yield Edge(source=function.arn, target=table.arn, does="writes")
    for topic in topology.topics:
        if function.policy.allows("sns:Publish", topic.arn):
            yield Edge(source=function.arn, target=topic.arn, does="publishes")


def _any_allowed(function: Function, actions: Iterable[str], arn: str) -> bool:
    return function.policy is not None and any(function.policy.allows(action, arn) for action in actions)


def _table_or_queue(topology: Topology, arn: str) -> str:
    """Return the ARN of the table whose stream this is, or the ARN as it is."""
    return next((table.arn for table in topology.tables if table.stream_arn == arn), arn)
