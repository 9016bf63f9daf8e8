"""Poison: events that no handler can be done with, and rows that no relay can, among those of real orders."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.fault import DeliveryFault

KILLS, FAILS, BREAKS, ROW = "poison-kills", "poison-fails", "poison-breaks", "poison-row"

_KINDS = {KILLS: DeliveryFault.POISON_KILLS, FAILS: DeliveryFault.POISON_FAILS, BREAKS: DeliveryFault.POISON_BROKEN}


@dataclass(frozen=True, slots=True)
class Poison:
    """One poisonous event, as the entry (PutEvents) that brings it to the bus."""

    event_id: str
    entry: dict[str, Any]


def poison_before(chaos: Chaos, invoice: str, *, bus: str) -> Iterator[Poison]:
    """Yield the poison that comes to the bus just before an invoice is placed."""
    for kind, fault in _KINDS.items():
        if chaos.happens(fault, invoice, chaos.profile.poison / 100):
            yield _poison(kind, f"{kind}-{invoice}", bus)


def poison_row_before(chaos: Chaos, invoice: str) -> dict[str, Any] | None:
    """Return a row of the journal, as PutItem takes it, whose outbox nobody can read; most of the time None."""
    if not chaos.happens(DeliveryFault.POISON_ROW, invoice, chaos.profile.poison / 100):
        return None
    unreadable = base64.b64encode(b"no outbox").decode()
    return {"pk": {"S": f"{ROW}-{invoice}"}, "outbox": {"B": unreadable}}


def is_poison(event_id: object) -> bool:
    """Whether an id is that of a poisonous event or row."""
    return str(event_id).startswith("poison-")


def _poison(kind: str, event_id: str, bus: str) -> Poison:
    data = {
        "order_id": event_id,
        "part": 1,
        "parts": 1,
        "placed_at": "2010-12-01T08:26:00",
        "country": "Nowhere",
        "customer": event_id,
        "lines": [{"sku": "POISON", "quantity": "many" if kind == BREAKS else 1, "unit_price": "1.00"}],
    }
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "shop",
        "type": "OrderPlaced",
        "subject": event_id,
        "data": data,
    }
    return Poison(
        event_id,
        {"EventBusName": bus, "Source": "shop", "DetailType": "OrderPlaced", "Detail": json.dumps(event)},
    )
