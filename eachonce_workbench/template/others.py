"""What a template names of other stacks, and what there is of it here: queues and buses, empty, of the same names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from eachonce_workbench.template.place import Place
from eachonce_workbench.template.system import System, bus_name, is_fifo
from eachonce_workbench.template.topology import Bus, Queue

_ARN = re.compile(r"arn:[^:]+:(?P<service>sqs|events):(?P<region>[^:]+):(?P<account>\d{12}):(?P<resource>[\w./-]+)")
_BUS = "event-bus/"
_VISIBILITY_SECONDS = 900  # no function takes longer, whatever the other stack says


def others(system: System, place: Place) -> tuple[tuple[Queue, ...], tuple[Bus, ...]]:
    """Give the queues and buses of this account and region that the resources name, and the template doesn't make."""
    named = [found for resource in system.resources for found in _arns(resource.properties.values)]
    here = [found for found in named if (found["region"], found["account"]) == (place.region, place.account_id)]
    queues = {found["resource"] for found in here if found["service"] == "sqs"}
    buses = {found["resource"].removeprefix(_BUS) for found in here if found["resource"].startswith(_BUS)}
    buses |= {bus_name(rule.properties) for rule in system.of_type("AWS::Events::Rule")}
    own = {each.arn for each in system.resources}
    return (
        tuple(queue for name in sorted(queues) if (queue := _queue(name, place)).arn not in own),
        tuple(bus for name in sorted(buses - {"default"}) if (bus := _bus(name, place)).arn not in own),
    )


def _arns(value: Any) -> Iterator[re.Match[str]]:
    if isinstance(value, str):
        if found := _ARN.fullmatch(value):
            yield found
    elif isinstance(value, Mapping | list):
        parts: Iterable[Any] = value.values() if isinstance(value, Mapping) else value
        for part in parts:
            yield from _arns(part)


def _queue(name: str, place: Place) -> Queue:
    arn = place.arn("sqs", name)
    return Queue(
        logical_id=name,
        name=name,
        arn=arn,
        url=f"{place.endpoint}/{place.account_id}/{name}",
        fifo=is_fifo(arn),
        visibility_timeout_seconds=_VISIBILITY_SECONDS,
        retention_seconds=345_600,
        dead_letter_arn=None,
        max_receive_count=None,
        properties={"VisibilityTimeout": _VISIBILITY_SECONDS, **({"FifoQueue": True} if is_fifo(arn) else {})},
    )


def _bus(name: str, place: Place) -> Bus:
    return Bus(logical_id=name, name=name, arn=place.arn("events", f"event-bus/{name}"))
