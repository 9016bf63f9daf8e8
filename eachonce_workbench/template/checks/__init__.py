"""What AWS refuses although each property by itself is well: what doesn't fit together in one or in two."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from eachonce_workbench.template.checks import functions, mappings, names, queues, rules, tables
from eachonce_workbench.template.intrinsics import Unresolved
from eachonce_workbench.template.system import Resource, System

__all__ = ["misfits"]

_CHECKS: dict[str, Callable[[Resource, System], Iterator[Unresolved]]] = {
    "AWS::DynamoDB::Table": tables.misfits,
    "AWS::Events::Rule": rules.misfits,
    "AWS::Lambda::EventInvokeConfig": functions.misfits_of_destinations,
    "AWS::Lambda::EventSourceMapping": mappings.misfits,
    "AWS::Lambda::Function": functions.misfits,
    "AWS::SQS::Queue": queues.misfits,
}


def misfits(system: System) -> Iterator[Unresolved]:
    """Give what doesn't fit, resource by resource; each resource's properties are within their limits."""
    for resource in system.resources:
        if resource.type in _CHECKS:
            yield from _CHECKS[resource.type](resource, system)
    yield from names.misfits(system)
