"""The local SQS takes the messages that SQS takes, and refuses the others in its words."""

import hashlib
from typing import Any

import pytest
import time_machine

from eachonce_workbench.cloud.store.queues.queues import MessageRefusedError
from tests.post_office import CONTENT, GROUPS, LEDGER, PLAIN, PostOffice, text

MIB = 1024 * 1024


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_a_body_with_a_character_outside_xml_is_refused(office: PostOffice, character: str) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html."""
    code, message = office.refused("SendMessage", QueueUrl=PLAIN.url, MessageBody=f"a{character}b")

    assert code == "InvalidMessageContents"
    assert message.startswith("Invalid characters found. Valid unicode characters are #x9 |")
    assert office.bodies(PLAIN.url) == []


@pytest.mark.parametrize("body", ["\t\n\r", "\x7f", "\x85", "\ud7ff", "\ue000", "\ufffd", "😀", "\U0010ffff"])
def test_a_body_of_any_other_characters_is_taken(office: PostOffice, body: str) -> None:
    """And comes out as it went in."""
    office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody=body)

    assert office.bodies(PLAIN.url) == [body]


@pytest.mark.parametrize("params", [{}, {"MessageBody": ""}, {"MessageBody": None}])
def test_a_message_has_a_body(office: PostOffice, params: dict[str, Any]) -> None:
    """One character at the least."""
    assert office.refused("SendMessage", QueueUrl=PLAIN.url, **params) == (
        "MissingParameter",
        "The request must contain the parameter MessageBody.",
    )


REFUSED_ATTRIBUTES: dict[str, tuple[dict[str, Any], str]] = {
    "eleven": (
        {str(n): text("x") for n in range(11)},
        "Number of message attributes [11] exceeds the allowed maximum [10].",
    ),
    "no name": ({"": text("x")}, "The request must contain non-empty message (user) attribute names."),
    "a name with a space": ({"a b": text("x")}, "Message (user) attributes name can only contain"),
    "a name with an umlaut": ({"ü": text("x")}, "Message (user) attributes name can only contain"),
    "a name with a line break": ({"a\n": text("x")}, "Message (user) attributes name can only contain"),
    "AWS's name": ({"AWS.x": text("x")}, "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'."),
    "aws's name": ({"aws.x": text("x")}, "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'."),
    "Amazon's name": ({"aMaZon.x": text("x")}, "You can't use message attribute names beginning with"),
    "a first period": ({".a": text("x")}, "You can't use message attribute names beginning with"),
    "a last period": ({"a.": text("x")}, "You can't use message attribute names beginning with"),
    "two periods": ({"a..b": text("x")}, "Message (user) attribute name must not have successive '.' characters."),
    "a long name": ({"a" * 257: text("x")}, "Message (user) attribute name must be shorter than 256 bytes."),
    "nothing": ({"a": {}}, "The message (user) attribute 'a' must contain a non-empty message attribute value."),
    "no type": ({"a": {"StringValue": "x"}}, "The message (user) attribute 'a' must contain a non-empty message"),
    "an empty type": ({"a": text("x") | {"DataType": ""}}, "The message (user) attribute 'a' must contain a non-empty"),
    "another type": ({"a": text("x") | {"DataType": "Text"}}, "The type of message (user) attribute 'a' is invalid."),
    "a type in small letters": ({"a": text("x") | {"DataType": "string"}}, "The type of message (user) attribute"),
    "a longer type": ({"a": text("x") | {"DataType": "Strings"}}, "The type of message (user) attribute 'a' is"),
    "a long type": ({"a": text("x") | {"DataType": "String." + "a" * 250}}, "Message (user) attribute type must be"),
    "no text": ({"a": text("")}, "Message (user) attribute 'a' must contain a non-empty value of type 'String'."),
    "null": ({"a": {"DataType": "String", "StringValue": None}}, "Message (user) attribute 'a' must contain a non-"),
    "a labelled empty text": ({"a": text("") | {"DataType": "String.x"}}, "Message (user) attribute 'a' must contain"),
    "no binary": ({"a": {"DataType": "Binary", "BinaryValue": ""}}, "Message (user) attribute 'a' must contain a non-"),
    "a text as binary": ({"a": text("x") | {"DataType": "Binary"}}, "Message (user) attribute 'a' must contain a non-"),
    "two values": ({"a": text("x") | {"BinaryValue": "eA=="}}, "Message (user) attribute 'a' has multiple values."),
    "U+FFFF": ({"a": text("\uffff")}, "Message (user) attribute 'a' contains invalid characters."),
    "NUL": ({"a": text("\x00")}, "Message (user) attribute 'a' contains invalid characters."),
    "half a character": ({"a": text("\ud800")}, "Message (user) attribute 'a' contains invalid characters."),
}
NO_NUMBERS = [
    "abc",
    "1,5",
    "0x10",
    " 1",
    "1 ",
    "1e",
    "--1",
    "NaN",
    "Infinity",
    "1_000",
    "\u0661",
    "1" * 39,
    "1e127",
    "1e-129",
]


@pytest.mark.parametrize("name", REFUSED_ATTRIBUTES)
def test_attributes_that_sqs_does_not_know_are_refused(office: PostOffice, name: str) -> None:
    """.../SQSDeveloperGuide/sqs-message-metadata.html: ten of them, with names, types and values by its rules."""
    attributes, reason = REFUSED_ATTRIBUTES[name]

    code, message = office.refused("SendMessage", QueueUrl=PLAIN.url, MessageBody="x", MessageAttributes=attributes)

    assert code == "InvalidParameterValue"
    assert message.startswith(reason)
    assert office.bodies(PLAIN.url) == []


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_a_number_is_a_number(office: PostOffice, number: str) -> None:
    """Of 38 digits, between 10^-128 and 10^126."""
    attributes = {"age": {"DataType": "Number.years", "StringValue": number}}

    assert office.refused("SendMessage", QueueUrl=PLAIN.url, MessageBody="x", MessageAttributes=attributes) == (
        "InvalidParameterValue",
        "Can't cast the value of message (user) attribute 'age' to a number.",
    )


@pytest.mark.parametrize("number", ["0", "-0.50", "+7", "007", ".5", "1.", "1e126", "1E-128", "9" * 38, "1" + "0" * 50])
def test_numbers_are_taken_as_they_are_written(office: PostOffice, number: str) -> None:
    """Within the limits."""
    attributes = {"n": {"DataType": "Number", "StringValue": number}}
    office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody="x", MessageAttributes=attributes)

    (message,) = office.receive(PLAIN.url)

    assert message["MessageAttributes"] == attributes


def test_ten_attributes_of_all_types_are_taken(office: PostOffice) -> None:
    """With names and labels as long as they may be; the digest is the one that SDKs compute."""
    attributes = {
        **{f"a-{number}_.x": text(str(number)) for number in range(7)},
        "n" * 256: text("\t\n😀"),
        "Binary": {"DataType": "Binary.png", "BinaryValue": "AAEC"},
        "AWSome": {"DataType": "String." + "y" * 249, "StringValue": "z"},
    }

    sent = office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody="x", MessageAttributes=attributes)
    (message,) = office.receive(PLAIN.url)

    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]


def test_the_digest_of_attributes_is_sqss() -> None:
    """Values that SQS itself has answered."""
    office = PostOffice()
    attributes = {"UserId": {"DataType": "Number.bigint", "StringValue": "1234567890123456789012"}}
    system = {"AWSTraceHeader": text("some-trace-id")}

    sent = office.ask(
        "SendMessage",
        QueueUrl=PLAIN.url,
        MessageBody="Test Message",
        MessageAttributes=attributes,
        MessageSystemAttributes=system,
    )

    assert sent["MD5OfMessageAttributes"] == "797ab158d73dcb5242dedc4412c8e855"
    assert sent["MD5OfMessageBody"] == "d1d4180b7e411c4be86b00fb2ee103eb"
    assert sent["MD5OfMessageSystemAttributes"] == "fdce4f2818803f2f73becc09a54792c0"


def test_lists_of_values_are_reserved(office: PostOffice) -> None:
    """For later, SQS says since ever."""
    attributes = {"a": {"DataType": "StringList", "StringListValues": ["x"]}}

    code, _ = office.refused("SendMessage", QueueUrl=PLAIN.url, MessageBody="x", MessageAttributes=attributes)

    assert code == "AWS.SimpleQueueService.UnsupportedOperation"


@pytest.mark.parametrize(
    "system",
    [
        {"Other": text("x")},
        {"AWSTraceHeader": text("")},
        {"AWSTraceHeader": {"DataType": "Binary", "BinaryValue": "eA=="}},
    ],
)
def test_the_trace_header_is_the_only_system_attribute(office: PostOffice, system: dict[str, Any]) -> None:
    """A String, and not empty."""
    code, _ = office.refused("SendMessage", QueueUrl=PLAIN.url, MessageBody="x", MessageSystemAttributes=system)

    assert code == "InvalidParameterValue"


def test_attributes_count_and_the_trace_header_does_not(office: PostOffice) -> None:
    """Name, type and value of each are bytes of the message."""
    spare = len("a") + len("String") + len("bb")
    params = {"QueueUrl": PLAIN.url, "MessageSystemAttributes": {"AWSTraceHeader": text("x" * 100)}}

    office.ask("SendMessage", MessageBody="x" * (MIB - spare), MessageAttributes={"a": text("bb")}, **params)
    refusal = office.refused(
        "SendMessage", MessageBody="x" * (MIB - spare), MessageAttributes={"a": text("bbb")}, **params
    )

    assert refusal == (
        "InvalidParameterValue",
        "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
    )


@pytest.mark.parametrize("parameter", ["MessageGroupId", "MessageDeduplicationId"])
@pytest.mark.parametrize("value", ["", "a b", "a" * 129, "ü", "a\n", "\x7f", "\uffff"], ids=repr)
def test_an_id_of_other_characters_or_of_129_is_refused(office: PostOffice, parameter: str, value: str) -> None:
    """Letters, digits and punctuation of ASCII, 1 to 128."""
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} | {parameter: value}

    code, message = office.refused("SendMessage", QueueUrl=LEDGER.url, MessageBody="x", **ids)

    assert code == "InvalidParameterValue"
    assert message.endswith(
        f"for parameter {parameter} is invalid. "
        f"Reason: {parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."
    )


def test_ids_of_all_punctuation_are_taken(office: PostOffice) -> None:
    """And come back with the message."""
    punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    ids = {"MessageGroupId": punctuation + "a" * (128 - len(punctuation)), "MessageDeduplicationId": punctuation}
    office.ask("SendMessage", QueueUrl=LEDGER.url, MessageBody="x", **ids)

    (message,) = office.receive(LEDGER.url)

    assert message["Attributes"].items() >= ids.items()


def test_a_group_on_a_standard_queue_is_for_fairness(office: PostOffice) -> None:
    """It is kept to the same rules, and changes nothing else; a deduplication id has no meaning there."""
    office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody="x", MessageGroupId="tenant-1")

    assert office.receive(PLAIN.url)[0]["Attributes"]["MessageGroupId"] == "tenant-1"
    for more in ({"MessageGroupId": "a b"}, {"MessageDeduplicationId": "d"}):
        assert office.refused("SendMessage", QueueUrl=PLAIN.url, MessageBody="x", **more)[0] == "InvalidParameterValue"


def test_a_fifo_queue_wants_a_group_and_an_identity(office: PostOffice) -> None:
    """The identity may be the content's."""
    assert office.refused("SendMessage", QueueUrl=LEDGER.url, MessageBody="x", MessageDeduplicationId="d") == (
        "MissingParameter",
        "The request must contain the parameter MessageGroupId.",
    )
    assert office.refused("SendMessage", QueueUrl=LEDGER.url, MessageBody="x", MessageGroupId="g") == (
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    )
    assert office.refused("SendMessage", QueueUrl=CONTENT.url, MessageBody="x")[0] == "MissingParameter"
    office.ask("SendMessage", QueueUrl=CONTENT.url, MessageBody="x", MessageGroupId="g")


