"""The queues as the bus and the mappings use them: in this process, on the loop's thread, without a request."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping
from typing import Any

from moto.sqs.exceptions import QueueDoesNotExist, ReceiptHandleIsInvalid, SQSException

from eachonce_workbench.cloud.store.queues.attributes import digest
from eachonce_workbench.cloud.store.queues.message import Message
from eachonce_workbench.cloud.store.queues.messages import Depth
from eachonce_workbench.cloud.store.queues.sqs import Sqs, Wake, settings_of

Record = dict[str, Any]


class QueueError(Exception):
    """A queue did not take a message."""


class QueueMissing(QueueError):  # noqa: N818 - the port's name
    """There is no such queue."""


class MessageRefusedError(QueueError):
    """The queue will never take this message: it is too large, or not a message."""


class QueueUnavailableError(QueueError):
    """The queue cannot be reached now, and may be later."""


class Queues:
    """A port to all queues. Not for threads: every call runs to its end on the loop's thread, and none waits."""

    def __init__(self, sqs: Sqs) -> None:
        self._sqs = sqs
        self._unavailable: set[str] = set()

    def send(
        self,
        queue_arn: str,
        body: str,
        *,
        attributes: Mapping[str, str | int | Mapping[str, Any]] = {},
        group_id: str | None = None,
        deduplication_id: str | None = None,
        delay_seconds: int | None = None,
        trace_header: str | None = None,
    ) -> str:
        """Put one message into a queue; `attributes` are of type String, or Number, or in the API's shape.

        `trace_header` is X-Ray's, which comes beside them. Returns the message's id.

        Raises `QueueMissing`, `MessageRefusedError` when it never can, `QueueUnavailableError` during an outage.
        """
        if queue_arn in self._unavailable:
            raise QueueUnavailableError(queue_arn)
        named = {name: _message_attribute_of(value) for name, value in attributes.items()}
        try:
            sent = self._sqs.send(
                _name(queue_arn),
                body,
                attributes=named,
                system={} if trace_header is None else {"AWSTraceHeader": _message_attribute_of(trace_header)},
                group_id=group_id,
                deduplication_id=deduplication_id,
                delay_seconds=delay_seconds,
            )
        except QueueDoesNotExist:
            raise QueueMissing(queue_arn) from None
        except SQSException as error:
            raise MessageRefusedError(f"{queue_arn}: {error.message}") from error
        return sent.id

    def receive(self, queue_arn: str, *, max_messages: int, visibility_seconds: int | None = None) -> list[Record]:
        """Take up to `max_messages` (any number) that are visible now, as Lambda's SQS records; never waits.

        They are hidden for `visibility_seconds` (None: the queue's own). A message that was received `maxReceiveCount`
        times goes to the dead-letter queue instead; a FIFO group with a message in flight is left alone. Raises
        `QueueMissing`.
        """
        name = self._known(queue_arn)
        taken = self._sqs.take(name, max_messages, visibility_seconds)
        return [_record(message, queue_arn, self._sqs.region_name) for message in taken]

    def delete(self, queue_arn: str, receipt_handle: str) -> None:
        """Forget a message; idempotent, and without effect for a handle that is no longer the message's newest."""
        try:
            self._sqs.delete(self._known(queue_arn), receipt_handle)
        except ReceiptHandleIsInvalid:
            raise
        except SQSException:
            return  # a FIFO queue's expired handle: the message is on its way to somebody else

    def change_visibility(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        """Hide a message in flight for `seconds` from now, 0 to show it at once; one that isn't in flight stays."""
        try:
            self._sqs.change_visibility(self._known(queue_arn), receipt_handle, seconds)
        except ReceiptHandleIsInvalid:
            raise
        except SQSException:
            return

    def depth(self, queue_arn: str) -> Depth:
        """How many messages the queue holds now: visible, in flight, delayed."""
        return self._sqs.depth(self._known(queue_arn))

    def next_visible_seconds(self, queue_arn: str) -> float | None:
        """In how many seconds a hidden message becomes visible by itself: 0 for now, None when none is hidden."""
        due = self._sqs.next_due(self._known(queue_arn))
        return None if due is None else max(due - time.time(), 0.0)

    def on_send(self, queue_arn: str, wake: Wake) -> None:
        """Call `wake`, from now on, after anything made a message visible or came to stay, by whatever way it came.

        A message whose time of hiding ends wakes nobody: see `next_visible_seconds`.
        """
        self._sqs.wakes.setdefault(self._known(queue_arn), []).append(wake)

    def default_wait_seconds(self, queue_arn: str) -> int:
        """How long a receive over the wire waits when it doesn't say; 0 for a queue that isn't there."""
        queue = self._sqs.queues.get(_name(queue_arn))
        return 0 if queue is None else int(settings_of(queue).receive_message_wait_time_seconds)

    def begin_outage(self, queue_arn: str) -> None:
        """Refuse every `send` to this queue with `QueueUnavailableError`."""
        self._unavailable.add(queue_arn)

    def end_outage(self, queue_arn: str) -> None:
        """Take messages again."""
        self._unavailable.discard(queue_arn)

    def _known(self, queue_arn: str) -> str:
        name = _name(queue_arn)
        if name not in self._sqs.contents:
            raise QueueMissing(queue_arn)
        return name


def _message_attribute_of(value: str | int | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    return {"DataType": "Number" if isinstance(value, int) else "String", "StringValue": str(value)}


def _name(queue_arn: str) -> str:
    return queue_arn.rpartition(":")[2]


def _record(message: Message, queue_arn: str, region: str) -> Record:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    record: Record = {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": message.system_attributes(),
        "messageAttributes": {name: _message_attribute(value) for name, value in message.attributes.items()},
        "md5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }
    if message.attributes:
        record["md5OfMessageAttributes"] = digest(message.attributes)
    return record


def _message_attribute(value: Mapping[str, Any]) -> Record:
    attribute: Record = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if (text := value.get("StringValue")) is not None:
        attribute["stringValue"] = text
    if (binary := value.get("BinaryValue")) is not None:
        attribute["binaryValue"] = base64.b64encode(binary).decode()
    return attribute
