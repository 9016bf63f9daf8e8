"""What was written before an event's identity was what it is now, and how it is read.

Before its source was a part of it, rows were known by consumer and id alone, and by a digest for which numbers were
doubles. Before an Idempotency-Key was its caller's own, the id of a request was the key as it was written. For as long
as such rows last (RETENTION), an event that one of them calls done is a copy. Marks on items last as long as the items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import blake2b

import msgspec

from eachonce.errors import Taken
from eachonce.event import RawEvent
from eachonce.identity import fingerprint
from eachonce.journal import TABLE, Mark, State, result_of, row_key
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


def former_marks(consumer: str, event: RawEvent) -> tuple[str, ...]:
    """Return all that items may carry which the event wrote: its mark of then, and a request's under its bare key."""
    bare = _as_it_was(event)
    found = former_mark(consumer, bare)
    marks = () if found is None else (found,)
    return marks if bare is event else (*marks, str(Mark(consumer, bare.source, bare.id, fingerprint(bare))))


def former_rows(writer: Writer, consumer: str, events: Iterable[RawEvent]) -> dict[str, Item]:
    """Return the rows that exist, by their keys; up to 100 at once, of messages or of one request."""
    keys = {key: None for event in events for key, _ in _fingerprints(consumer, event)}
    return {row["pk"]: row for row in writer.fetch_all(TABLE, [{"pk": pk} for pk in keys])} if keys else {}


def former_row(rows: Mapping[str, Item], consumer: str, event: RawEvent) -> Item:
    """Return the event's own row, or an empty one: another source's, or another caller's, may have had the same id."""
    if not rows:
        return {}
    found = ((rows[key], of) for key, of in _fingerprints(consumer, event) if key in rows)
    return next((row for row, of in found if row.get("fingerprint") == of(event)), {})


def _fingerprints(consumer: str, event: RawEvent) -> Iterator[tuple[str, Callable[[RawEvent], str | None]]]:
    """Give the keys that an event's row may have had, each with what the row was told from other contents by."""
    bare = _as_it_was(event)
    yield former_key(consumer, bare.id), former_fingerprint
    if bare is not event:
        yield row_key(consumer, bare.source, bare.id), fingerprint


def _as_it_was(event: RawEvent) -> RawEvent:
    """Return a request as it was when its key was everybody's; anything else as it is."""
    key = event.request.key
    return event if key is None or key == event.id else msgspec.structs.replace(event, id=key)


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