@pytest.mark.parametrize("seconds", [-1, 901])
def test_a_delay_is_at_most_fifteen_minutes(office: PostOffice, seconds: int) -> None:
    """On a standard queue; a FIFO queue takes none but 0, which is the queue's own."""
    assert office.refused("SendMessage", QueueUrl=PLAIN.url, MessageBody="x", DelaySeconds=seconds) == (
        "InvalidParameterValue",
        f"Value {seconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
    )


def test_a_fifo_queue_delays_all_messages_alike(office: PostOffice) -> None:
    """A message's own delay is refused, and 0 is the queue's."""
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    office.ask("SetQueueAttributes", QueueUrl=LEDGER.url, Attributes={"DelaySeconds": "60"})

    code, message = office.refused("SendMessage", QueueUrl=LEDGER.url, MessageBody="x", DelaySeconds=2, **ids)
    office.ask("SendMessage", QueueUrl=LEDGER.url, MessageBody="x", DelaySeconds=0, **ids)

    assert code == "InvalidParameterValue"
    assert message.endswith("The request include parameter that is not valid for this queue type.")
    assert office.attributes(LEDGER.url)["ApproximateNumberOfMessagesDelayed"] == "1"


# Duplicates


def send(office: PostOffice, url: str, group: str, body: str, **params: str) -> dict[str, Any]:
    return office.ask("SendMessage", QueueUrl=url, MessageGroupId=group, MessageBody=body, **params)


