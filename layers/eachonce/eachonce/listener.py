"""The listener: SQS records to deliveries.

A body may hold a CloudEvents object as it is, inside an EventBridge event (`detail`), or either of them inside an SNS
notification (`Message`). What holds none, and a record that isn't as SQS writes it, is a delivery with a flaw, never an
exception: its neighbours go on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from eachonce.depth import MAX_LEVELS, shallow, shallow_value
from eachonce.errors import EachonceError, MalformedMessageError
from eachonce.event import NULL, RawEvent, decode
from eachonce.reason import reason_of

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BODY_BYTES = 1024 * 1024

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)

_RECEIVE_COUNT = "ApproximateReceiveCount"
_FIRST_RECEIVED = "ApproximateFirstReceiveTimestamp"
_GROUP = "MessageGroupId"
_RANGES = {_RECEIVE_COUNT: (1, 10**9), _FIRST_RECEIVED: (0, _LAST_MS)}
_DIGITS = re.compile("[0-9]{1,18}")

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_UNSENDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message as it was received: `event` inside, or the `flaw` for which there is none.

    `body` is what would be buried: the message's own, or the whole record as JSON where that is no text SQS can hold.
    """

    message_id: str
    body: str
    receipt_handle: str = ""
    receive_count: int = 1
    group_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    event: RawEvent | None = None
    flaw: str | None = None

    @property
    def first_seen(self) -> datetime | None:
        """When the message was first received, where SQS says so."""
        milliseconds = _number(self.attributes, _FIRST_RECEIVED)
        return None if milliseconds is None else _EPOCH + timedelta(milliseconds=milliseconds)

    def age(self, now: datetime) -> timedelta:
        """Return how long ago the message was first received."""
        return timedelta() if self.first_seen is None else max(timedelta(), now - self.first_seen)


def listen(batch: Mapping[str, Any], *, max_body_bytes: int = MAX_BODY_BYTES) -> list[Delivery]:
    """Return the deliveries of an SQS event, in the order in which they came.

    A record without a message id has none: Lambda can't be told what became of it. Raises EachonceError when there is
    no other record, or when it isn't an SQS event at all: then nothing of it could be acknowledged.
    """
    records = batch.get("Records") if isinstance(batch, Mapping) else None
    named = [record for record in records if _is_named(record)] if isinstance(records, list) else []
    if not named and records != []:
        raise EachonceError('this function takes SQS events: {"Records": [{"messageId": ..., "body": ..., ...}]}')
    return [_delivery(record, max_body_bytes) for record in named]


def _is_named(record: Any) -> bool:
    return isinstance(record, dict) and _is_text(record.get("messageId")) and record["messageId"] != ""


def _delivery(record: Mapping[str, Any], max_body_bytes: int) -> Delivery:
    event, flaw = None, _flaw(record)
    if flaw is None:
        try:
            event = unwrap(record["body"], max_bytes=max_body_bytes)
        except MalformedMessageError as malformed:
            flaw = malformed.reason
    attributes, handle = _attributes(record), record.get("receiptHandle")
    count = _number(attributes, _RECEIVE_COUNT)
    return Delivery(
        message_id=record["messageId"],
        body=record["body"] if _is_sendable(record.get("body")) else _text_of(record),
        receipt_handle=str(handle) if _is_text(handle) else "",
        receive_count=1 if count is None else count,
        group_id=_group_id(record, attributes),
        attributes=attributes,
        event=event,
        flaw=flaw,
    )


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


class _Wrapping(msgspec.Struct, frozen=True):
    """The few names that tell who wrapped a message; an event names its `specversion`, and is wrapped no more."""

    specversion: msgspec.Raw = NULL
    detail: msgspec.Raw = NULL
    message: msgspec.Raw = msgspec.field(name="Message", default=NULL)


class _Notification(msgspec.Struct, frozen=True):
    message: str = msgspec.field(name="Message")


_wrapping = msgspec.json.Decoder(_Wrapping)
_notification = msgspec.json.Decoder(_Notification)


def unwrap(body: str, *, max_bytes: int = MAX_BODY_BYTES) -> RawEvent:
    """Return the event that a message's body holds; raises MalformedMessageError with the reason when it holds none."""
    try:
        text = body.encode()
        if len(text) <= max_bytes:
            return _innermost(text)
    except (msgspec.ValidationError, MalformedMessageError) as error:
        raise MalformedMessageError(f"the body holds no CloudEvents event: {reason_of(error)}") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise MalformedMessageError(reason_of(error, of="the body")) from None
    raise MalformedMessageError(f"the body has {len(text):,} bytes and at most {max_bytes:,} are taken")


def _innermost(text: bytes) -> RawEvent:
    levels = MAX_LEVELS
    wrapping = _wrapping.decode(shallow(text))
    if wrapping.specversion == NULL != wrapping.message:
        levels -= 1
        text = _notification.decode(text).message.encode()
        wrapping = _wrapping.decode(shallow(text, levels))
    if wrapping.specversion == NULL != wrapping.detail:
        return decode(wrapping.detail, levels=levels - 1)
    return decode(msgspec.Raw(text), levels=levels)
