"""A queue's attributes keep SQS's limits, and what a queue says of itself has SQS's form."""

import json
from typing import Any

import pytest
import time_machine

from eachonce_workbench.cloud.store.store import Store
from tests.post_office import CONTENT, DEAD, DEAD_LEDGER, GROUPS, LEDGER, ORDERS, PLAIN, PostOffice
from tests.topologies import arn, queue, topology

LIMITS = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1_024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
ANY_LIMIT = pytest.mark.parametrize("attribute", LIMITS)


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


def refused(office: PostOffice, url: str = PLAIN.url, **attributes: Any) -> tuple[str, str]:
    """Try to set attributes; nothing may have changed."""
    before = office.attributes(url)
    told = office.refused("SetQueueAttributes", QueueUrl=url, Attributes=attributes)
    assert office.attributes(url) == before
    return told


@ANY_LIMIT
def test_an_attribute_is_set_up_to_its_limits(office: PostOffice, attribute: str) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html."""
    key = {"KmsMasterKeyId": "alias/key"}
    for value in LIMITS[attribute]:
        office.ask("SetQueueAttributes", QueueUrl=PLAIN.url, Attributes=key | {attribute: str(value)})

        assert office.attributes(PLAIN.url)[attribute] == str(value)


@ANY_LIMIT
@pytest.mark.parametrize("way", ["set", "create"])
def test_an_attribute_beyond_its_limits_is_refused(office: PostOffice, attribute: str, way: str) -> None:
    """One less, one more, or what is no whole number: by SetQueueAttributes and by CreateQueue."""
    lowest, highest = LIMITS[attribute]
    for value in (str(lowest - 1), str(highest + 1), "-5", "", " 60", "60.0", "6e1", "true", "abc", "9" * 5000, "٦٠٠"):
        told = (
            refused(office, **{attribute: value})
            if way == "set"
            else office.refused("CreateQueue", QueueName="new", Attributes={attribute: value})
        )
        assert told == ("InvalidAttributeValue", f"Invalid value for the parameter {attribute}.")


@pytest.mark.parametrize("name", ["Colour", "QueueArn", "CreatedTimestamp", "ApproximateNumberOfMessages", "All", ""])
def test_what_is_no_attribute_to_set_is_refused(office: PostOffice, name: str) -> None:
    """Neither what SQS counts itself, nor what nobody knows."""
    assert refused(office, **{name: "1"}) == ("InvalidAttributeName", f"Unknown Attribute {name}.")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FifoQueue", "true", "Unknown Attribute FifoQueue."),
        ("FifoQueue", "false", "Unknown Attribute FifoQueue."),
        ("ContentBasedDeduplication", "true", "Unknown Attribute ContentBasedDeduplication."),
        ("DeduplicationScope", "queue", "You can specify the DeduplicationScope only when FifoQueue is set to true."),
        (
            "FifoThroughputLimit",
            "perQueue",
            "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
        ),
    ],
)
def test_a_standard_queue_has_none_of_a_fifo_queues_attributes(
    office: PostOffice, name: str, value: str, message: str
) -> None:
    """And never becomes one."""
    assert refused(office, **{name: value}) == ("InvalidAttributeName", message)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FifoQueue", "false"),
        ("ContentBasedDeduplication", "yes"),
        ("DeduplicationScope", "group"),
        ("DeduplicationScope", "messagegroup"),
        ("FifoThroughputLimit", "perGroup"),
        ("FifoThroughputLimit", "perMessageGroupId"),
    ],
)
def test_a_fifo_queues_attributes_have_their_words(office: PostOffice, name: str, value: str) -> None:
    """A throughput by message group is only for duplicates by message group."""
    code, message = refused(office, LEDGER.url, **{name: value})

    assert code == "InvalidAttributeValue"
    assert message.startswith(f"Invalid value for the parameter {name}.")


def test_high_throughput_is_chosen_by_both_attributes(office: PostOffice) -> None:
    """Together; and none of the two can be taken back alone.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html
    """
    both = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    office.ask("SetQueueAttributes", QueueUrl=LEDGER.url, Attributes=both)

    assert office.attributes(LEDGER.url).items() >= both.items()
    assert refused(office, GROUPS.url, DeduplicationScope="queue")[0] == "InvalidAttributeValue"


def test_content_decides_where_it_is_said_so(office: PostOffice) -> None:
    """In any case of letters."""
    office.ask("SetQueueAttributes", QueueUrl=LEDGER.url, Attributes={"ContentBasedDeduplication": "True"})

    assert office.attributes(LEDGER.url)["ContentBasedDeduplication"] == "true"
    assert office.attributes(CONTENT.url)["ContentBasedDeduplication"] == "true"


@pytest.mark.parametrize(
    ("name", "fifo", "message"),
    [
        ("a b", False, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"),
        ("a" * 81, False, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"),
        ("", False, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"),
        ("a\n", False, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"),
        ("a.fifo", False, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"),
        ("plain", True, "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores,"),
        ("a" * 76 + ".fifo", True, "The name of a FIFO queue can only include alphanumeric characters, hyphens,"),
    ],
)
def test_a_queues_name_says_what_it_is(office: PostOffice, name: str, fifo: bool, message: str) -> None:
    """80 plain characters, and `.fifo` at the end of a FIFO queue's and of no other."""
    attributes = {"FifoQueue": "true"} if fifo else {}

    code, told = office.refused("CreateQueue", QueueName=name, Attributes=attributes)

    assert code == "InvalidParameterValue"
    assert told.startswith(message)


