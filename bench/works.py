"""The works that are compared: what is to come of one order, whoever does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.orders import DISTINCT, HOT

PROJECTION = "projection"
COUNTER = "counter"
STATE_AND_EVENT = "state + event"
READ_STATE_AND_EVENT = "read + state + event"
ONLY_EVENTS = "only events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a work is, in words, and with which keys it makes sense."""

    is_about: str
    keys: tuple[str, ...] = (DISTINCT, HOT)


WORKS: Mapping[str, Kind] = {
    PROJECTION: Kind(is_about="a customer's last order, where it is newer than the one that is known"),
    COUNTER: Kind(is_about="a customer's units and pence, added to"),
    STATE_AND_EVENT: Kind(is_about="an order comes into being, and an event says so", keys=(DISTINCT,)),
    READ_STATE_AND_EVENT: Kind(is_about="a customer is read, changed and written, and an event says so"),
    ONLY_EVENTS: Kind(is_about="an event is published"),
}
"""An item comes into being once, so that this work has no hot key."""
