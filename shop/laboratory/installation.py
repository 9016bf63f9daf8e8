"""The laboratory's place in a topology: its table, queues, rule and function, each like TrackCustomer's."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from eachonce_workbench.matching.pattern import Pattern
from eachonce_workbench.template.topology import Topology

T = TypeVar("T")

_FOLDER = Path(__file__).resolve().parent
_PATTERN = Pattern({"source": ["shop"], "detail-type": ["OrderPlaced", "StockReserved"]})
# What TrackCustomer's things are called, and what the laboratory's are; "row" is the key of its table.
_NAMES = {
    "track-customer": "laboratory",
    "TrackCustomer": "Laboratory",
    "TABLE_CUSTOMERS": "TABLE_LABORATORY",
    "Customers": "Laboratory",
    "customer": "row",
}


def with_laboratory(topology: Topology) -> Topology:
    """Return a topology that has the laboratory, too."""
    # It has no role: nobody deploys it.
    function = replace(_renamed(topology.function("TrackCustomer")), code=_FOLDER, policy=None)
    queue, dead_letter_queue = topology.queue("TrackCustomerQueue"), topology.queue("TrackCustomerDeadLetterQueue")
    rule = next(rule for rule in topology.rules if rule.logical_id == "TrackCustomerRule")
    mapping = next(mapping for mapping in topology.queue_mappings if mapping.function == "TrackCustomer")
    return replace(
        topology,
        tables=(*topology.tables, _renamed(topology.table("Customers"))),
        queues=(*topology.queues, _renamed(queue), _renamed(dead_letter_queue)),
        rules=(*topology.rules, replace(_renamed(rule), pattern=_PATTERN)),
        functions=(*topology.functions, function),
        queue_mappings=(*topology.queue_mappings, _renamed(mapping)),
    )


def _renamed(thing: T) -> T:
    """Return the like of a thing, with the laboratory's names wherever it has TrackCustomer's."""
    match thing:
        case str():
            return _in(thing)  # type: ignore[return-value]
        case dict():
            return {_renamed(key): _renamed(value) for key, value in thing.items()}  # type: ignore[return-value]
        case list() | tuple():
            return type(thing)(map(_renamed, thing))
        case _ if is_dataclass(thing) and not isinstance(thing, type):
            parts: dict[str, Any] = {
                field.name: _renamed(getattr(thing, field.name)) for field in fields(thing) if field.init
            }
            return replace(thing, **parts)
    return thing


def _in(text: str) -> str:
    for theirs, ours in _NAMES.items():
        text = text.replace(theirs, ours)
    return text