def test_creating_a_queue_again_is_no_change(office: PostOffice) -> None:
    """With the same attributes; with others it is refused, and what it holds stays."""
    office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody="x")

    office.ask("CreateQueue", QueueName="plain")
    office.ask("CreateQueue", QueueName="plain", Attributes={"VisibilityTimeout": "30"})
    told = office.refused("CreateQueue", QueueName="plain", Attributes={"VisibilityTimeout": "31"})

    assert told == (
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute VisibilityTimeout",
    )
    assert office.bodies(PLAIN.url) == ["x"]


def test_times_are_told_in_whole_seconds(office: PostOffice) -> None:
    """When a queue was made, and when it was changed."""
    with time_machine.travel("2026-01-02T03:04:05.678Z", tick=False) as clock:
        url = office.ask("CreateQueue", QueueName="new")["QueueUrl"]
        clock.shift(10)
        office.ask("SetQueueAttributes", QueueUrl=url, Attributes={"VisibilityTimeout": "31"})

    told = office.attributes(url)
    assert (told["CreatedTimestamp"], told["LastModifiedTimestamp"]) == ("1767323045", "1767323055")


def test_setting_one_attribute_leaves_the_others(office: PostOffice) -> None:
    """The policy, too; an empty one takes it away."""
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}
    office.ask("SetQueueAttributes", QueueUrl=ORDERS.url, Attributes={"Policy": json.dumps(policy)})
    before = office.attributes(ORDERS.url)

    office.ask("SetQueueAttributes", QueueUrl=ORDERS.url, Attributes={"VisibilityTimeout": "31"})
    assert office.attributes(ORDERS.url) == before | {"VisibilityTimeout": "31"} | changed(office)
    assert json.loads(before["Policy"]) == policy

    office.ask("SetQueueAttributes", QueueUrl=ORDERS.url, Attributes={"Policy": ""})
    assert "Policy" not in office.attributes(ORDERS.url)
    for wrong in ("no JSON", "[]", "{}", '{"Statement": [5]}'):
        assert refused(office, Policy=wrong) == ("InvalidAttributeValue", "Invalid value for the parameter Policy.")


def changed(office: PostOffice) -> dict[str, str]:
    return {"LastModifiedTimestamp": office.attributes(ORDERS.url)["LastModifiedTimestamp"]}


def test_a_queue_is_encrypted_one_way(office: PostOffice) -> None:
    """By a key, or by SQS itself."""
    office.ask("SetQueueAttributes", QueueUrl=PLAIN.url, Attributes={"KmsMasterKeyId": "alias/key"})

    assert office.attributes(PLAIN.url)["SqsManagedSseEnabled"] == "false"
    code, _ = refused(office, KmsMasterKeyId="alias/key", SqsManagedSseEnabled="true")
    assert code == "InvalidAttributeName"


