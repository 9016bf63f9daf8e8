"""The event: a CloudEvents envelope around data of a contract.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from eachonce.contract import Contract
from eachonce.identity import derived_id

T = TypeVar("T")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Event(
    msgspec.Struct, Generic[T], frozen=True, kw_only=True, omit_defaults=True, tag_field="specversion", tag="1.0"
):
    """A notice that something happened, with all that a handler needs to know about it.

    The names are CloudEvents' own; `tenant`, `sequence`, `correlationid`, `causationid` and `hops` are its
    extension attributes. `source` and `id` together are the idempotency key: every copy of an event carries the same.
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
        """Return the event that the consumer `by` publishes as its `place`-th answer to this one."""
        return Event(
            id=derived_id(self.source, self.id, by=by, place=place),
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
