"""What can be sent, and where it goes: by contract, from the bundle's samples, or anything to anybody; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from eachonce_workbench.console.send.contracts import Known, Told
from eachonce_workbench.console.text import indented
from eachonce_workbench.run.books import Input
from eachonce_workbench.template.topology import Rule, Topology

Way = Literal["bus", "queue", "function"]

_EVENT_SOURCE = "EVENT_SOURCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something that can be sent.

    `name` is unique, `group` what it is listed under. `texts` are what its form begins with. An `enveloped` one is a
    CloudEvents event around its data; of a bus's entry that isn't, source and type are told apart. `consumers` are the
    functions that may get it.
    """

    name: str
    title: str
    group: str
    way: Way
    target: str
    texts: Mapping[str, str] = field(default_factory=dict)
    enveloped: bool = False
    known: Known | None = None
    consumers: tuple[str, ...] = ()


def offers(topology: Topology, told: Told, samples: Sequence[Input]) -> list[Offer]:
    """Return all that can be sent: contracts first."""
    shown = {event.type: event for given in samples if (event := event_in(given.payload)) is not None}
    asked = {given.target: given.payload.decode(errors="replace") for given in reversed(samples)}
    known = sorted(told.known, key=lambda each: each.kind)  # events before requests
    found = [_of_contract(each, topology, shown, asked) for each in known]
    found += [_of_sample(given, topology) for given in samples]
    found += _of_anything(topology)
    return found


class Shown(msgspec.Struct, frozen=True, tag_field="specversion", tag="1.0"):
    """A CloudEvents event as a sample shows it, its data as they are written."""

    id: str
    source: str
    type: str
    data: msgspec.Raw
    subject: str | None = None
    tenant: str | None = None


class _Wrapped(msgspec.Struct):
    """What EventBridge hands on, or takes."""

    detail: msgspec.Raw = msgspec.Raw()
    entry: str | None = msgspec.field(name="Detail", default=None)


def event_in(payload: bytes) -> Shown | None:
    """Return the CloudEvents event in a message's body or a bus's entry; None where there is none."""
    try:
        wrapped = msgspec.json.decode(payload, type=_Wrapped)
        inner = bytes(wrapped.detail) or payload
        return msgspec.json.decode(inner if wrapped.entry is None else wrapped.entry, type=Shown)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _of_contract(known: Known, topology: Topology, shown: Mapping[str, Shown], asked: Mapping[str, str]) -> Offer:
    if known.kind == "request":
        (function,) = known.functions
        name = known.type.partition(" ")[2]
        return Offer(
            name=f"request {known.type}",
            title=f"{name}, asked of {function}",
            group="Requests, by contract",
            way="function",
            target=function,
            texts={"data": indented(asked[function].encode()) if function in asked else known.sample},
            known=known,
            consumers=known.functions,
        )
    sample = shown.get(known.type)
    way, target, rule = _way(known, topology)
    texts = {
        "source": sample.source if sample else known.source or _source(rule, topology),
        "type": known.type,
        "subject": (sample.subject or "") if sample else "",
        "tenant": (sample.tenant or "") if sample else "",
        "data": indented(bytes(sample.data)) if sample else known.sample,
    }
    return Offer(
        name=f"event {known.type}",
        title=known.type,
        group="Events, by contract",
        way=way,
        target=target,
        texts=texts,
        enveloped=not known.alone,
        known=known,
        consumers=known.functions,
    )


def _way(known: Known, topology: Topology) -> tuple[Way, str, Rule | None]:
    """Return by which way an event reaches its consumers: a bus whose rule leads there, else a queue, else itself."""
    queues = [each.queue_arn for each in topology.queue_mappings if each.function in known.functions]
    arns = {*queues, *(topology.function(name).arn for name in known.functions)}
    rules = [rule for rule in topology.rules if rule.pattern and any(target.arn in arns for target in rule.targets)]
    if rules:
        rule = next((each for each in rules if known.type in _wanted(each, "detail-type")), rules[0])
        return "bus", rule.bus_name, rule
    return ("queue", queues[0], None) if queues else ("function", known.functions[0], None)


def _source(rule: Rule | None, topology: Topology) -> str:
    said = (each.environment.get(_EVENT_SOURCE) for each in topology.functions)
    return next(iter((*_wanted(rule, "source"), *filter(None, said))), "console")


def _wanted(rule: Rule | None, name: str) -> list[str]:
    """Return the texts that a rule's pattern wants of a member, as far as they are said plainly."""
    pattern: Any = {} if rule is None else rule.properties.get("EventPattern")
    wanted = pattern.get(name, ()) if isinstance(pattern, Mapping) else ()
    return [each for each in wanted if isinstance(each, str)] if isinstance(wanted, list | tuple) else []


def _of_sample(given: Input, topology: Topology) -> Offer:
    text = given.payload.decode(errors="replace")
    texts = {"data": text}
    if given.kind == "bus":
        entry = json.loads(text)
        texts = {"source": entry["Source"], "type": entry["DetailType"], "data": entry["Detail"]}
    return Offer(
        name=f"sample {given.name}",
        title=given.name,
        group="The bundle's samples",
        way=given.kind,
        target=given.target,
        texts={**texts, "data": indented(texts["data"].encode())},
        consumers=tuple(_readers(given.kind, given.target, topology)),
    )


def _of_anything(topology: Topology) -> Iterator[Offer]:
    for bus in topology.buses:
        texts = {"source": "console", "type": "Something happened", "data": "{}"}
        yield _anything("bus", bus.name, bus.name, texts, topology)
    for queue in topology.queues:
        yield _anything("queue", queue.logical_id, queue.arn, {"data": "{}"}, topology)
    for function in topology.functions:
        yield _anything("function", function.logical_id, function.logical_id, {"data": "{}"}, topology)


def _anything(way: Way, called: str, target: str, texts: Mapping[str, str], topology: Topology) -> Offer:
    words = {"bus": "an event to the bus", "queue": "a message to the queue", "function": "an invocation of"}
    return Offer(
        name=f"{way} {called}",
        title=f"{words[way]} {called}",
        group="Anything",
        way=way,
        target=target,
        texts=texts,
        consumers=tuple(_readers(way, target, topology)),
    )


def _readers(way: Way, target: str, topology: Topology) -> Iterator[str]:
    if way == "function":
        yield target
    elif way == "queue":
        yield from (each.function for each in topology.queue_mappings if each.queue_arn == target)
    else:
        yield from (function.logical_id for function in topology.functions)