def test_attributes_are_told_by_name(office: PostOffice) -> None:
    """Those that are asked for; none when none is."""
    params = {"QueueUrl": PLAIN.url}
    names = ["VisibilityTimeout", "RedrivePolicy"]

    assert office.ask("GetQueueAttributes", AttributeNames=names, **params) == {
        "Attributes": {"VisibilityTimeout": "30"}
    }
    assert office.ask("GetQueueAttributes", **params) == {}
    assert office.refused("GetQueueAttributes", AttributeNames=["Colour"], **params)[0] == "InvalidAttributeName"
    assert office.refused("SetQueueAttributes", **params)[0] == "MissingParameter"


@pytest.mark.parametrize(
    "tags", [{"": "x"}, {"k" * 129: "x"}, {"k": "v" * 257}, {"\ud800": "x"}, {"k": "\uffff"}], ids=ascii
)
def test_tags_have_lengths_and_characters(office: PostOffice, tags: dict[str, str]) -> None:
    """128 for a key, 256 for a value, as they can be answered again."""
    assert office.refused("TagQueue", QueueUrl=PLAIN.url, Tags=tags)[0] == "InvalidParameterValue"
    assert office.refused("CreateQueue", QueueName="new", tags=tags)[0] == "InvalidParameterValue"
    assert office.ask("ListQueueTags", QueueUrl=PLAIN.url) == {"Tags": {}}


# Dead letters


def to(target: str, receives: object = 5, **more: object) -> str:
    return json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": receives, **more})


REFUSED_POLICIES = {
    "no JSON": ("x", "Redrive policy is not a valid JSON map."),
    "a list": ("[]", "Redrive policy is not a valid JSON map."),
    "nothing": ("{}", "Redrive policy does not contain mandatory attribute: maxReceiveCount."),
    "no target": (
        '{"maxReceiveCount": 5}',
        "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.",
    ),
    "no receive": (to(DEAD.arn, 0), "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both"),
    "1001 receives": (to(DEAD.arn, 1001), "Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000"),
    "negative receives": (to(DEAD.arn, -1), "Invalid value for maxReceiveCount: -1, valid values are from 1 to 1000"),
    "words for receives": (to(DEAD.arn, "ten"), "Invalid value for maxReceiveCount: ten, valid values are from 1 to"),
    "no ARN": (to("dead"), "Invalid value for deadLetterTargetArn."),
    "a topic": (to(arn("sns", "dead")), "Only SQS queues are valid resources for deadLetterTargetArn."),
    "a queue that isn't there": (to(arn("sqs", "nowhere")), "Dead letter target does not exist."),
    "another region's queue": (to(DEAD.arn.replace("eu-west-1", "us-east-1")), "Dead letter target does not exist."),
    "a FIFO queue": (to(DEAD_LEDGER.arn), "Dead-letter queue must be same type of queue as the source."),
    "more": (
        to(DEAD.arn, colour=1),
        "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].",
    ),
}


@pytest.mark.parametrize("name", REFUSED_POLICIES)
def test_a_redrive_policy_names_a_queue_and_a_count(office: PostOffice, name: str) -> None:
    """A queue that is there, of the same kind, and 1 to 1,000 receives."""
    policy, reason = REFUSED_POLICIES[name]

    code, message = refused(office, RedrivePolicy=policy)

    assert code == "InvalidParameterValue"
    assert f"Reason: {reason}" in message


def test_dead_letters_may_have_dead_letters() -> None:
    """Each queue is made after the one that it names, however the template orders them."""
    last = queue("a-last")
    middle = queue("c-middle", dead_letters=last)
    first = queue("b-first", dead_letters=middle)

    store = Store(topology(queues=(first, middle, last)))
    store.create()

    assert store.queues.depth(first.arn).total == 0


