"""The event: a CloudEvents envelope around data of a contract.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from __future__ import annotations

import uuid
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from eachonce.contract import Contract
from eachonce.errors import ContractError, without_values

T = TypeVar("T")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]

# The namespace of derived event ids: any constant does, as long as it never changes.
_DERIVED = uuid.UUID("5d2f2a52-3f0c-5a0e-9d6e-0e7f3c1b8a41")

_FINGERPRINT_BYTES = 12


class Event(
    msgspec.Struct, Generic[T], frozen=True, kw_only=True, omit_defaults=True, tag_field="specversion", tag="1.0"
):
    """A notice that something happened, with all that a handler needs to know about it.

    The names are CloudEvents' own; `tenant`, `sequence`, `correlationid`, `causationid` and `hops` are its
    extension attributes. `id` is the idempotency key: every copy of an event carries the same one.
    """

    id: Name
    source: Name
    type: Name
    data: T
    time: datetime | None = None
    subject: str | None = None
    dataschema: str | None = None
    tenant: str | None = None
    sequence: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    hops: int = 0

    def encode(self) -> bytes:
        """Return the event as one CloudEvents JSON object."""
        return msgspec.json.encode(self)

    def with_data(self, data: Any) -> Event[Any]:
        """Return the same event around its decoded data."""
        return msgspec.structs.replace(self, data=data)

    def causes(self, data: Contract, *, by: str, place: int, source: str, time: datetime) -> Event[Any]:
        """Return the event that the consumer `by` publishes as its `place`-th answer to this one.

        Its id is derived from the cause, the consumer and the place: a handler that runs again publishes the same ids.
        """
        return Event(
            id=str(uuid.uuid5(_DERIVED, f"{self.id}/{by}/{place}")),
            source=source,
            type=data.event_type(),
            data=data,
            time=time,
            subject=data.subject,
            tenant=self.tenant,
            correlationid=self.correlationid or self.id,
            causationid=self.id,
            hops=self.hops + 1,
        )


RawEvent = Event[msgspec.Raw]

_decoder = msgspec.json.Decoder(Event[msgspec.Raw])


def decode(text: bytes | msgspec.Raw) -> RawEvent:
    """Decode an event's envelope and leave its data as JSON text.

    Raises msgspec.DecodeError when it is no event, RecursionError when it nests too deeply to be read.
    """
    return _decoder.decode(text)


def fingerprint(event: RawEvent) -> str:
    """Return 24 hex digits that tell an event's type and data from any other's.

    Key order and white space don't count, since a bus may write the same JSON anew. Raises ContractError when the data
    can't be read: JSON has numbers too large and nesting too deep for any reader.
    """
    try:
        canonical = msgspec.json.encode(msgspec.json.decode(event.data), order="sorted")
    except (msgspec.DecodeError, RecursionError) as error:
        raise ContractError(event.type, without_values(error)) from error
    return blake2b(event.type.encode() + b"\0" + canonical, digest_size=_FINGERPRINT_BYTES).hexdigest()
