"""What committed events have published and the bus has not had yet."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from eachonce.journal import read_key

from eachonce_workbench.operations.journal import Row, published


class Published(msgspec.Struct, frozen=True):
    """An event in an outbox."""

    source: str
    id: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """A row of the journal with events inside: whose row, for which event (its cause), and what it is to publish.

    `source` is None where the row doesn't tell it. `flaw` says why the events can't be read.
    """

    consumer: str
    source: str | None
    event_id: str
    done_at: str
    events: tuple[Published, ...]
    flaw: str = ""


def outbox_of(row: Row) -> Outbox | None:
    """Return a row's outbox; None where it has none."""
    if "outbox" not in row:
        return None
    consumer, source, event_id = read_key(str(row.get("pk", "")))
    events: tuple[Published, ...] = ()
    flaw = ""
    try:
        events = tuple(msgspec.convert(published(row), list[Published]))
    except (zlib.error, msgspec.MsgspecError, TypeError, RecursionError) as error:
        flaw = f"the outbox can't be read: {type(error).__name__}"
    return Outbox(
        consumer=consumer,
        source=source,
        event_id=event_id,
        done_at=str(row.get("done_at", "")),
        events=events,
        flaw=flaw,
    )


def unread_outboxes(records: Iterable[Mapping[str, Any]]) -> Iterator[Outbox]:
    """Yield what the stream's records, in Lambda's shape, have in their outboxes."""
    for record in records:
        image = record["dynamodb"].get("NewImage", {})
        if "outbox" in image:
            row = {name: next(iter(image[name].values())) for name in ("pk", "done_at", "outbox") if name in image}
            row["outbox"] = base64.b64decode(row["outbox"])
            if (outbox := outbox_of(row)) is not None:
                yield outbox


def missing(rows: Iterable[Row], knows: Callable[[str, str], bool], since: float) -> Iterator[Outbox]:
    """Yield outboxes with an event that nobody knows (by source and id), of rows that were done after `since`.

    What was done before that may have been published unseen. `since` is in seconds since 1970.
    """
    for row in rows:
        outbox = outbox_of(row)
        if outbox is not None and _moment(outbox.done_at) >= since and not all(_known(outbox, knows)):
            yield outbox


def _known(outbox: Outbox, knows: Callable[[str, str], bool]) -> Iterator[bool]:
    return (knows(event.source, event.id) for event in outbox.events) if not outbox.flaw else iter((False,))


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
