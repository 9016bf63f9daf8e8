"""SQS behind the wire: moto keeps what a queue is (attributes, policy, tags), `Messages` what it holds.

Written against moto 5.2.5, whose `SQSResponse` calls exactly the methods that are overridden here.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from typing import Any

from moto.sqs.exceptions import InvalidParameterValue, ReceiptHandleIsInvalid
from moto.sqs.models import Message as MotoMessage
from moto.sqs.models import Queue as MotoQueue
from moto.sqs.models import SQSBackend, _filter_message_attributes

from workbench.history import History
from workbench.store.queues.disorder import Disorder
from workbench.store.queues.limits import check
from workbench.store.queues.message import Message
from workbench.store.queues.messages import Depth, Messages, ReceiptExpiredError, ReceiptInvalidError

Wake = Callable[[], None]

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
MAX_VISIBILITY_SECONDS = 43_200


class Sqs(SQSBackend):
    """moto's queues, holding their messages at a cost that doesn't grow with them."""

    def __init__(self, region_name: str, account_id: str, *, disorder: Disorder, history: History) -> None:
        super().__init__(region_name, account_id)
        self._disorder = disorder
        self._history = history
        self.contents: dict[str, Messages] = {}
        self.wakes: dict[str, list[Wake]] = {}

    def reset(self) -> None:
        """Forget everything, as moto wants it before it begins anew."""
        self.queues.clear()
        self.contents.clear()
        self.wakes.clear()

    def create_queue(self, name: str, tags: dict[str, str] | None = None, **kwargs: Any) -> MotoQueue:
        """Create a queue, empty."""
        queue = super().create_queue(name, tags, **kwargs)
        if name not in self.contents:
            self.contents[name] = Messages(name, fifo=queue.fifo_queue, disorder=self._disorder)
        return queue

    def delete_queue(self, queue_name: str) -> None:
        """Delete a queue with all that it holds."""
        super().delete_queue(queue_name)
        del self.contents[queue_name]

    def purge_queue(self, queue_name: str) -> None:
        """Forget all that a queue holds."""
        super().purge_queue(queue_name)
        self.contents[queue_name].purge()

    def get_queue_attributes(self, queue_name: str, attribute_names: list[str]) -> dict[str, Any]:
        """Moto's attributes, with the counts of what is really held."""
        attributes = super().get_queue_attributes(queue_name, attribute_names)
        depth = self.depth(queue_name)
        counts = {
            "ApproximateNumberOfMessages": depth.visible,
            "ApproximateNumberOfMessagesNotVisible": depth.in_flight,
            "ApproximateNumberOfMessagesDelayed": depth.delayed,
        }
        return attributes | {name: count for name, count in counts.items() if name in attributes}

    def send_message(
        self,
        queue_name: str,
        message_body: str,
        message_attributes: dict[str, Any] | None = None,
        delay_seconds: int | None = None,
        deduplication_id: str | None = None,
        group_id: str | None = None,
        system_attributes: dict[str, Any] | None = None,
        validate_group_id: bool = True,  # noqa: FBT001, FBT002 - moto's signature
    ) -> MotoMessage:
        """Send one message; raises as SQS refuses it."""
        queue = settings_of(self.get_queue(queue_name))
        delay = int(queue.delay_seconds if delay_seconds is None else delay_seconds)
        content_based = bool(queue.content_based_deduplication)
        if deduplication_id is None and queue.fifo_queue and content_based:
            deduplication_id = hashlib.sha256(message_body.encode()).hexdigest()
        check(queue, message_body, message_attributes or {}, None if delay_seconds is None else delay, deduplication_id)
        self._validate_message(queue, message_body, 0, deduplication_id, group_id, validate_group_id)
        message = Message(
            id=str(uuid.uuid4()),
            body=message_body,
            attributes=message_attributes or {},
            system=system_attributes or {},
            group_id=group_id,
            deduplication_id=deduplication_id,
        )
        held = self.contents[queue_name].send(message, time.time(), delay_seconds=delay)
        self._wake(queue_name)
        return _for_moto(held)

    def take(self, queue_name: str, limit: int, visibility_seconds: int | None = None) -> list[Message]:
        """Up to `limit` visible messages, hidden from now on; moves those received too often to the dead letters."""
        queue = settings_of(self.get_queue(queue_name))
        redrive = queue.redrive_policy if queue.dead_letter_queue is not None else None
        received = self.contents[queue_name].receive(
            limit,
            time.time(),
            visibility_seconds=queue.visibility_timeout if visibility_seconds is None else visibility_seconds,
            retention_seconds=queue.message_retention_period,
            max_receives=redrive["maxReceiveCount"] if redrive else None,
        )
        for message in received.dead:
            self._bury(message, queue)
        return received.messages

    def _bury(self, message: Message, queue: Any) -> None:
        dead_letter_queue = queue.dead_letter_queue
        message.source_arn = queue.queue_arn
        self.contents[dead_letter_queue.name].adopt(message, time.time())
        self._history.record(
            "dead-lettered",
            queue_arn=queue.queue_arn,
            message_id=message.id,
            receives=message.receives,
            body=message.body,
        )
        self._wake(dead_letter_queue.name)

    def receive_message(
        self,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,  # noqa: ARG002 - the server waits, so that the loop goes on
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[MotoMessage]:
        """Receive for the wire."""
        received = [_for_moto(message) for message in self.take(queue_name, count, visibility_timeout)]
        for message in received:
            _filter_message_attributes(message, message_attribute_names or [])
        return received

    def delete_message(self, queue_name: str, receipt_handle: str) -> None:
        """Delete for the wire; raises as SQS refuses it."""
        self.get_queue(queue_name)
        try:
            self.contents[queue_name].delete(receipt_handle, time.time())
        except ReceiptInvalidError:
            raise ReceiptHandleIsInvalid from None
        except ReceiptExpiredError:
            raise _unusable(receipt_handle, "The receipt handle has expired.") from None
        self._wake_if_visible(queue_name)

    def change_message_visibility(self, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        """Change a message's visibility for the wire; raises as SQS refuses it."""
        self.get_queue(queue_name)
        if not 0 <= int(visibility_timeout) <= MAX_VISIBILITY_SECONDS:
            raise InvalidParameterValue(
                f"VisibilityTimeout must be 0 to {MAX_VISIBILITY_SECONDS}, not {visibility_timeout}"
            )
        try:
            self.contents[queue_name].change_visibility(receipt_handle, int(visibility_timeout), time.time())
        except ReceiptInvalidError:
            raise ReceiptHandleIsInvalid from None
        except ReceiptExpiredError:
            reason = "Message does not exist or is not available for visibility timeout change."
            raise _unusable(receipt_handle, reason) from None
        self._wake_if_visible(queue_name)

    def depth(self, queue_name: str) -> Depth:
        """How many messages a queue holds now."""
        return self.contents[queue_name].depth(time.time())

    def _wake_if_visible(self, queue_name: str) -> None:
        if self.depth(queue_name).visible:
            self._wake(queue_name)

    def _wake(self, queue_name: str) -> None:
        for wake in self.wakes.get(queue_name, ()):
            wake()


def settings_of(queue: MotoQueue) -> Any:
    """A queue with its attributes, which moto sets by name, where the type checker cannot see them."""
    return queue


def _unusable(receipt_handle: str, reason: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: {reason}")


def _for_moto(message: Message) -> MotoMessage:
    known: Any = MotoMessage(message.id, message.body, dict(message.system))
    known.message_attributes = dict(message.attributes)
    known.receipt_handle = message.receipt
    known.sent_timestamp = int(message.sent_at * 1000)
    known.approximate_receive_count = message.receives
    known.approximate_first_receive_timestamp = int((message.first_received_at or message.sent_at) * 1000)
    known.group_id = message.group_id
    known.deduplication_id = message.deduplication_id
    known.sequence_number = str(message.sequence) if message.sequence else None
    made: MotoMessage = known
    return made
