"""A topic hands each message to every subscription that wants it, in the form that the subscription wants."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest

from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.cloud.topics.calls import TopicCalls
from eachonce_workbench.cloud.topics.topics import MOST_RETRIES, Topics
from eachonce_workbench.matching.pattern import Pattern
from eachonce_workbench.template.event_sources import Subscription
from eachonce_workbench.template.topology import Queue
from tests.topologies import function, queue, subscription, topic, topology

ORDERS = queue("orders")
DEAD_LETTERS = queue("orders-undelivered")
IN_ORDER = queue("orders.fifo")
MAIL = function("Mail")
TOPIC = topic("sales")
FIFO = topic("sales.fifo")
COLOUR = {"colour": {"DataType": "String", "StringValue": "red"}}


class System:
    """Topics, the queues behind them, and what happens."""

    def __init__(self, *subscriptions: Subscription) -> None:
        system = topology(
            queues=(ORDERS, DEAD_LETTERS, IN_ORDER),
            functions=(MAIL,),
            topics=(TOPIC, FIFO),
            subscriptions=subscriptions,
        )
        self.store = Store(system)
        self.store.create()
        self.happenings: list[Happening] = []
        self.begun: list[tuple[str, Any]] = []
        self.waiting: list[tuple[float, Callable[[], None]]] = []
        self.now = 1_767_225_600.0
        history = History()
        history.subscribe(self.happenings.append)
        self.topics = Topics(
            system,
            self.store.queues,
            history,
            after=lambda seconds, call: self.waiting.append((seconds, call)),
            start=self._start,
            clock=lambda: self.now,
        )
        self.calls = TopicCalls(system, self.topics)

    def _start(self, arn: str, payload: bytes) -> None:
        if arn != MAIL.arn:
            raise KeyError(arn)
        self.begun.append((arn, json.loads(payload)))

    def bodies(self, of: Queue = ORDERS) -> list[str]:
        return [record["body"] for record in self.records(of)]

    def records(self, of: Queue = ORDERS) -> list[dict[str, Any]]:
        return self.store.queues.receive(of.arn, max_messages=100)

    def kinds(self) -> list[str]:
        return [happening.kind for happening in self.happenings]

    def ask(self, **fields: str) -> ET.Element:
        """Ask in SNS's protocol, and give the answer without its namespace."""
        _, _, body = self.calls.answer(urlencode(fields).encode())
        return ET.fromstring(body.decode().replace(' xmlns="http://sns.amazonaws.com/doc/2010-03-31/"', ""))


def test_a_queue_gets_the_envelope() -> None:
    """With the subject and the attributes, where the message has any."""
    system = System(subscription(TOPIC, ORDERS))

    message = system.topics.publish(TOPIC.arn, "hello", subject="greeting", attributes=COLOUR)
    system.topics.publish(TOPIC.arn, "again")

    told, bare = map(json.loads, system.bodies())
    assert {name: told[name] for name in ("Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp")} == {
        "Type": "Notification",
        "MessageId": message.id,
        "TopicArn": TOPIC.arn,
        "Subject": "greeting",
        "Message": "hello",
        "Timestamp": "2026-01-01T00:00:00.000Z",
    }
    assert told["MessageAttributes"] == {"colour": {"Type": "String", "Value": "red"}}
    assert not {"Subject", "MessageAttributes", "SequenceNumber"} & bare.keys()
    assert system.kinds() == ["announced", "delivered"] * 2


def test_a_queue_that_wants_it_raw_gets_the_text_and_the_attributes_of_the_message() -> None:
    """Binary ones, too."""
    system = System(subscription(TOPIC, ORDERS, raw=True))

    system.topics.publish(
        TOPIC.arn, "hello", attributes=COLOUR | {"seal": {"DataType": "Binary", "BinaryValue": b"\x00\x01"}}
    )

    (record,) = system.records()
    assert record["body"] == "hello"
    assert record["messageAttributes"]["colour"]["stringValue"] == "red"
    assert record["messageAttributes"]["seal"]["binaryValue"] == "AAE="


def test_a_function_gets_one_record() -> None:
    """In Lambda's shape, with the subscription that it came by; a subject that isn't there is null."""
    system = System(subscription(TOPIC, MAIL))

    system.topics.publish(TOPIC.arn, "hello", attributes=COLOUR)

    ((arn, event),) = system.begun
    (record,) = event["Records"]
    assert arn == MAIL.arn
    assert (record["EventSource"], record["EventVersion"]) == ("aws:sns", "1.0")
    assert record["EventSubscriptionArn"] == f"{TOPIC.arn}:{MAIL.name}"
    assert (record["Sns"]["Message"], record["Sns"]["Subject"]) == ("hello", None)
    assert record["Sns"]["MessageAttributes"] == {"colour": {"Type": "String", "Value": "red"}}