def test_duplicates_are_looked_for_in_the_group_where_the_queue_says_so(office: PostOffice) -> None:
    """`DeduplicationScope: messageGroup`: the same id in two groups is two messages.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html
    """
    for group, body in (("a", "1"), ("b", "2"), ("a", "3")):
        send(office, GROUPS.url, group, body, MessageDeduplicationId="d")

    assert sorted(office.bodies(GROUPS.url)) == ["1", "2"]


def test_duplicates_are_looked_for_in_the_whole_queue_otherwise(office: PostOffice) -> None:
    """The later one is answered as the first one was, and never comes."""
    first = send(office, LEDGER.url, "a", "1", MessageDeduplicationId="d")
    second = send(office, LEDGER.url, "b", "2", MessageDeduplicationId="d")

    assert office.bodies(LEDGER.url) == ["1"]
    assert (second["MessageId"], second["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])


def test_the_scope_of_duplicates_can_be_changed(office: PostOffice) -> None:
    """From then on."""
    send(office, LEDGER.url, "a", "1", MessageDeduplicationId="d")
    office.ask("SetQueueAttributes", QueueUrl=LEDGER.url, Attributes={"DeduplicationScope": "messageGroup"})

    send(office, LEDGER.url, "b", "2", MessageDeduplicationId="d")

    assert sorted(office.bodies(LEDGER.url)) == ["1", "2"]


def test_the_contents_identity_is_its_sha_256(office: PostOffice) -> None:
    """Without the attributes; an identity of the sender's comes before it."""
    content = hashlib.sha256(b"x").hexdigest()

    send(office, CONTENT.url, "a", "x")
    send(office, CONTENT.url, "a", "other", MessageDeduplicationId=content)
    send(office, CONTENT.url, "a", "x", MessageDeduplicationId="d")

    messages = office.receive(CONTENT.url)
    assert [message["Body"] for message in messages] == ["x", "x"]
    assert messages[0]["Attributes"]["MessageDeduplicationId"] == content


def test_a_purge_forgets_what_was_sent_before(office: PostOffice) -> None:
    """The same identity is new then, as it is after five minutes."""
    send(office, LEDGER.url, "a", "1", MessageDeduplicationId="d")
    office.ask("PurgeQueue", QueueUrl=LEDGER.url)

    send(office, LEDGER.url, "a", "2", MessageDeduplicationId="d")

    assert office.bodies(LEDGER.url) == ["2"]


def test_this_process_is_refused_as_a_client_is(office: PostOffice) -> None:
    """The bus and the mappings learn that a message can never be sent."""
    queues = office.store.queues

    for body, more in (("\uffff", {}), ("x", {"attributes": {"a": "\uffff"}}), ("x", {"attributes": {"a": ""}})):
        with pytest.raises(MessageRefusedError):
            queues.send(PLAIN.arn, body, **more)  # type: ignore[arg-type]
    with pytest.raises(MessageRefusedError):
        queues.send(CONTENT.arn, "x", group_id="a b")


# Both protocols


def test_the_query_protocol_refuses_alike(office: PostOffice) -> None:
    """In XML, with the same code."""
    status, answer = office.by_query("SendMessage", QueueUrl=PLAIN.url, MessageBody="\uffff")
    assert status == 400
    assert "<Type>Sender</Type><Code>InvalidMessageContents</Code>" in answer

    status, answer = office.by_query("SendMessage", QueueUrl=LEDGER.url, MessageBody="x", MessageGroupId="a b")
    assert status == 400
    assert "<Code>InvalidParameterValue</Code><Message>Value a b for parameter MessageGroupId is invalid." in answer

    status, answer = office.by_query("SendMessage", QueueUrl=PLAIN.url, MessageBody="x", DelaySeconds="soon")
    assert status == 400
    assert "<Code>InvalidParameterValue</Code>" in answer


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"MessageBody": {}}, "Start of structure or map found where not expected."),
        ({"MessageBody": []}, "Start of list found where not expected"),
        ({"MessageBody": "x", "DelaySeconds": "5"}, "STRING_VALUE can not be converted to an Integer"),
        ({"MessageBody": "x", "DelaySeconds": True}, "TRUE_VALUE can not be converted to an Integer"),
        ({"MessageBody": "x", "DelaySeconds": 1.5}, "DECIMAL_VALUE can not be converted to an Integer"),
        ({"MessageBody": "x", "MessageAttributes": []}, "Expected a structure or map, and found something else."),
        ({"MessageBody": "x", "MessageAttributes": {"a": 5}}, "Expected a structure or map, and found something else."),
        ({"MessageBody": "x", "MessageAttributes": {"a": {"BinaryValue": "?"}}}, "A binary value is not base64."),
    ],
)
def test_a_request_of_another_shape_is_refused(office: PostOffice, params: dict[str, Any], reason: str) -> None:
    """As AWS's services say it, and never with a traceback."""
    told = office.misshapen("SendMessage", QueueUrl=PLAIN.url, **params)

    assert told == {"__type": "SerializationException", "message": reason}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"DelaySeconds": ' + b"9" * 5000 + b"}"]
)
def test_a_body_that_is_no_request_is_refused(office: PostOffice, body: bytes) -> None:
    """Not JSON, no object, not UTF-8, too deep, too large a number."""
    status, _, told = office.answer("SendMessage", body)

    assert status == 400
    assert told["__type"].endswith(("SerializationException", "MissingRequiredParameterException"))


