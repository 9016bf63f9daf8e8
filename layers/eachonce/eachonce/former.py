"""What was written before an event's source was a part of its identity, and how it is read.

Rows of then are known by consumer and id alone, and by a digest for which numbers were doubles. For as long as such
rows last (RETENTION), an event that one of them calls done is a copy. Marks on items last as long as the items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b

import msgspec

from eachonce.errors import Taken
from eachonce.event import RawEvent
from eachonce.journal import TABLE, State, result_of
from eachonce.outcome import Outcome, Verdict
from eachonce.work import Item
from eachonce.writer import Writer

_FINGERPRINT_BYTES = 12


def former_key(consumer: str, event_id: str) -> str:
    """Return the `pk` of an event's row at a consumer."""
    return f"{consumer}#{event_id}"


def former_mark(consumer: str, event: RawEvent) -> str | None:
    """Return what items carry that the event wrote, or None where it could not have been handled."""
    digest = former_fingerprint(event)
    escaped = event.id.replace("%", "%25").replace("#", "%23")
    return None if digest is None else f"{consumer}#{escaped}#{digest}"


def former_rows(writer: Writer, consumer: str, events: Iterable[RawEvent]) -> dict[str, Item]:
    """Return the rows that exist, by their keys; up to 100 at once."""
    keys = {former_key(consumer, event.id): None for event in events}
    return {row["pk"]: row for row in writer.fetch_all(TABLE, [{"pk": pk} for pk in keys])} if keys else {}


def former_row(rows: Mapping[str, Item], consumer: str, event: RawEvent) -> Item:
    """Return the event's own row, or an empty one: another source's event may have had the same id."""
    row = rows.get(former_key(consumer, event.id), {})
    return row if row and row.get("fingerprint") == former_fingerprint(event) else {}


def judge_former(row: Item, *, now: datetime) -> Outcome | None:
    """Return what an event's row says of one more copy, or None where it was not done; raises Retry under a lease."""
    match row.get("state"):
        case State.DONE:
            return Outcome(verdict=Verdict.DUPLICATE, result=result_of(dict(row)))
        case State.STARTED if int(row["lease_until"]) > now.timestamp() * 1000:
            raise Taken
    return None


def former_fingerprint(event: RawEvent) -> str | None:
    """Return the digest of an event's type and data; None where they can't be read."""
    try:
        canonical = msgspec.json.encode(msgspec.json.decode(event.data), order="sorted")
    except (msgspec.DecodeError, RecursionError):
        return None
    return blake2b(event.type.encode() + b"\0" + canonical, digest_size=_FINGERPRINT_BYTES).hexdigest()
