"""Poison: events that no consumer can handle, among those that it can."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from eachonce_workbench.run.books import Input
from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.message import detail_in

KILLS, FAILS, BREAKS, ROW = "poison-kills", "poison-fails", "poison-breaks", "poison-row"
REUSED = "poison-reused"  # it has the id of an innocent event, and tells itself by its subject

_SIGNATURE = frozenset({"signature", "signedby"})

_KINDS = {KILLS: DeliveryFault.POISON_KILLS, FAILS: DeliveryFault.POISON_FAILS, BREAKS: DeliveryFault.POISON_BROKEN}


def poison_before(chaos: Chaos, name: str, *, model: Input) -> Iterator[Input]:
    """Yield the poison that comes just before an input is sent, made of a model: its name is its event's id."""
    for kind, fault in _KINDS.items():
        if chaos.happens(fault, name, chaos.profile.poison / 100):
            yield _poison(kind, f"{kind}-{name}", model)


def used_again(chaos: Chaos, published: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield events with the ids of some that were `published` (by id), and other content: their subject is another.

    Of few there is about one.
    """
    share = max(chaos.profile.poison / 100, 1 / max(len(published), 1)) if chaos.profile.poison else 0.0
    for event_id, event in published.items():
        if chaos.happens(DeliveryFault.POISON_REUSED, event_id, share):
            unsigned = {name: value for name, value in event.items() if name not in _SIGNATURE}
            yield {**unsigned, "subject": f"{REUSED}-{event_id}"}


def poison_row_before(chaos: Chaos, name: str) -> dict[str, Any] | None:
    """Return a row of the journal, as PutItem takes it, whose outbox nobody can read; most of the time None."""
    if not chaos.happens(DeliveryFault.POISON_ROW, name, chaos.profile.poison / 100):
        return None
    unreadable = base64.b64encode(b"no outbox").decode()
    return {"pk": {"S": f"{ROW}-{name}"}, "outbox": {"B": unreadable}}


def is_poison(event_id: object) -> bool:
    """Whether an id is that of a poisonous event or row."""
    return str(event_id).startswith("poison-")


def subject_in(body: str) -> str | None:
    """Return what the event in a message from a bus is about, where it says so."""
    subject = detail_in(body).get("subject")
    return subject if isinstance(subject, str) else None


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
