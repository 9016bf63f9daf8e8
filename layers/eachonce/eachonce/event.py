"""The event: a CloudEvents envelope around data of a contract.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

import msgspec

from eachonce.depth import MAX_LEVELS, TooDeepError, shallow
from eachonce.description import description_of
from eachonce.errors import MalformedMessageError
from eachonce.identity import derived_id
from eachonce.model import encode, subject_of
from eachonce.reason import reason_of
from eachonce.request import NO_REQUEST, Request
from eachonce.trace_context import readable, step_of, trace_id_of, tracestate

T = TypeVar("T")

# What an outbox says of how an event is to be published; nobody else does.
FORM = "eachonceform"
PLAIN: Final = "plain"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Event(
    msgspec.Struct, Generic[T], frozen=True, kw_only=True, omit_defaults=True, tag_field="specversion", tag="1.0"
):
    """A notice that something happened, with all that a handler needs to know about it.

    The names are CloudEvents' own; `tenant`, `sequence`, `correlationid`, `causationid`, `hops`, `signature` and
    `signedby` are its extension attributes. `source` and `id` together are the idempotency key: every copy of an event
    carries the same. `traceparent` and `tracestate` are those of distributed tracing, which say nothing of the event
    itself. `form` says how it is published: a plain one is an EventBridge event whose detail is the data alone.
    `request` is what came with the data over HTTP, and stays here.
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
    traceparent: str | None = None
    tracestate: str | None = None
    signature: str | None = None
    signedby: str | None = None
    form: Literal["plain"] | None = msgspec.field(default=None, name=FORM)
    request: Request = NO_REQUEST

    @property
    def trace_id(self) -> str | None:
        """The trace that the event is a part of, in 32 hexadecimal digits; None where it is in none."""
        return trace_id_of(self.traceparent)

    def encode(self) -> bytes:
        """Return the event as one CloudEvents JSON object."""
        event = self if self.request is NO_REQUEST else msgspec.structs.replace(self, request=NO_REQUEST)
        return msgspec.json.encode(event, enc_hook=encode)

    def with_data(self, data: Any) -> Event[Any]:
        """Return the same event around its decoded data."""
        return msgspec.structs.replace(self, data=data)

    def causes(self, data: Any, *, by: str, place: int, source: str, time: datetime) -> Event[Any]:
        """Return the event that the consumer `by` publishes as its `place`-th answer to this one."""
        described = description_of(type(data))
        event_id = derived_id(self.source, self.id, by=by, place=place)
        return Event(
            id=event_id,
            source=source if described.source is None else described.source,
            type=described.type,
            data=encode(data),
            time=time,
            subject=subject_of(data),
            tenant=self.tenant,
            correlationid=self.correlationid or self.id,
            causationid=self.id,
            hops=self.hops + 1,
            traceparent=step_of(self.traceparent, event_id),
            tracestate=self.tracestate,
            form=PLAIN if described.plain else None,
        )


RawEvent = Event[msgspec.Raw]

# How a decoder leaves a member that is null, which CloudEvents' JSON has for one that is not set.
NULL = msgspec.Raw(b"null")

# What `data` is where an event has none, which differs from null: a contract whose fields have defaults needs no more.
_NO_DATA = msgspec.Raw(b"{}")


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, tag_field="specversion", tag="1.0"):
    """An event as it is written: an attribute that is null is not set, and binary data is base64.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
    """

    id: Name
    source: Name
    type: Name
    data: msgspec.Raw = _NO_DATA
    data_base64: bytes | None = None
    time: datetime | None = None
    subject: str | None = None
    dataschema: str | None = None
    tenant: str | None = None
    sequence: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    hops: int | None = None
    traceparent: msgspec.Raw = NULL
    tracestate: msgspec.Raw = NULL
    signature: str | None = None
    signedby: str | None = None

    def content(self, levels: int) -> msgspec.Raw:
        """Return the data as JSON text; raises MalformedMessageError when it can't be that."""
        if self.data_base64 is None:
            return self.data
        if self.data is not _NO_DATA and self.data != NULL:
            raise MalformedMessageError("it has data and data_base64, and may have one of them")
        try:
            self.data_base64.decode()
            return msgspec.Raw(shallow(self.data_base64, levels))
        except (UnicodeError, TooDeepError) as error:
            raise MalformedMessageError(f"data_base64: {reason_of(error)}") from None


_decoder = msgspec.json.Decoder(_Envelope)
_texts = msgspec.json.Decoder(str)


def decode(text: bytes | msgspec.Raw, *, levels: int = MAX_LEVELS) -> RawEvent:
    """Decode an event's envelope and leave its data as JSON text, whatever its `datacontenttype` says.

    Raises MalformedMessageError when it is no event, or nests more than so many levels.
    """
    try:
        read = _decoder.decode(shallow(text, levels))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise MalformedMessageError(reason_of(error)) from None
    event = _event(read, read.content(levels - 1))
    return event if read.traceparent == NULL else traced(event, _text(read.traceparent), _text(read.tracestate))


def traced(event: RawEvent, parent: object, state: object = None) -> RawEvent:
    """Return the event in the trace that is named beside or inside it; as it is where none can be read."""
    if (traceparent := readable(parent)) is None:
        return event
    return msgspec.structs.replace(event, traceparent=traceparent, tracestate=tracestate(state))


def _text(json: msgspec.Raw) -> str | None:
    try:
        return _texts.decode(json)
    except (msgspec.DecodeError, UnicodeError):
        return None


def of_attributes(attributes: Mapping[str, str], data: msgspec.Raw) -> RawEvent:
    """Return the event of attributes that are texts, around data; raises msgspec.ValidationError when they are none."""
    named = {name: value for name, value in attributes.items() if name not in _OTHERWISE}
    event = _event(msgspec.convert(named, _Envelope, strict=False), data)
    return traced(event, attributes.get("traceparent"), attributes.get("tracestate"))


_OTHERWISE = frozenset({"data", "data_base64", "traceparent", "tracestate"})


def _event(read: _Envelope, data: msgspec.Raw) -> RawEvent:
    return Event(
        id=read.id,
        source=read.source,
        type=read.type,
        data=data,
        time=read.time,
        subject=read.subject,
        dataschema=read.dataschema,
        tenant=read.tenant,
        sequence=read.sequence,
        correlationid=read.correlationid,
        causationid=read.causationid,
        hops=0 if read.hops is None else read.hops,
        signature=read.signature,
        signedby=read.signedby,
    )
