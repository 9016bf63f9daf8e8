"""The topics: a message published is handed to every subscription that wants it.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.post import After, Start
from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.queues.queues import QueueError, Queues, QueueUnavailableError
from eachonce_workbench.cloud.topics.admission import admits
from eachonce_workbench.cloud.topics.envelope import envelope, function_event
from eachonce_workbench.cloud.topics.limits import check
from eachonce_workbench.cloud.topics.message import Attributes, Message
from eachonce_workbench.template.event_sources import Subscription, Topic
from eachonce_workbench.template.topology import Topology

# https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html
DEDUPLICATION_SECONDS = 300.0

_AT_ONCE, _EACH_SECOND, _BACKING_OFF = 3, 5, 15
_LONGEST_WAIT_SECONDS = 20.0
MOST_RETRIES = 100_015


@dataclass(slots=True, kw_only=True)
class _Delivery:
    """A message on its way to one subscription, and how often that has failed."""

    message: Message
    subscription: Subscription
    retries: int = 0


class Topics:
    """All topics of one topology. Delivers while it is called; only retries wait, by `after`."""

    def __init__(
        self,
        topology: Topology,
        queues: Queues,
        history: History,
        *,
        after: After,
        start: Start,
        clock: Callable[[], float],
    ) -> None:
        self._topics = {topic.arn: topic for topic in topology.topics}
        self._subscriptions: dict[str, list[Subscription]] = defaultdict(list)
        for subscription in topology.subscriptions:
            self._subscriptions[subscription.topic_arn].append(subscription)
        self._queues = queues
        self._history = history
        self._after = after
        self._start = start
        self._clock = clock
        self._sequence = 0
        self._recent: dict[tuple[str, str], Message] = {}
        self.pending = 0

    @property
    def all(self) -> list[Topic]:
        """The topics."""
        return list(self._topics.values())

    @property
    def subscriptions(self) -> list[Subscription]:
        """The subscriptions of all topics."""
        return [each for of_topic in self._subscriptions.values() for each in of_topic]

    def add(self, topic: Topic) -> Topic:
        """Make a topic; gives the one that is there already, if one of this ARN is."""
        return self._topics.setdefault(topic.arn, topic)

    def subscribe(self, subscription: Subscription) -> Subscription:
        """Make a subscription; gives the one that is there already, if one of the same endpoint is."""
        for each in self._subscriptions[subscription.topic_arn]:
            if (each.protocol, each.endpoint) == (subscription.protocol, subscription.endpoint):
                return each
        self._subscriptions[subscription.topic_arn].append(subscription)
        return subscription

    def topic(self, arn: str) -> Topic:
        """The topic with this ARN. Raises `AwsError` NotFound."""
        if arn not in self._topics:
            raise AwsError("NotFound", "Topic does not exist", status=404)
        return self._topics[arn]

    def publish(
        self,
        topic_arn: str,
        text: str,
        *,
        subject: str | None = None,
        structured: bool = False,
        attributes: Mapping[str, str | int | Mapping[str, Any]] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
    ) -> Message:
        """Publish one message. Raises `AwsError` when SNS would refuse it."""
        topic = self.topic(topic_arn)
        message = Message(
            id=str(uuid.uuid4()),
            topic_arn=topic_arn,
            text=text,
            published_at=self._clock(),
            subject=subject,
            structured=structured,
            attributes=_attributes({} if attributes is None else attributes),
            group_id=group_id,
            deduplication_id=deduplication_id,
        )
        check(topic, message)
        if topic.fifo:
            message, seen = self._in_order(message)
            if seen:
                return message
        self._history.record("announced", event_id=message.id, topic=topic_arn)
        for subscription in self._subscriptions[topic_arn]:
            if admits(subscription, message):
                self._deliver(_Delivery(message=message, subscription=subscription))
        return message

    def _in_order(self, message: Message) -> tuple[Message, bool]:
        """Give a FIFO topic's message its place, or the earlier one that it repeats, and whether it does."""
        known_as = message.deduplication_id or hashlib.sha256(message.text.encode()).hexdigest()
        earlier = self._recent.get((message.topic_arn, known_as))
        if earlier is not None and message.published_at - earlier.published_at < DEDUPLICATION_SECONDS:
            return earlier, True
        self._sequence += 1
        message = replace(message, deduplication_id=known_as, sequence=10_000_000_000_000_000_000 + self._sequence)
        self._recent = {
            key: each
            for key, each in self._recent.items()
            if message.published_at - each.published_at < DEDUPLICATION_SECONDS
        }
        self._recent[message.topic_arn, known_as] = message
        return message, False

    def _deliver(self, delivery: _Delivery) -> None:
        try:
            self._send(delivery.message, delivery.subscription)
        except QueueUnavailableError as error:
            self._retry_or_give_up(delivery, str(error))
        except (QueueError, KeyError) as error:
            self._give_up(delivery, f"The endpoint does not take it: {error}")  # by itself it never will
        else:
            self._tell("delivered", delivery)

    def _send(self, message: Message, subscription: Subscription) -> None:
        if subscription.protocol == "lambda":
            self._start(subscription.endpoint, function_event(message, subscription))
        else:
            self._enqueue(subscription.endpoint, message, subscription)

    def _enqueue(self, queue_arn: str, message: Message, subscription: Subscription) -> None:
        fifo = queue_arn.endswith(".fifo")
        self._queues.send(
            queue_arn,
            message.text_for(subscription.protocol) if subscription.raw else envelope(message, subscription),
            attributes=message.attributes if subscription.raw else {},
            group_id=message.group_id,
            deduplication_id=message.deduplication_id if fifo else None,
        )

    def _retry_or_give_up(self, delivery: _Delivery, reason: str) -> None:
        if delivery.retries >= MOST_RETRIES:
            self._give_up(delivery, reason)
            return
        delivery.retries += 1
        self.pending += 1
        self._after(_wait_seconds(delivery.retries), lambda: self._again(delivery))

    def _again(self, delivery: _Delivery) -> None:
        self.pending -= 1
        self._deliver(delivery)

    def _give_up(self, delivery: _Delivery, reason: str) -> None:
        kept = delivery.subscription.dead_letter_arn
        if kept is not None:
            try:
                self._enqueue(kept, delivery.message, delivery.subscription)
            except QueueError:
                kept = None
        self._tell("undelivered", delivery, reason=reason, dead_letter_arn=kept)

    def _tell(self, kind: Any, delivery: _Delivery, **fields: Any) -> None:
        subscription = delivery.subscription
        self._history.record(
            kind,
            event_id=delivery.message.id,
            subscription=subscription.logical_id,
            target_arn=subscription.endpoint,
            **fields,
        )


def _wait_seconds(retry: int) -> float:
    """How long SNS waits before a retry of an endpoint of AWS's own."""
    if retry <= _AT_ONCE:
        return 0.0
    if retry <= _EACH_SECOND:
        return 1.0
    return (
        min(_LONGEST_WAIT_SECONDS, 1.35 ** (retry - _EACH_SECOND)) if retry <= _BACKING_OFF else _LONGEST_WAIT_SECONDS
    )


def _attributes(given: Mapping[str, str | int | Mapping[str, Any]]) -> Attributes:
    return {name: value if isinstance(value, Mapping) else _plain(value) for name, value in given.items()}


def _plain(value: str | int) -> Mapping[str, str]:
    return {"DataType": "Number" if isinstance(value, int) else "String", "StringValue": str(value)}
