"""SNS behind the wire: what publishes, what lists topics and subscriptions, and what makes more of them.

https://docs.aws.amazon.com/sns/latest/api/API_Operations.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from eachonce_workbench.cloud.refusal import refused
from eachonce_workbench.cloud.request import form_of
from eachonce_workbench.cloud.store.protocol import AwsError, Response
from eachonce_workbench.cloud.topics.changes import new_subscription, new_topic, not_changed
from eachonce_workbench.cloud.topics.limits import MAX_MESSAGE_BYTES, MOST_BATCH_ENTRIES, invalid
from eachonce_workbench.cloud.topics.message import Message
from eachonce_workbench.cloud.topics.topics import Topics
from eachonce_workbench.cloud.xml import Pairs, answer
from eachonce_workbench.template.event_sources import Subscription, Topic
from eachonce_workbench.template.topology import Topology

_NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
_Form = Mapping[str, str]


class TopicCalls:
    """Answers SNS's query protocol; what would change what the template says is refused."""

    def __init__(self, topology: Topology, topics: Topics) -> None:
        self._topology = topology
        self._topics = topics
        self._calls: dict[str, Callable[[_Form], Mapping[str, Any] | None]] = {
            "CreateTopic": self._create_topic,
            "GetSubscriptionAttributes": self._subscription_attributes,
            "GetTopicAttributes": self._topic_attributes,
            "ListSubscriptions": lambda _: self._list(self._topics.subscriptions),
            "ListSubscriptionsByTopic": self._of_topic,
            "ListTopics": lambda _: {"Topics": [{"TopicArn": topic.arn} for topic in self._topics.all]},
            "Publish": self._publish,
            "PublishBatch": self._publish_batch,
            "Subscribe": self._subscribe,
        }

    def answer(self, form: bytes) -> Response:
        """Answer one request."""
        fields = form_of(form)
        action = fields.get("Action", "")
        try:
            if action not in self._calls:
                raise not_changed(action)
            return answer(action, self._calls[action](fields), namespace=_NAMESPACE)
        except AwsError as error:
            return refused(error, to_form=True)

    def _publish(self, form: _Form) -> Mapping[str, Any]:
        arn = form.get("TopicArn") or form.get("TargetArn")
        if not arn:
            if "PhoneNumber" in form:
                raise AwsError("OptedOut", "The local cloud sends no text messages")
            raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
        message = self._message(arn, form, "")
        return {"MessageId": message.id, "SequenceNumber": message.sequence_number}

    def _message(self, topic_arn: str, form: _Form, prefix: str) -> Message:
        return self._topics.publish(
            topic_arn,
            form.get(f"{prefix}Message", ""),
            subject=form.get(f"{prefix}Subject"),
            structured=form.get(f"{prefix}MessageStructure") == "json",
            attributes=dict(_attributes(form, prefix)),
            group_id=form.get(f"{prefix}MessageGroupId"),
            deduplication_id=form.get(f"{prefix}MessageDeduplicationId"),
        )

    def _publish_batch(self, form: _Form) -> Mapping[str, Any]:
        topic_arn = form.get("TopicArn", "")
        self._topics.topic(topic_arn)
        prefixes = list(_numbered(form, "PublishBatchRequestEntries.member", "Id"))
        _check_batch(form, prefixes)
        done: list[Mapping[str, Any]] = []
        failed: list[Mapping[str, Any]] = []
        for prefix in prefixes:
            known_as = form[f"{prefix}Id"]
            try:
                message = self._message(topic_arn, form, prefix)
            except AwsError as error:
                failed.append({"Id": known_as, "Code": error.code, "Message": error.message, "SenderFault": "true"})
            else:
                done.append({"Id": known_as, "MessageId": message.id, "SequenceNumber": message.sequence_number})
        return {"Successful": done, "Failed": failed}

    def _create_topic(self, form: _Form) -> Mapping[str, Any]:
        place = {"region": self._topology.region, "account": self._topology.account_id}
        return {"TopicArn": self._topics.add(new_topic(form.get("Name", ""), _given(form), **place)).arn}

    def _subscribe(self, form: _Form) -> Mapping[str, Any]:
        topic = self._topics.topic(form.get("TopicArn", ""))
        made = new_subscription(topic, form.get("Protocol", ""), form.get("Endpoint", ""), _given(form))
        return {"SubscriptionArn": self._topics.subscribe(made).arn}

    def _topic_attributes(self, form: _Form) -> Mapping[str, Any]:
        topic = self._topics.topic(form.get("TopicArn", ""))
        count = sum(each.topic_arn == topic.arn for each in self._topics.subscriptions)
        return {"Attributes": Pairs(_described(topic, count, self._topology.account_id))}

    def _subscription_attributes(self, form: _Form) -> Mapping[str, Any]:
        arn = form.get("SubscriptionArn", "")
        for subscription in self._topics.subscriptions:
            if subscription.arn == arn:
                return {"Attributes": Pairs(_settings(subscription, self._topology.account_id))}
        raise AwsError("NotFound", "Subscription does not exist", status=404)

    def _of_topic(self, form: _Form) -> Mapping[str, Any]:
        topic = self._topics.topic(form.get("TopicArn", ""))
        return self._list([each for each in self._topics.subscriptions if each.topic_arn == topic.arn])

    def _list(self, subscriptions: Any) -> Mapping[str, Any]:
        owner = self._topology.account_id
        return {
            "Subscriptions": [
                {
                    "TopicArn": each.topic_arn,
                    "Protocol": each.protocol,
                    "SubscriptionArn": each.arn,
                    "Owner": owner,
                    "Endpoint": each.endpoint,
                }
                for each in subscriptions
            ]
        }


