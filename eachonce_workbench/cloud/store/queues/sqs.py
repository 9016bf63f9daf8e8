"""SQS's queues: moto keeps what a queue is (attributes, policy, tags), `Messages` what it holds.

Written against moto 5.2.5. Each operation raises `SQSException` as SQS refuses it.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.utils import camelcase_to_underscores
from moto.sqs.exceptions import (
    InvalidAttributeName,
    PurgeQueueInProgress,
    QueueAlreadyExists,
    ReceiptHandleIsInvalid,
)
from moto.sqs.models import Message as MotoMessage
from moto.sqs.models import Queue as MotoQueue
from moto.sqs.models import SQSBackend

from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.store.queues import redrive, settings
from eachonce_workbench.cloud.store.queues.attributes import Attributes
from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.cloud.store.queues.limits import check
from eachonce_workbench.cloud.store.queues.message import Message
from eachonce_workbench.cloud.store.queues.messages import (
    MAX_VISIBILITY_SECONDS,
    Depth,
    HiddenTooLongError,
    Messages,
    ReceiptExpiredError,
    ReceiptInvalidError,
)
from eachonce_workbench.cloud.store.queues.moves import Moves
from eachonce_workbench.cloud.store.queues.refusals import FORBIDDEN_CHARACTERS, invalid_value, outside

Wake = Callable[[], None]

# .../SQSDeveloperGuide/quotas-queues.html, for FIFO queues avoid-backlog-with-the-same-message-group-id.html
MAX_IN_FLIGHT = 120_000

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
_PURGE_SECONDS = 60


class Sqs(SQSBackend):
    """moto's queues, holding their messages at a cost that doesn't grow with them."""

    def __init__(self, region_name: str, account_id: str, *, disorder: Disorder, history: History) -> None:
        super().__init__(region_name, account_id)
        self._disorder = disorder
        self._history = history
        self.contents: dict[str, Messages] = {}
        self.wakes: dict[str, list[Wake]] = {}
        self.moves = Moves(self)

    def reset(self) -> None:
        """Forget everything, as moto wants it before it begins anew."""
        self.queues.clear()
        self.contents.clear()
        self.wakes.clear()
        self.moves = Moves(self)

    def create_queue(self, name: str, tags: dict[str, str] | None = None, **kwargs: Any) -> MotoQueue:
        """Create a queue, empty; one that is there already, with the same attributes, is that one."""
        fifo = "FifoQueue" in kwargs
        values = settings.read(kwargs, fifo=fifo)
        settings.check_name(name, fifo=fifo)
        settings.check_tags(tags or {})
        if name in self.queues:
            return self._same(name, values)
        settings.check_throughput(values)
        queue = MotoQueue(name, region=self.region_name, account_id=self.account_id)  # type: ignore[abstract]
        self._apply(queue, values)
        self.queues[name] = queue
        self.contents[name] = Messages(name, fifo=fifo, disorder=self._disorder)
        queue.tags = dict(tags or {})
        return queue

    def set_queue_attributes(self, queue_name: str, attributes: Mapping[str, Any]) -> MotoQueue:
        """Change some attributes, or none of them."""
        queue = self.get_queue(queue_name)
        values = settings.read(attributes, fifo=queue.fifo_queue)
        settings.check_throughput(self._described(queue) | values)
        self._apply(queue, values)
        return queue

    def get_queue_attributes(self, queue_name: str, attribute_names: list[str]) -> dict[str, Any]:
        """A queue's attributes, with the counts of what it really holds."""
        queue = self.get_queue(queue_name)
        for name in attribute_names:
            if name not in settings.NAMES and name != "All":
                raise InvalidAttributeName(name)
        described = self._described(queue)
        return (
            described
            if "All" in attribute_names
            else {name: described[name] for name in attribute_names if name in described}
        )

    def delete_queue(self, queue_name: str) -> None:
        """Delete a queue with all that it holds."""
        super().delete_queue(queue_name)
        del self.contents[queue_name]

    def purge_queue(self, queue_name: str) -> None:
        """Forget all that a queue holds, at most once a minute."""
        queue = self.get_queue(queue_name)
        now = time.time()
        if queue.last_purged_at is not None and now - queue.last_purged_at < _PURGE_SECONDS:
            raise PurgeQueueInProgress(queue_name)
        queue.last_purged_at = now
        self.contents[queue_name].purge()

    def tag_queue(self, queue_name: str, tags: dict[str, str]) -> None:
        """Add tags to a queue, or change them."""
        settings.check_tags(tags)
        super().tag_queue(queue_name, tags)

    def list_queues(self, queue_name_prefix: str | None) -> list[MotoQueue]:
        """The queues whose names begin so."""
        return [queue for name, queue in self.queues.items() if name.startswith(queue_name_prefix or "")]

    def send(
        self,
        queue_name: str,
        body: str,
        *,
        attributes: Attributes | None = None,
        system: Attributes | None = None,
        delay_seconds: int | None = None,
        deduplication_id: str | None = None,
        group_id: str | None = None,
    ) -> Message:
        """Send one message; returns it, or the one of which it is a duplicate."""
        queue = settings_of(self.get_queue(queue_name))
        if deduplication_id is None and queue.fifo_queue and queue.content_based_deduplication:
            deduplication_id = hashlib.sha256(body.encode(errors="surrogatepass")).hexdigest()
        message = Message(
            id=str(uuid.uuid4()),
            body=body,
            attributes=attributes or {},
            system=system or {},
            group_id=group_id,
            deduplication_id=deduplication_id,
        )
        check(queue, message, delay_seconds)
        delay = queue.delay_seconds if delay_seconds is None or queue.fifo_queue else delay_seconds
        by_group = queue.deduplication_scope == "messageGroup"
        held = self._holding(queue_name).send(message, time.time(), delay_seconds=delay, by_group=by_group)
        self.wake(queue_name)
        return held

    def send_message(
        self,
        queue_name: str,
        message_body: str,
        message_attributes: dict[str, Any] | None = None,
        delay_seconds: int | None = None,
        deduplication_id: str | None = None,
        group_id: str | None = None,
        system_attributes: dict[str, Any] | None = None,
        validate_group_id: bool = True,  # noqa: ARG002, FBT001, FBT002 - moto's signature
    ) -> MotoMessage:
        """Send for moto's other services."""
        sent = self.send(
            queue_name,
            message_body,
            attributes=message_attributes,
            system=system_attributes,
            delay_seconds=delay_seconds,
            deduplication_id=deduplication_id,
            group_id=group_id,
        )
        return MotoMessage(sent.id, sent.body)

    def take(self, queue_name: str, limit: int, visibility_seconds: int | None = None) -> list[Message]:
        """Up to `limit` visible messages, hidden from now on; moves those received too often to the dead letters.

        None of more than may be in flight at once.
        """
        queue = settings_of(self.get_queue(queue_name))
        messages = self._holding(queue_name)
        dead_letters = self.dead_letters_of(queue)
        received = messages.receive(
            min(limit, MAX_IN_FLIGHT - messages.in_flight),
            time.time(),
            visibility_seconds=queue.visibility_timeout if visibility_seconds is None else visibility_seconds,
            retention_seconds=queue.message_retention_period,
            max_receives=None if dead_letters is None else queue.redrive_policy["maxReceiveCount"],
        )
        for message in received.dead:
            self._bury(message, queue, dead_letters)
        return received.messages

    def dead_letters_of(self, queue: Any) -> Any:
        """The queue of a queue's dead letters; None when it has none, or that one was deleted."""
        return None if queue.redrive_policy is None else self.queue_at(queue.redrive_policy["deadLetterTargetArn"])

    def queue_at(self, queue_arn: str | None) -> Any:
        """The queue of an ARN, None when there is no such queue here."""
        queue = self.queues.get(queue_arn.rpartition(":")[2]) if queue_arn else None
        return queue if queue is not None and queue.queue_arn == queue_arn else None

    def _bury(self, message: Message, queue: Any, dead_letters: Any) -> None:
        message.source_arn = queue.queue_arn
        self.contents[dead_letters.name].adopt(message, time.time())
        self._history.record(
            "dead-lettered",
            queue_arn=queue.queue_arn,
            message_id=message.id,
            receives=message.receives,
            body=message.body,
        )
        self.wake(dead_letters.name)

    def delete(self, queue_name: str, receipt_handle: str) -> None:
        """Forget a message."""
        self.get_queue(queue_name)
        try:
            self.contents[queue_name].delete(receipt_handle, time.time())
        except ReceiptInvalidError:
            raise _invalid_receipt(receipt_handle) from None
        except ReceiptExpiredError:
            raise invalid_value("ReceiptHandle", receipt_handle, "The receipt handle has expired.") from None
        self._wake_if_visible(queue_name)

    def change_visibility(self, queue_name: str, receipt_handle: str, seconds: int) -> None:
        """Hide a message for so long from now."""
        self.get_queue(queue_name)
        if not 0 <= seconds <= MAX_VISIBILITY_SECONDS:
            raise outside("VisibilityTimeout", seconds, 0, MAX_VISIBILITY_SECONDS)
        try:
            self.contents[queue_name].change_visibility(receipt_handle, seconds, time.time())
        except ReceiptInvalidError:
            raise _invalid_receipt(receipt_handle) from None
        except ReceiptExpiredError:
            reason = "Message does not exist or is not available for visibility timeout change."
            raise invalid_value("ReceiptHandle", receipt_handle, reason) from None
        except HiddenTooLongError:
            reason = f"Total VisibilityTimeout for the message is beyond the limit [{MAX_VISIBILITY_SECONDS} seconds]"
            raise invalid_value("VisibilityTimeout", seconds, reason) from None
        self._wake_if_visible(queue_name)

    def depth(self, queue_name: str) -> Depth:
        """How many messages a queue holds now."""
        return self._holding(queue_name).depth(time.time())

    def next_due(self, queue_name: str) -> float | None:
        """When the next message becomes visible by itself, None when none will."""
        due = self._holding(queue_name).next_due(), self.moves.next_due()
        return min((at for at in due if at is not None), default=None)

    def wake(self, queue_name: str) -> None:
        """Tell whoever reads a queue that it has changed."""
        for wake in self.wakes.get(queue_name, ()):
            wake()

    def _holding(self, queue_name: str) -> Messages:
        self.moves.advance(time.time())
        return self.contents[queue_name]

    def _wake_if_visible(self, queue_name: str) -> None:
        if self.depth(queue_name).visible:
            self.wake(queue_name)

    def _same(self, name: str, values: Mapping[str, Any]) -> MotoQueue:
        described = self._described(self.queues[name])
        for attribute, value in values.items():
            if value is not None and described.get(attribute) != settings.text(value):
                raise QueueAlreadyExists(
                    f"A queue already exists with the same name and a different value for attribute {attribute}"
                )
        return self.queues[name]

    def _apply(self, queue: Any, values: Mapping[str, Any]) -> None:
        if (policy := values.get("RedrivePolicy")) is not None:
            redrive.check_target(policy, queue.queue_arn, self.queue_at(policy["deadLetterTargetArn"]))
        for name, value in values.items():
            setattr(queue, camelcase_to_underscores(name), settings.for_moto(name, value))
        if values.get("KmsMasterKeyId"):
            queue.sqs_managed_sse_enabled = "false"
        queue.dead_letter_queue = self.dead_letters_of(queue)
        queue.last_modified_timestamp = time.time()

    def _described(self, queue: Any) -> dict[str, str]:
        counts = {}
        if queue.name in self.contents:
            depth = self.depth(queue.name)
            counts = {
                "ApproximateNumberOfMessages": depth.visible,
                "ApproximateNumberOfMessagesNotVisible": depth.in_flight,
                "ApproximateNumberOfMessagesDelayed": depth.delayed,
            }
        return settings.described(queue) | {name: str(count) for name, count in counts.items()}


def settings_of(queue: MotoQueue) -> Any:
    """A queue with its attributes, which moto sets by name, where the type checker cannot see them."""
    return queue


def _invalid_receipt(receipt_handle: str) -> ReceiptHandleIsInvalid:
    refusal = ReceiptHandleIsInvalid()
    shown = FORBIDDEN_CHARACTERS.sub("?", receipt_handle)
    refusal.message = f'The input receipt handle "{shown}" is not a valid receipt handle.'
    return refusal
