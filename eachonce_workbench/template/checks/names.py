"""Names that are there twice: AWS makes the first of two resources, and refuses the second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from eachonce_workbench.template.intrinsics import Unresolved
from eachonce_workbench.template.system import Resource, System, function_name

_NAMES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::SQS::Queue": "QueueName",
}


def misfits(system: System) -> Iterator[Unresolved]:
    """Give the second of each two."""
    seen: dict[str, str] = {}
    for resource in system.resources:
        if resource.type not in _NAMES or resource.arn is None:
            continue
        first = seen.setdefault(resource.arn, resource.logical_id)
        if first != resource.logical_id:
            name = _NAMES[resource.type]
            yield Unresolved(resource.properties.at(name), f"{name} is the same as that of {first}")
    yield from _mappings(system)


def _mappings(system: System) -> Iterator[Unresolved]:
    seen: Counter[tuple[str, str]] = Counter()
    for mapping in system.of_type("AWS::Lambda::EventSourceMapping"):
        pair = _pair(mapping)
        seen[pair] += 1
        if seen[pair] == 2:
            yield Unresolved(mapping.properties.at("EventSourceArn"), f"{pair[0]} has a mapping of {pair[1]} already")


def _pair(mapping: Resource) -> tuple[str, str]:
    values = mapping.properties.values
    return function_name(str(values.get("FunctionName"))), str(values.get("EventSourceArn", mapping.logical_id))
