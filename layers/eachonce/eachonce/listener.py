"""The listener: SQS records to deliveries.

`body.py` says what a message may hold. What holds no event, and a record that isn't as SQS writes it, is a delivery
with a flaw, never an exception: its neighbours go on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from eachonce.binary import is_event, text_of
from eachonce.body import Found, Known, Sent, cloud_event, find_events
from eachonce.depth import shallow_value
from eachonce.errors import EachonceError, MalformedMessageError
from eachonce.event import RawEvent, traced
from eachonce.reason import reason_of
from eachonce.trace_context import TraceContext, x_ray_of

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BODY_BYTES = 1024 * 1024

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)

_RECEIVE_COUNT = "ApproximateReceiveCount"
_FIRST_RECEIVED = "ApproximateFirstReceiveTimestamp"
_GROUP = "MessageGroupId"
_TRACE = "AWSTraceHeader"
_RANGES = {_RECEIVE_COUNT: (1, 10**9), _FIRST_RECEIVED: (0, _LAST_MS)}
_DIGITS = re.compile("[0-9]{1,18}")

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
# Class by class: all in one would take ten milliseconds of a function's start.
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]|[\ud800-\udfff]|[\ufffe\uffff]")


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it was received: `event` inside, or the `flaw` for which there is none.

    A message that holds several events is as many deliveries: each is a `part_of` it. `body` is what would be buried:
    the message's own, the part's, or the whole record as JSON where that is no text SQS can hold. Where there is
    neither event nor flaw, its type is `unknown` here, or there is `nothing` in it, for a reason, or nobody can say
    yet what it holds, and it is to be asked `later`. `subject` is what it is about.
    """

    message_id: str
    body: str
    receipt_handle: str = ""
    receive_count: int = 1
    group_id: str | None = None
    attributes: Mapping[str, Any] = msgspec.field(default_factory=dict)
    event: RawEvent | None = None
    flaw: str | None = None
    flaw_kind: str = MalformedMessageError.__name__
    later: EachonceError | None = None
    part_of: str | None = None
    unknown: bool = False
    nothing: str | None = None
    subject: str | None = None

    @property
    def whole(self) -> str:
        """The id of the message that it came in."""
        return self.message_id if self.part_of is None else self.part_of

    @property
    def begins(self) -> bool:
        """Whether it is the first of its message, or alone in it."""
        return self.part_of is None or self.message_id == f"{self.part_of}/0"

    @property
    def trace_header(self) -> str | None:
        """The trace that it is a part of, as SQS carries it beside a message; None where it is in none."""
        if self.event is not None and self.event.traceparent is not None:
            return x_ray_of(self.event.traceparent)
        trace = TraceContext.read_x_ray(self.attributes.get(_TRACE))
        return None if trace is None else trace.x_ray

    @property
    def first_seen(self) -> datetime | None:
        """When the message was first received, where SQS says so."""
        milliseconds = _number(self.attributes, _FIRST_RECEIVED)
        return None if milliseconds is None else _EPOCH + timedelta(milliseconds=milliseconds)

    def age(self, now: datetime) -> timedelta:
        """Return how long ago the message was first received."""
        first_seen = self.first_seen
        return timedelta() if first_seen is None else max(timedelta(), now - first_seen)


def listen(
    batch: Mapping[str, Any], *, known: Known | None = None, max_body_bytes: int = MAX_BODY_BYTES
) -> list[Delivery]:
    """Return the deliveries of an SQS event, in the order in which they came; of plain events as far as they are known.

    A record without a message id has none: Lambda can't be told what became of it. Raises EachonceError when there is
    no other record, or when it isn't an SQS event at all: then nothing of it could be acknowledged.
    """
    records = batch.get("Records") if isinstance(batch, Mapping) else None
    named = [record for record in records if _is_named(record)] if isinstance(records, list) else []
    if not named and records != []:
        raise EachonceError('this function takes SQS events: {"Records": [{"messageId": ..., "body": ..., ...}]}')
    return [delivery for record in named for delivery in _deliveries(record, known, max_body_bytes)]


def _is_named(record: Any) -> bool:
    """Whether Lambda can be told what became of a record."""
    return isinstance(record, dict) and _is_text(record.get("messageId")) and record["messageId"] != ""


def _deliveries(record: Mapping[str, Any], known: Known | None, max_body_bytes: int) -> list[Delivery]:
    """Return one delivery for each event of a record; one alone where it holds none."""
    flaw = _flaw(record)
    if flaw is None:
        try:
            found = _open(record["body"], record, known, max_body_bytes)
        except MalformedMessageError as malformed:
            flaw = malformed.reason
        else:
            return [_delivery(record, each, place if len(found) > 1 else None) for place, each in enumerate(found)]
    return [_delivery(record, Found(flaw=flaw))]


def _delivery(record: Mapping[str, Any], found: Found, place: int | None = None) -> Delivery:
    attributes, handle = _attributes(record), record.get("receiptHandle")
    count, message_id = _number(attributes, _RECEIVE_COUNT), record["messageId"]
    return Delivery(
        message_id=message_id if place is None else f"{message_id}/{place}",
        part_of=None if place is None else message_id,
        body=_body(record, found),
        receipt_handle=str(handle) if _is_text(handle) else "",
        receive_count=1 if count is None else count,
        group_id=_group_id(record, attributes),
        attributes=attributes,
        event=_traced(found.event, record, attributes),
        flaw=found.flaw,
        unknown=found.unknown,
        nothing=found.nothing,
        subject=found.subject,
    )