def test_a_structured_message_has_a_text_for_each_protocol() -> None:
    """And a default for the others."""
    system = System(subscription(TOPIC, ORDERS, raw=True), subscription(TOPIC, MAIL))

    system.topics.publish(TOPIC.arn, json.dumps({"default": "all", "sqs": "queues"}), structured=True)

    assert system.bodies() == ["queues"]
    assert system.begun[0][1]["Records"][0]["Sns"]["Message"] == "all"


@pytest.mark.parametrize(
    ("policy", "attributes", "wanted"),
    [
        ({"colour": ["red", "blue"]}, COLOUR, True),
        ({"colour": ["blue"]}, COLOUR, False),
        ({"colour": ["red"]}, {}, False),
        ({"colour": ["red"], "size": [1]}, COLOUR, False),
        ({"colour": [{"prefix": "re"}]}, COLOUR, True),
        ({"colour": [{"suffix": "d"}]}, COLOUR, True),
        ({"colour": [{"wildcard": "r*d"}]}, COLOUR, True),
        ({"colour": [{"equals-ignore-case": "RED"}]}, COLOUR, True),
        ({"colour": [{"anything-but": ["red"]}]}, COLOUR, False),
        ({"colour": [{"anything-but": {"prefix": "b"}}]}, COLOUR, True),
        ({"colour": [{"exists": True}]}, COLOUR, True),
        ({"size": [{"exists": False}]}, COLOUR, True),
        ({"size": [{"exists": False}]}, {}, True),
        ({"size": [{"numeric": [">", 1, "<=", 2]}]}, {"size": {"DataType": "Number", "StringValue": "2"}}, True),
        ({"size": [2]}, {"size": {"DataType": "Number", "StringValue": "2.0"}}, True),
        ({"size": [2]}, {"size": {"DataType": "String", "StringValue": "2"}}, False),
        ({"from": [{"cidr": "10.0.0.0/24"}]}, {"from": {"DataType": "String", "StringValue": "10.0.0.7"}}, True),
        ({"tags": ["a"]}, {"tags": {"DataType": "String.Array", "StringValue": '["a", "b"]'}}, True),
        ({"tags": [{"anything-but": ["a"]}]}, {"tags": {"DataType": "String.Array", "StringValue": '["a","b"]'}}, True),
        ({"tags": [None]}, {"tags": {"DataType": "String.Array", "StringValue": "[null]"}}, True),
        ({"seal": [{"exists": True}]}, {"seal": {"DataType": "Binary", "BinaryValue": b"1"}}, False),
        ({"$or": [{"colour": ["blue"]}, {"size": [{"exists": False}]}]}, COLOUR, True),
    ],
)
def test_a_filter_policy_is_about_the_attributes(policy: Any, attributes: Any, wanted: bool) -> None:
    """By default; every name of it must be fine."""
    system = System(subscription(TOPIC, ORDERS, filter=Pattern(policy)))

    system.topics.publish(TOPIC.arn, '{"colour": "green"}', attributes=attributes)

    assert len(system.bodies()) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"order": {"lines": [{"sku": "A"}, {"sku": "B"}]}}', True),
        ('{"order": {"lines": [{"sku": "C"}]}}', False),
        ('["order"]', False),
        ("order", False),
    ],
)
def test_a_filter_policy_may_be_about_the_body(text: str, wanted: bool) -> None:
    """Which is a JSON object then, or nobody's."""
    policy = Pattern({"order": {"lines": {"sku": ["B"]}}})
    system = System(subscription(TOPIC, ORDERS, filter=policy, filter_scope="MessageBody"))

    system.topics.publish(TOPIC.arn, text, attributes={"order": {"DataType": "String", "StringValue": "x"}})

    assert len(system.bodies()) == wanted


def test_a_fifo_topic_hands_its_order_on() -> None:
    """The group, the deduplication id and a growing number; to a standard queue, too."""
    system = System(subscription(FIFO, IN_ORDER), subscription(FIFO, ORDERS))

    for number in range(3):
        system.topics.publish(FIFO.arn, f"{number}", group_id="all", deduplication_id=f"d{number}")

    envelopes = [json.loads(body) for body in system.bodies(IN_ORDER)]
    assert [envelope["Message"] for envelope in envelopes] == ["0", "1", "2"]
    assert sorted(numbers := [envelope["SequenceNumber"] for envelope in envelopes]) == numbers
    assert all(len(number) == 20 for number in numbers)
    assert len(system.bodies()) == 3


