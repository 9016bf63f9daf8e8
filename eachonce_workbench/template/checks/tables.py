"""What must fit together in a table: its keys, their definitions, its indexes and how it is billed.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from eachonce_workbench.template.intrinsics import Unresolved
from eachonce_workbench.template.properties import Properties
from eachonce_workbench.template.system import Resource, System

_UNITS = ("ReadCapacityUnits", "WriteCapacityUnits")
_INDEXES = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
_MOST_PROJECTED = 100


def misfits(table: Resource, _system: System) -> Iterator[Unresolved]:
    """Give what AWS would refuse."""
    properties = table.properties
    yield from _keys(properties)
    yield from _definitions(properties)
    yield from _local_indexes(properties)
    yield from _index_names(properties)
    yield from _projections(properties)
    yield from _billing(properties)
    lifetime = properties.group("TimeToLiveSpecification")
    if lifetime.flag("Enabled", default=False) and "AttributeName" not in lifetime:
        yield Unresolved(lifetime.where, "TimeToLiveSpecification needs AttributeName")


def _all_keyed(properties: Properties) -> Iterator[Properties]:
    """Give whatever has a key: the table, and its indexes."""
    yield properties
    for name in _INDEXES:
        yield from properties.groups(name)


def _keys(properties: Properties) -> Iterator[Unresolved]:
    for keyed in _all_keyed(properties):
        keys = list(keyed.groups("KeySchema"))
        kinds = [key.text("KeyType") for key in keys]
        names = [key.text("AttributeName") for key in keys]
        if kinds not in (["HASH"], ["HASH", "RANGE"]):
            yield Unresolved(
                keyed.at("KeySchema"), f"KeySchema is a HASH key, and a RANGE key after it, not {' and '.join(kinds)}"
            )
        elif len(set(names)) < len(names):
            yield Unresolved(keyed.at("KeySchema"), f"KeySchema has two attributes; {names[0]} is both")


def _definitions(properties: Properties) -> Iterator[Unresolved]:
    """Compare the attributes that are defined with those that are keys: DynamoDB wants each of them in both."""
    where = properties.at("AttributeDefinitions")
    defined = Counter(each.text("AttributeName") for each in properties.groups("AttributeDefinitions"))
    used = {key.text("AttributeName") for keyed in _all_keyed(properties) for key in keyed.groups("KeySchema")}
    for name, count in defined.items():
        if count > 1:
            yield Unresolved(where, f"AttributeDefinitions has {name} twice")
    for name in sorted(used - defined.keys()):
        yield Unresolved(where, f"{name} is a key and needs its type in AttributeDefinitions")
    if "VectorIndexes" not in properties:
        for name in sorted(defined.keys() - used):
            yield Unresolved(where, f"AttributeDefinitions has {name}, which is no key of the table or of an index")


def _local_indexes(properties: Properties) -> Iterator[Unresolved]:
    keys = list(properties.groups("KeySchema"))
    for index in properties.groups("LocalSecondaryIndexes"):
        own = list(index.groups("KeySchema"))
        if len(keys) < 2:
            yield Unresolved(index.where, "a table with LocalSecondaryIndexes needs a RANGE key")
        elif len(own) < 2 or own[0].text("AttributeName") != keys[0].text("AttributeName"):
            yield Unresolved(
                index.at("KeySchema"), "KeySchema of a local index is the table's HASH key, and a RANGE key of its own"
            )


def _index_names(properties: Properties) -> Iterator[Unresolved]:
    seen: set[str] = set()
    for name in _INDEXES:
        for index in properties.groups(name):
            if (called := index.text("IndexName")) in seen:
                yield Unresolved(index.at("IndexName"), f"IndexName is an index's own; {called!r} is there twice")
            seen.add(called)


def _projections(properties: Properties) -> Iterator[Unresolved]:
    projected = 0
    for name in _INDEXES:
        for index in properties.groups(name):
            projection = index.group("Projection")
            attributes = projection.items("NonKeyAttributes")
            includes = projection.get("ProjectionType") == "INCLUDE"
            projected += len(attributes)
            if includes != bool(attributes):
                yield Unresolved(projection.where, "NonKeyAttributes and ProjectionType INCLUDE go together")
    if projected > _MOST_PROJECTED:
        yield Unresolved(
            properties.where, f"NonKeyAttributes of all indexes are {_MOST_PROJECTED} at most, not {projected}"
        )


def _billing(properties: Properties) -> Iterator[Unresolved]:
    on_demand = properties.get("BillingMode", "PROVISIONED") == "PAY_PER_REQUEST"
    for billed in (properties, *properties.groups("GlobalSecondaryIndexes")):
        throughput = billed.group("ProvisionedThroughput")
        units = [throughput.integer(name, 0) for name in _UNITS]
        if on_demand and any(units):
            yield Unresolved(
                throughput.where, "ProvisionedThroughput is for BillingMode PROVISIONED, not PAY_PER_REQUEST"
            )
        if not on_demand and not all(units):
            yield Unresolved(
                throughput.where,
                "BillingMode PROVISIONED, the default, needs ProvisionedThroughput of 1 or more units each",
            )