def test_a_redrive_policy_is_set_and_taken_away(office: PostOffice) -> None:
    """The count may be written as a text."""
    office.ask("SetQueueAttributes", QueueUrl=PLAIN.url, Attributes={"RedrivePolicy": to(DEAD.arn, "1000")})
    assert json.loads(office.attributes(PLAIN.url)["RedrivePolicy"]) == json.loads(to(DEAD.arn, 1000))
    sources = office.ask("ListDeadLetterSourceQueues", QueueUrl=DEAD.url)["queueUrls"]
    assert {url.rpartition("/")[2] for url in sources} == {"orders", "others", "plain"}

    office.ask("SetQueueAttributes", QueueUrl=PLAIN.url, Attributes={"RedrivePolicy": ""})
    assert "RedrivePolicy" not in office.attributes(PLAIN.url)


@pytest.mark.parametrize(
    "policy",
    [
        "x",
        "[]",
        "{}",
        '{"redrivePermission": "all"}',
        '{"redrivePermission": "byQueue"}',
        '{"redrivePermission": "byQueue", "sourceQueueArns": []}',
        '{"redrivePermission": "byQueue", "sourceQueueArns": "a"}',
        '{"redrivePermission": "denyAll", "sourceQueueArns": ["a"]}',
        '{"redrivePermission": "allowAll", "colour": 1}',
        json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [str(n) for n in range(11)]}),
    ],
)
def test_a_redrive_allow_policy_has_a_permission(office: PostOffice, policy: str) -> None:
    """All, none, or up to ten queues by name."""
    assert refused(office, DEAD.url, RedriveAllowPolicy=policy)[0] == "InvalidParameterValue"


def test_a_dead_letter_queue_lets_in_whom_it_allows(office: PostOffice) -> None:
    """None, or those that it names; whoever is in already stays."""

    def allow(permission: str, *sources: str) -> None:
        policy = {"redrivePermission": permission} | ({"sourceQueueArns": sources} if sources else {})
        office.ask("SetQueueAttributes", QueueUrl=DEAD.url, Attributes={"RedriveAllowPolicy": json.dumps(policy)})

    for permission in (("denyAll",), ("byQueue", ORDERS.arn)):
        allow(*permission)
        assert refused(office, RedrivePolicy=to(DEAD.arn))[0] == "InvalidParameterValue"
    assert json.loads(office.attributes(DEAD.url)["RedriveAllowPolicy"])["sourceQueueArns"] == [ORDERS.arn]

    allow("byQueue", PLAIN.arn)
    office.ask("SetQueueAttributes", QueueUrl=PLAIN.url, Attributes={"RedrivePolicy": to(DEAD.arn)})


def test_without_its_dead_letter_queue_a_message_stays(office: PostOffice) -> None:
    """It is handed over as before, and not lost."""
    office.ask("SendMessage", QueueUrl=ORDERS.url, MessageBody="x")
    assert office.bodies(ORDERS.url, VisibilityTimeout=0) == ["x"]

    office.ask("DeleteQueue", QueueUrl=DEAD.url)

    assert office.bodies(ORDERS.url, VisibilityTimeout=0) == ["x"]


def test_a_dead_letter_says_where_it_came_from(office: PostOffice) -> None:
    """`DeadLetterQueueSourceArn`, over the wire as in Lambda's records; one that was sent there has none."""
    office.ask("SendMessage", QueueUrl=ORDERS.url, MessageBody="moved")
    office.ask("SendMessage", QueueUrl=DEAD.url, MessageBody="sent")
    for _ in range(2):
        office.receive(ORDERS.url, VisibilityTimeout=0)

    by_name = office.receive(DEAD.url, MessageSystemAttributeNames=["DeadLetterQueueSourceArn"], VisibilityTimeout=0)
    sources = {message["Body"]: message["Attributes"] for message in by_name}
    assert sources == {"moved": {"DeadLetterQueueSourceArn": ORDERS.arn}, "sent": {}}
    status, answer = office.by_query(
        "ReceiveMessage", QueueUrl=DEAD.url, AttributeName__1="All", MaxNumberOfMessages="10"
    )
    assert status == 200
    assert f"<Name>DeadLetterQueueSourceArn</Name><Value>{ORDERS.arn}</Value>" in answer