def test_a_fifo_topic_takes_a_copy_once_in_five_minutes() -> None:
    """It answers a copy as it did the first."""
    system = System(subscription(FIFO, ORDERS))

    first = system.topics.publish(FIFO.arn, "a", group_id="all", deduplication_id="d")
    copy = system.topics.publish(FIFO.arn, "b", group_id="all", deduplication_id="d")
    system.now += 301
    later = system.topics.publish(FIFO.arn, "b", group_id="all", deduplication_id="d")

    assert (copy.id, copy.sequence_number) == (first.id, first.sequence_number)
    assert later.id != first.id
    assert len(system.bodies()) == 2


def test_an_endpoint_that_is_not_there_is_given_up_at_once() -> None:
    """The message goes to the subscription's dead-letter queue as it was to be delivered, or is said to be lost."""
    gone = queue("gone")
    system = System(subscription(TOPIC, gone, dead_letter_arn=DEAD_LETTERS.arn), subscription(TOPIC, function("Gone")))

    system.topics.publish(TOPIC.arn, "hello")

    (letter,) = system.bodies(DEAD_LETTERS)
    assert json.loads(letter)["Message"] == "hello"
    assert system.kinds() == ["announced", "undelivered", "undelivered"]
    assert [each.fields["dead_letter_arn"] for each in system.happenings[1:]] == [DEAD_LETTERS.arn, None]


def test_an_endpoint_that_cannot_be_reached_is_tried_again() -> None:
    """Three times at once, then with growing pauses of twenty seconds at most; meanwhile it is on its way."""
    system = System(subscription(TOPIC, ORDERS))
    system.store.queues.begin_outage(ORDERS.arn)

    system.topics.publish(TOPIC.arn, "hello")
    waited = []
    while len(waited) < 20:
        assert system.topics.pending == 1
        seconds, again = system.waiting.pop()
        waited.append(seconds)
        again()
    system.store.queues.end_outage(ORDERS.arn)
    system.waiting.pop()[1]()

    assert waited[:5] == [0, 0, 0, 1, 1]
    assert waited == sorted(waited)
    assert waited[-1] == 20
    assert system.topics.pending == 0
    assert len(system.bodies()) == 1


def test_in_the_end_it_is_given_up() -> None:
    """After 100,015 retries."""
    system = System(subscription(TOPIC, ORDERS, dead_letter_arn=DEAD_LETTERS.arn))
    system.store.queues.begin_outage(ORDERS.arn)

    system.topics.publish(TOPIC.arn, "hello")
    tries = 0
    while system.waiting:
        tries += 1
        system.waiting.pop()[1]()

    assert tries == MOST_RETRIES
    assert len(system.bodies(DEAD_LETTERS)) == 1


@pytest.mark.parametrize(
    ("arn", "given", "code"),
    [
        ("arn:aws:sns:eu-west-1:123456789012:none", {"text": "a"}, "NotFound"),
        (TOPIC.arn, {"text": ""}, "InvalidParameter"),
        (TOPIC.arn, {"text": "a" * 262_145}, "InvalidParameter"),
        (TOPIC.arn, {"text": "a", "subject": "s" * 101}, "InvalidParameter"),
        (TOPIC.arn, {"text": "a", "subject": "two\nlines"}, "InvalidParameter"),
        (TOPIC.arn, {"text": "a", "structured": True}, "InvalidParameter"),
        (TOPIC.arn, {"text": '{"sqs": "a"}', "structured": True}, "InvalidParameter"),
        (TOPIC.arn, {"text": "a", "deduplication_id": "d"}, "InvalidParameter"),
        (
            TOPIC.arn,
            {"text": "a", "attributes": {"n": {"DataType": "Text", "StringValue": "a"}}},
            "ParameterValueInvalid",
        ),
        (TOPIC.arn, {"text": "a", "attributes": {"n": {"DataType": "String"}}}, "ParameterValueInvalid"),
        (
            TOPIC.arn,
            {"text": "a", "attributes": {"n": {"DataType": "Number", "StringValue": "one"}}},
            "ParameterValueInvalid",
        ),
        (FIFO.arn, {"text": "a", "deduplication_id": "d"}, "InvalidParameter"),
        (FIFO.arn, {"text": "a", "group_id": "g"}, "InvalidParameter"),
        (TOPIC.arn, {"text": "a", "group_id": "a b"}, "InvalidParameter"),
        (TOPIC.arn, {"text": "a", "group_id": "g" * 129}, "InvalidParameter"),
    ],
)
def test_what_sns_refuses_reaches_nobody(arn: str, given: dict[str, Any], code: str) -> None:
    """With its code."""
    system = System(subscription(TOPIC, ORDERS), subscription(FIFO, ORDERS))

    with pytest.raises(AwsError) as caught:
        system.topics.publish(arn, given.pop("text"), **given)

    assert caught.value.code == code
    assert system.kinds() == []


