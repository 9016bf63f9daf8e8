"""Poison: events that no consumer can handle, among those that it can."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from eachonce_workbench.run.books import Input
from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.fault import DeliveryFault

KILLS, FAILS, BREAKS, ROW = "poison-kills", "poison-fails", "poison-breaks", "poison-row"

_KINDS = {KILLS: DeliveryFault.POISON_KILLS, FAILS: DeliveryFault.POISON_FAILS, BREAKS: DeliveryFault.POISON_BROKEN}


def poison_before(chaos: Chaos, name: str, *, model: Input) -> Iterator[Input]:
    """Yield the poison that comes just before an input is sent, made of a model: its name is its event's id."""
    for kind, fault in _KINDS.items():
        if chaos.happens(fault, name, chaos.profile.poison / 100):
            yield _poison(kind, f"{kind}-{name}", model)


def poison_row_before(chaos: Chaos, name: str) -> dict[str, Any] | None:
    """Return a row of the journal, as PutItem takes it, whose outbox nobody can read; most of the time None."""
    if not chaos.happens(DeliveryFault.POISON_ROW, name, chaos.profile.poison / 100):
        return None
    unreadable = base64.b64encode(b"no outbox").decode()
    return {"pk": {"S": f"{ROW}-{name}"}, "outbox": {"B": unreadable}}


def is_poison(event_id: object) -> bool:
    """Whether an id is that of a poisonous event or row."""
    return str(event_id).startswith("poison-")


def event_in(given: Input) -> dict[str, Any] | None:
    """Return the event (a CloudEvents object) in what goes to a bus or a queue, as Publisher and rules write it."""
    try:
        document = json.loads(given.payload)
        detail = json.loads(document["Detail"]) if given.kind == "bus" else document["detail"]
    except (ValueError, KeyError, TypeError):
        return None
    readable = given.kind != "function" and isinstance(detail, dict) and {"id", "source", "type"} <= detail.keys()
    return detail if readable else None


def _poison(kind: str, event_id: str, model: Input) -> Input:
    event = {**(event_in(model) or {}), "id": event_id, "subject": event_id}
    if kind == BREAKS:
        event["data"] = "no data of any contract"
    document = json.loads(model.payload)
    changed = {"Detail": json.dumps(event)} if model.kind == "bus" else {"detail": event}
    return replace(model, name=event_id, payload=json.dumps(document | changed).encode())
