"""The journal: one row an event and consumer, which tells what became of the event there.

No row means: never finished here, and never failed here. The happy path writes the row once, as DONE, in the same
transaction as the event's effects, and never before.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from eachonce.event import Event

TABLE = "Journal"

# The row must outlive every copy of the event: 14 days in the queue, 14 in its dead-letter queue, a day of the bus's
# own retries, and a few for a person to replay an archive. An older copy would be taken for a new event.
RETENTION = timedelta(days=35)

# Below this size compression saves nothing worth having: DynamoDB counts whole kilobytes.
_COMPRESS_OVER_BYTES = 1024


class State(StrEnum):
    """What became of an event at a consumer."""

    TRIED = "TRIED"  # the handler failed; it may be tried again
    STARTED = "STARTED"  # an effect outside the commit may be under way until the lease ends
    DONE = "DONE"  # committed: every later copy is a duplicate
    REJECTED = "REJECTED"  # in the dead-letter queue


def row_key(consumer: str, event_id: str) -> str:
    """Return the `pk` of an event's row at a consumer."""
    return f"{consumer}#{event_id}"


@dataclass(frozen=True, slots=True)
class Mark:
    """Who did it: a consumer, for an event of this id and content. Rows and items carry it, to know copies by."""

    consumer: str
    event_id: str
    fingerprint: str

    @property
    def pk(self) -> str:
        """The journal row's key."""
        return row_key(self.consumer, self.event_id)

    @property
    def prefix(self) -> str:
        """What the marks of all contents under this event id begin with, and no other event's."""
        return f"{self.consumer}#{self.event_id.replace('%', '%25').replace('#', '%23')}#"

    def __str__(self) -> str:
        return f"{self.prefix}{self.fingerprint}"


def done_row(
    mark: Mark, *, at: datetime, outbox: Sequence[Event[Any]] = (), result: Any = None, retention: timedelta = RETENTION
) -> dict[str, Any]:
    """Return the row of a committed event, with the events that it published inside."""
    row: dict[str, Any] = {
        "pk": mark.pk,
        "state": State.DONE,
        "fingerprint": mark.fingerprint,
        "done_at": at.isoformat(),
        "expires_at": int((at + retention).timestamp()),
    }
    if outbox:
        row["outbox"] = pack_outbox(outbox)
    if result is not None:
        row["result"] = msgspec.json.encode(result).decode()
    return row


def result_of(row: dict[str, Any]) -> Any:
    """Return what the committed event answered its caller, or None."""
    return msgspec.json.decode(row["result"]) if "result" in row else None


def pack_outbox(events: Sequence[Event[Any]]) -> bytes:
    """Encode published events: a JSON array, compressed where that saves write units."""
    text = msgspec.json.encode(events)
    return zlib.compress(text) if len(text) > _COMPRESS_OVER_BYTES else text


def unpack_outbox(packed: bytes) -> list[msgspec.Raw]:
    """Decode published events, each to its CloudEvents JSON text.

    Raises zlib.error or msgspec.DecodeError when `packed` is no outbox.
    """
    text = packed if packed.startswith(b"[") else zlib.decompress(packed)
    return msgspec.json.decode(text, type=list[msgspec.Raw])