def test_a_standard_topics_message_group_reaches_standard_queues() -> None:
    """Where it makes them fair; https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""
    system = System(subscription(TOPIC, ORDERS, raw=True))

    system.topics.publish(TOPIC.arn, "a", group_id="acme")

    (record,) = system.store.queues.receive(ORDERS.arn, max_messages=10)
    assert record["attributes"]["MessageGroupId"] == "acme"


def test_a_batch_fails_entry_by_entry() -> None:
    """The others are published."""
    system = System(subscription(TOPIC, ORDERS, raw=True))

    answer = system.ask(
        Action="PublishBatch",
        TopicArn=TOPIC.arn,
        **{
            "PublishBatchRequestEntries.member.1.Id": "a",
            "PublishBatchRequestEntries.member.1.Message": "hello",
            "PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Name": "n",
            "PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.DataType": "Number",
            "PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.StringValue": "7",
            "PublishBatchRequestEntries.member.2.Id": "b",
            "PublishBatchRequestEntries.member.2.Message": "",
        },
    )

    (record,) = system.records()
    assert [each.text for each in answer.iterfind(".//Successful/member/Id")] == ["a"]
    assert [each.text for each in answer.iterfind(".//Failed/member/Id")] == ["b"]
    assert (record["body"], record["messageAttributes"]["n"]["stringValue"]) == ("hello", "7")


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ([], "EmptyBatchRequest"),
        (["a", "a"], "BatchEntryIdsNotDistinct"),
        ([str(number) for number in range(11)], "TooManyEntriesInBatchRequest"),
    ],
)
def test_a_batch_that_is_none_is_refused_whole(ids: list[str], code: str) -> None:
    """Before anything is published."""
    system = System(subscription(TOPIC, ORDERS))
    entries = {f"PublishBatchRequestEntries.member.{number}.Id": each for number, each in enumerate(ids, start=1)}

    answer = system.ask(Action="PublishBatch", TopicArn=TOPIC.arn, **entries)

    assert answer.findtext("Error/Code") == code
    assert system.kinds() == []


def test_lists_tell_what_the_template_describes() -> None:
    """Topics, and the subscriptions of one or of all."""
    system = System(subscription(TOPIC, ORDERS, raw=True, filter=Pattern({"a": ["b"]})), subscription(FIFO, IN_ORDER))

    topics = system.ask(Action="ListTopics")
    every = system.ask(Action="ListSubscriptions")
    own = system.ask(Action="ListSubscriptionsByTopic", TopicArn=TOPIC.arn)
    settings = system.ask(Action="GetSubscriptionAttributes", SubscriptionArn=f"{TOPIC.arn}:orders")

    assert [each.text for each in topics.iterfind(".//TopicArn")] == [TOPIC.arn, FIFO.arn]
    assert len(list(every.iterfind(".//member"))) == 2
    assert [each.text for each in own.iterfind(".//Endpoint")] == [ORDERS.arn]
    values = {entry.findtext("key"): entry.findtext("value") for entry in settings.iterfind(".//entry")}
    assert (values["RawMessageDelivery"], values["FilterPolicy"]) == ("true", '{"a": ["b"]}')


def test_a_program_may_make_a_topic_and_subscribe_to_it() -> None:
    """One that is there already is given again."""
    system = System()

    made = system.ask(Action="CreateTopic", Name="own").findtext(".//TopicArn")
    again = system.ask(Action="CreateTopic", Name="own").findtext(".//TopicArn")
    system.ask(
        Action="Subscribe",
        TopicArn=str(made),
        Protocol="sqs",
        Endpoint=ORDERS.arn,
        **{"Attributes.entry.1.key": "RawMessageDelivery", "Attributes.entry.1.value": "true"},
    )
    system.ask(Action="Publish", TopicArn=str(made), Message="hello")

    assert made == again == "arn:aws:sns:eu-west-1:123456789012:own"
    assert system.bodies() == ["hello"]


@pytest.mark.parametrize("action", ["DeleteTopic", "SetTopicAttributes", "Unsubscribe"])
def test_a_call_that_would_change_what_the_template_says_is_refused(action: str) -> None:
    """And says where to change it."""
    answer = System().ask(Action=action, TopicArn=TOPIC.arn)

    assert answer.findtext("Error/Code") == "InvalidAction"
    assert "template.yaml" in str(answer.findtext("Error/Message"))
