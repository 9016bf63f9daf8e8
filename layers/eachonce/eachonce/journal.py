"""The journal: one row an event and consumer, which tells what became of the event there.

No row means: never finished here, and never failed here. The happy path writes the row once, as DONE, in the same
transaction as the event's effects, and never before.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from typing import Any

import msgspec

from eachonce.depth import shallow
from eachonce.event import Event
from eachonce.model import encode

TABLE = "Journal"

# The row must outlive every copy of the event: 14 days in the queue, 14 in its dead-letter queue, a day of the bus's
# own retries, and a few for a person to replay an archive. An older copy would be taken for a new event.
RETENTION = timedelta(days=35)

# DynamoDB takes keys of 2,048 bytes; a name of this size leaves room for anybody's own index.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_MAX_KEY_BYTES = 1024

# Below this size compression saves nothing worth having: DynamoDB counts whole kilobytes.
_COMPRESS_OVER_BYTES = 1024


class State(StrEnum):
    """What became of an event at a consumer."""

    TRIED = "TRIED"  # the handler failed; it may be tried again
    STARTED = "STARTED"  # an effect outside the commit may be under way until the lease ends
    DONE = "DONE"  # committed: every later copy is a duplicate
    REJECTED = "REJECTED"  # in the dead-letter queue


def row_key(consumer: str, source: str, event_id: str, *, tenant: str | None = None) -> str:
    """Return the `pk` of an event's row at a consumer: `reserve-stock##shop#536365`.

    Where a consumer keeps tenants apart it is `reserve-stock####acme#shop#536365`: a right to `reserve-stock####acme#*`
    is one to a tenant's rows alone. A tenant has no # there.

    A source and an id that are too long for a key together are told by their digest. With a single # the keys of before
    sources counted began, and a right to a function's own rows (`dynamodb:LeadingKeys`) fits both.
    """
    scope = "##" if tenant is None else f"####{tenant}#"
    key = f"{consumer}{scope}{_escaped(source)}#{event_id}"
    if len(key.encode()) <= _MAX_KEY_BYTES:
        return key
    return f"{consumer}{scope}#{blake2b(msgspec.json.encode([source, event_id])).hexdigest()}"  # no source is empty


def breaker_key(consumer: str, breaker: str, tenant: str | None) -> str:
    """Return the `pk` of a breaker's state among a consumer's rows: `notify-customer###breaker/mail`.

    No event has it: its source would be empty. A breaker with a slash in its name is told by a digest: no tenant of
    another one is called alike.
    """
    key = f"{consumer}###breaker/{breaker}" if tenant is None else f"{consumer}###breaker/{breaker}/{tenant}"
    if "/" not in breaker and len(key.encode()) <= _MAX_KEY_BYTES:
        return key
    return f"{consumer}###breaker/{blake2b(msgspec.json.encode([breaker, tenant])).hexdigest()}"


def read_key(pk: str) -> tuple[str, str | None, str]:
    """Return whose row it is, and the source and id of its event.

    The source is None in a row from before sources counted; where the key has a digest, it stands for both of them.
    """
    consumer, _, rest = pk.partition("#")
    if not rest.startswith("#"):
        return consumer, None, rest
    if rest.startswith("###"):  # a tenant's; a digest has no # in front of it but its own
        rest = f"#{rest[3:].partition('#')[2]}"
    source, _, event_id = rest[1:].partition("#")
    return consumer, _plain(source), event_id


class Mark(msgspec.Struct, frozen=True, dict=True, eq=False):
    """Who did it: a consumer, for an event of this identity and content. Rows and items carry it, to know copies by.

    `tenant` is whose rows its row is among, where a consumer keeps tenants apart. `former` is all that marked the event
    before its identity was what it is now.
    """

    consumer: str
    source: str
    event_id: str
    fingerprint: str
    former: Callable[[], Collection[str]] = tuple
    tenant: str | None = None

    @cached_property
    def pk(self) -> str:
        """The journal row's key, which is among the tenant's where one is named."""
        return row_key(self.consumer, self.source, self.event_id, tenant=self.tenant)

    @cached_property
    def prefix(self) -> str:
        """What the marks of all contents of this event begin with, and no other event's."""
        return f"{self.consumer}##{_escaped(self.source)}#{_escaped(self.event_id)}#"

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        return f"{self.prefix}{self.fingerprint}"


def read_mark(text: str) -> tuple[str, str | None, str] | None:
    """Return whose mark it is, and the source and id of its event; None where it is none.

    The source is None in a mark from before sources counted.
    """
    match text.split("#"):
        case [consumer, "", source, event_id, digest] if consumer and source and event_id and digest:
            return consumer, _plain(source), _plain(event_id)
        case [consumer, event_id, digest] if consumer and event_id and digest:
            return consumer, None, _plain(event_id)
    return None


def _plain(escaped: str) -> str:
    return escaped.replace("%23", "#").replace("%25", "%")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("#", "%23") if "%" in text or "#" in text else text


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
        row["result"] = msgspec.json.encode(result, enc_hook=encode).decode()
    return row


def result_of(row: dict[str, Any]) -> Any:
    """Return what the committed event answered its caller, or None."""
    return msgspec.json.decode(row["result"]) if "result" in row else None


def pack_outbox(events: Sequence[Event[Any]]) -> bytes:
    """Encode published events: a JSON array, compressed where that saves write units."""
    text = msgspec.json.encode(events, enc_hook=encode)
    return zlib.compress(text) if len(text) > _COMPRESS_OVER_BYTES else text


def unpack_outbox(packed: bytes) -> list[msgspec.Raw]:
    """Decode published events, each to its CloudEvents JSON text.

    Raises zlib.error or msgspec.DecodeError when `packed` is no outbox.
    """
    text = packed if packed.startswith(b"[") else zlib.decompress(packed)
    return msgspec.json.decode(shallow(text), type=list[msgspec.Raw])