def test_what_is_no_text_becomes_one_where_a_text_is_meant(office: PostOffice) -> None:
    """As AWS's services read JSON."""
    office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody=0, MessageAttributes={"a": text(True)})  # type: ignore[arg-type]

    (message,) = office.receive(PLAIN.url)

    assert (message["Body"], message["MessageAttributes"]["a"]["StringValue"]) == ("0", "true")


def test_a_request_names_its_queue(office: PostOffice) -> None:
    """By its URL; one that isn't there is said to be so."""
    assert office.refused("SendMessage", MessageBody="x") == (
        "MissingParameter",
        "The request must contain the parameter QueueUrl.",
    )
    assert office.refused("SendMessage", QueueUrl="http://127.0.0.1/1/nowhere", MessageBody="x") == (
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist.",
    )


# What a receive tells


def test_a_receive_tells_what_is_asked_for(office: PostOffice) -> None:
    """Attributes by name and by beginning, with their own digest; system attributes by name, old parameter or new."""
    attributes = {name: text("x") for name in ("shop.a", "shop.b", "other")}
    office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody="x", MessageAttributes=attributes)

    def received(**params: Any) -> dict[str, Any]:
        message: dict[str, Any]
        (message,) = office.ask("ReceiveMessage", QueueUrl=PLAIN.url, VisibilityTimeout=0, **params)["Messages"]
        return message

    assert received().keys() == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}
    assert received(MessageAttributeNames=["shop.*", "none"])["MessageAttributes"].keys() == {"shop.a", "shop.b"}
    assert received(MessageAttributeNames=[".*"])["MessageAttributes"].keys() == attributes.keys()
    assert received(AttributeNames=["SenderId", "VisibilityTimeout"])["Attributes"].keys() == {"SenderId"}
    assert received(MessageSystemAttributeNames=["ApproximateReceiveCount"])["Attributes"] == {
        "ApproximateReceiveCount": "5"
    }
    assert office.refused("ReceiveMessage", QueueUrl=PLAIN.url, AttributeNames=["Colour"]) == (
        "InvalidAttributeName",
        "Unknown Attribute Colour.",
    )