def _given(form: _Form) -> dict[str, str]:
    entries = _numbered(form, "Attributes.entry", "key")
    return {form[f"{entry}key"]: form.get(f"{entry}value", "") for entry in entries}


def _numbered(form: _Form, name: str, field: str) -> Iterator[str]:
    """Give the prefix of each item of a list, in order."""
    number = 1
    while f"{name}.{number}.{field}" in form:
        yield f"{name}.{number}."
        number += 1


def _attributes(form: _Form, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for entry in _numbered(form, f"{prefix}MessageAttributes.entry", "Name"):
        value: dict[str, Any] = {"DataType": form.get(f"{entry}Value.DataType", "")}
        if (binary := form.get(f"{entry}Value.BinaryValue")) is not None:
            value["BinaryValue"] = _bytes(binary)
        if (text := form.get(f"{entry}Value.StringValue")) is not None:
            value["StringValue"] = text
        yield form[f"{entry}Name"], value


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise invalid("BinaryValue is not Base64") from None


def _check_batch(form: _Form, prefixes: list[str]) -> None:
    if not prefixes:
        raise AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(prefixes) > MOST_BATCH_ENTRIES:
        raise AwsError("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
    ids = [form[f"{prefix}Id"] for prefix in prefixes]
    if len(set(ids)) < len(ids):
        raise AwsError("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
    if sum(len(form.get(f"{prefix}Message", "").encode()) for prefix in prefixes) > MAX_MESSAGE_BYTES:
        raise AwsError(
            "BatchRequestTooLong", "The length of all the batch messages put together is more than the limit."
        )


def _described(topic: Topic, subscriptions: int, owner: str) -> Iterator[tuple[str, str]]:
    yield "TopicArn", topic.arn
    yield "Owner", owner
    yield "DisplayName", topic.display_name
    yield "SubscriptionsConfirmed", str(subscriptions)
    yield "SubscriptionsPending", "0"
    yield "SubscriptionsDeleted", "0"
    if topic.fifo:
        yield "FifoTopic", "true"
        yield "ContentBasedDeduplication", str(topic.content_based_deduplication).lower()


def _settings(subscription: Subscription, owner: str) -> Iterator[tuple[str, str]]:
    yield "SubscriptionArn", subscription.arn
    yield "TopicArn", subscription.topic_arn
    yield "Owner", owner
    yield "Protocol", subscription.protocol
    yield "Endpoint", subscription.endpoint
    yield "RawMessageDelivery", str(subscription.raw).lower()
    yield "PendingConfirmation", "false"
    if subscription.filter is not None:
        yield "FilterPolicy", json.dumps(subscription.filter.document)
        yield "FilterPolicyScope", subscription.filter_scope
    if subscription.dead_letter_arn is not None:
        yield "RedrivePolicy", json.dumps({"deadLetterTargetArn": subscription.dead_letter_arn})
