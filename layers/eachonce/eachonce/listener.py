"""The listener: SQS records to deliveries.

A body may hold a CloudEvents object as it is, inside an EventBridge event (`detail`), or either of them inside an SNS
notification (`Message`). What holds none is a delivery with a flaw, never an exception: its neighbours go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from eachonce.errors import EachonceError, MalformedMessageError, without_values
from eachonce.event import RawEvent, decode

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message as it was received: `event` inside, or the `flaw` for which there is none."""

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
        milliseconds = self.attributes.get("ApproximateFirstReceiveTimestamp")
        return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC)

    def age(self, now: datetime) -> timedelta:
        """Return how long ago the message was first received."""
        return timedelta() if self.first_seen is None else max(timedelta(), now - self.first_seen)


def listen(batch: Mapping[str, Any], *, max_body_bytes: int = MAX_BODY_BYTES) -> list[Delivery]:
    """Return the deliveries of an SQS event, in the order in which they came.

    Raises EachonceError when it isn't an SQS event at all: then nothing of it could be acknowledged.
    """
    records = batch.get("Records") if isinstance(batch, Mapping) else None
    if not isinstance(records, list) or any(record.get("eventSource") != "aws:sqs" for record in records):
        raise EachonceError('this function takes SQS events: {"Records": [{"eventSource": "aws:sqs", ...}]}')
    return [_delivery(record, max_body_bytes) for record in records]


def _delivery(record: Mapping[str, Any], max_body_bytes: int) -> Delivery:
    event, flaw = None, None
    try:
        event = unwrap(record["body"], max_bytes=max_body_bytes)
    except MalformedMessageError as malformed:
        flaw = malformed.reason
    attributes = record.get("attributes", {})
    return Delivery(
        message_id=record["messageId"],
        body=record["body"],
        receipt_handle=record["receiptHandle"],
        receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
        group_id=attributes.get("MessageGroupId") if record.get("eventSourceARN", "").endswith(".fifo") else None,
        attributes=attributes,
        event=event,
        flaw=flaw,
    )


class _Wrapping(msgspec.Struct, frozen=True):
    """The few names that tell who wrapped a message."""

    detail: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    message: str | msgspec.UnsetType = msgspec.field(name="Message", default=msgspec.UNSET)


_wrapping = msgspec.json.Decoder(_Wrapping)


def unwrap(body: str, *, max_bytes: int = MAX_BODY_BYTES) -> RawEvent:
    """Return the event that a message's body holds; raises MalformedMessageError with the reason when it holds none."""
    try:
        text = body.encode()
        if len(text) > max_bytes:
            raise MalformedMessageError(f"the body has {len(text):,} bytes and at most {max_bytes:,} are taken")
        return decode(_innermost(text))
    except UnicodeError as error:
        raise MalformedMessageError(f"the body is not valid UTF-8 ({error.reason})") from error  # type: ignore[attr-defined]
    except RecursionError as error:
        raise MalformedMessageError("the body nests too deeply") from error
    except msgspec.ValidationError as error:
        raise MalformedMessageError(f"the body holds no CloudEvents event: {without_values(error)}") from error
    except msgspec.DecodeError as error:
        raise MalformedMessageError(f"the body is not JSON: {error}") from error


def _innermost(text: bytes) -> bytes | msgspec.Raw:
    wrapping = _wrapping.decode(text)
    if isinstance(wrapping.message, str):
        text = wrapping.message.encode()
        wrapping = _wrapping.decode(text)
    return wrapping.detail if isinstance(wrapping.detail, msgspec.Raw) else text