def _traced(event: RawEvent | None, record: Mapping[str, Any], attributes: Mapping[str, Any]) -> RawEvent | None:
    """Return an event that names no trace itself in that of its message: as its sender wrote it, or AWS's services.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    """
    if event is None or event.traceparent is not None:
        return event
    if sent := _sent_attributes(record):
        event = traced(event, text_of(sent.get("traceparent")), text_of(sent.get("tracestate")))
    if event.traceparent is None and (trace := TraceContext.read_x_ray(attributes.get(_TRACE))) is not None:
        return traced(event, trace.traceparent)
    return event


def _body(record: Mapping[str, Any], found: Found) -> str:
    """Return what would be buried: attributes that make an event of a body don't come along."""
    if found.text is not None:  # JSON, in whose texts a character may be written as an escape
        return _UNSENDABLE.sub(lambda character: f"\\u{ord(character[0]):04x}", found.text.decode())
    alone = _is_sendable(record.get("body")) and not (found.flaw and is_event(_sent_attributes(record)))
    return str(record["body"]) if alone else _text_of(record)


def _sent_attributes(record: Mapping[str, Any]) -> dict[str, Any]:
    attributes = record.get("messageAttributes")
    return attributes if isinstance(attributes, dict) else {}


def _flaw(record: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a record, its body's text aside; what is missing or null is not set, and no flaw."""
    attributes = _attributes(record)
    if record.get("eventSource") not in (None, "aws:sqs"):
        return "the record is not of SQS"
    if not isinstance(record.get("body"), str):
        return "the body is not text"
    if record.get("attributes") is not None and not isinstance(record["attributes"], dict):
        return "the record's attributes are not an object"
    for name in _RANGES:
        if attributes.get(name) is not None and _number(attributes, name) is None:
            return f"the record's {name} is not a number as SQS writes it"
    if attributes.get(_GROUP) is not None and not _is_text(attributes[_GROUP]):
        return f"the record's {_GROUP} is not text"
    return None


def _attributes(record: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = record.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _number(attributes: Mapping[str, Any], name: str) -> int | None:
    """Return a number that SQS writes as text, or a person as it is; None where there is none, or none that can be."""
    least, most = _RANGES[name]
    value = attributes.get(name)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    return value if type(value) is int and least <= value <= most else None


def _group_id(record: Mapping[str, Any], attributes: Mapping[str, Any]) -> str | None:
    """Return the message group of a FIFO queue's record; one that doesn't say is in a group of its own.

    A standard queue's groups, which are there for fairness, promise no order.
    """
    arn, group = record.get("eventSourceARN"), attributes.get(_GROUP)
    if not isinstance(arn, str) or not arn.endswith(".fifo"):
        return None
    return str(group) if _is_text(group) else str(record["messageId"])


def _is_text(value: Any) -> bool:
    """Whether a value is text that can be written: one with a lone surrogate can't."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeError:
        return False


def _is_sendable(value: Any) -> bool:
    """Whether a value is text that SQS takes as a message."""
    if not isinstance(value, str) or value == "":
        return False
    return value.isprintable() or _UNSENDABLE.search(value) is None  # most is printable, and that is known sooner


def _text_of(record: Mapping[str, Any]) -> str:
    """Return a record as JSON text: all of it, or as much as has such a form."""
    try:
        return json.dumps(shallow_value(record), default=repr)
    except (ValueError, TypeError):  # a number that Python writes in no text, or a key that JSON can't have
        return json.dumps({"messageId": record["messageId"]})


def unwrap(body: str, *, max_bytes: int = MAX_BODY_BYTES) -> RawEvent:
    """Return the CloudEvents event that a message's body holds, in any wrapping and alone.

    Raises MalformedMessageError with the reason when it holds none, or several.
    """
    found = _open(body, {}, None, max_bytes)
    if len(found) > 1:
        raise MalformedMessageError(f"the body holds {len(found):,} events")
    if found[0].event is None:
        raise MalformedMessageError(f"the body holds no CloudEvents event: {found[0].flaw or found[0].nothing}")
    return found[0].event


def _open(body: str, record: Mapping[str, Any], known: Known | None, max_bytes: int) -> Sequence[Found]:
    try:
        text = body.encode()
        if len(text) <= max_bytes:
            attributes = _sent_attributes(record)
            if not attributes and (known is None or not known.describes) and (event := cloud_event(text)) is not None:
                return (Found(event=event),)
            return find_events(text, Sent(id=record.get("messageId", ""), attributes=attributes), known)
    except (msgspec.ValidationError, MalformedMessageError) as error:
        raise MalformedMessageError(f"the body holds no {_wanted(known)}: {reason_of(error)}") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise MalformedMessageError(reason_of(error, of="the body")) from None
    raise MalformedMessageError(f"the body has {len(text):,} bytes and at most {max_bytes:,} are taken")


def _wanted(known: Known | None) -> str:
    return "CloudEvents event" if known is None or not known.describes else "event"