@pytest.mark.parametrize(
    ("parameter", "value", "reason"),
    [
        ("MaxNumberOfMessages", 0, "Must be between 1 and 10, if provided."),
        ("MaxNumberOfMessages", 11, "Must be between 1 and 10, if provided."),
        ("WaitTimeSeconds", -1, "Must be >= 0 and <= 20, if provided."),
        ("WaitTimeSeconds", 21, "Must be >= 0 and <= 20, if provided."),
        ("VisibilityTimeout", -1, "Must be >= 0 and <= 43200, if provided."),
        ("VisibilityTimeout", 43_201, "Must be >= 0 and <= 43200, if provided."),
    ],
)
def test_a_receive_has_limits(office: PostOffice, parameter: str, value: int, reason: str) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html."""
    assert office.refused("ReceiveMessage", QueueUrl=PLAIN.url, **{parameter: value}) == (
        "InvalidParameterValue",
        f"Value {value} for parameter {parameter} is invalid. Reason: {reason}",
    )


def test_a_queue_has_so_many_messages_in_flight_and_no_more(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short poll of a standard queue is told so; others just get nothing."""
    for module in ("sqs", "message_operations"):
        monkeypatch.setattr(f"eachonce_workbench.cloud.store.queues.{module}.MAX_IN_FLIGHT", 3)
    for number in range(5):
        office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody=str(number))
        send(office, LEDGER.url, str(number), "x", MessageDeduplicationId=str(number))

    assert len(office.bodies(PLAIN.url)) == len(office.bodies(LEDGER.url)) == 3
    assert office.bodies(LEDGER.url) == office.bodies(PLAIN.url, WaitTimeSeconds=1) == []
    assert office.refused("ReceiveMessage", QueueUrl=PLAIN.url)[0] == "OverLimit"
    assert office.store.queues.receive(PLAIN.arn, max_messages=10) == []


def test_times_are_told_in_whole_units(office: PostOffice) -> None:
    """Milliseconds for a message."""
    with time_machine.travel("2026-01-02T03:04:05.678901Z", tick=False):
        office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody="x")
        (message,) = office.receive(PLAIN.url)

    assert message["Attributes"]["SentTimestamp"] == "1767323045678"
