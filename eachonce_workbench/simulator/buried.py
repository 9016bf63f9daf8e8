"""The buried: what lies in dead-letter queues when all is quiet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.simulator.message import document_in
from eachonce_workbench.simulator.poison import is_poison, subject_in
from eachonce_workbench.template.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Buried:
    """One message of a dead-letter queue: the event, or the journal's row, that it is about.

    It is `innocent` where the simulator did not make it poisonous.
    """

    id: str
    queue: str
    queue_arn: str
    reason: str
    innocent: bool

    def __str__(self) -> str:
        return f"{self.id} in {self.queue}: {self.reason}"


def buried(store: Store, topology: Topology) -> Iterator[Buried]:
    """Yield what is in the queues that no function reads; it is hidden from others afterwards."""
    read = {mapping.queue_arn for mapping in topology.queue_mappings}
    for queue in topology.queues:
        if queue.arn in read:
            continue
        while records := store.queues.receive(queue.arn, max_messages=1000, visibility_seconds=43_200):
            for record in records:
                body = document_in(record["body"])
                event_id = _id(body)
                reason = record["messageAttributes"].get("reason", {}).get("stringValue") or body.get("reason")
                yield Buried(
                    id=event_id,
                    queue=queue.name,
                    queue_arn=queue.arn,
                    reason=str(reason or "no reason is given"),
                    innocent=not (is_poison(event_id) or is_poison(subject_in(record["body"]))),
                )


def _id(body: dict[str, Any]) -> str:
    """Return the id of the event in an EventBridge message, or the key of the row in one of the relay's."""
    match body:
        case {"detail": {"id": event_id}}:
            return str(event_id)
        case {"Keys": {"pk": {"S": key}}}:
            return str(key)
    return "something unreadable"
