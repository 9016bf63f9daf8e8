"""A batch is refused whole for its own faults; each entry has an answer for its own."""

from typing import Any

import pytest
import time_machine

from tests.post_office import CONTENT, LEDGER, PLAIN, PostOffice, text

MIB = 1024 * 1024
ACTIONS = {
    "SendMessageBatch": {"MessageBody": "x"},
    "DeleteMessageBatch": {"ReceiptHandle": "x"},
    "ChangeMessageVisibilityBatch": {"ReceiptHandle": "x", "VisibilityTimeout": 5},
}
ANY_BATCH = pytest.mark.parametrize("operation", ACTIONS)


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


def entries(operation: str, *ids: str) -> list[dict[str, Any]]:
    return [{"Id": entry_id, **ACTIONS[operation]} for entry_id in ids]


@ANY_BATCH
@pytest.mark.parametrize("params", [{}, {"Entries": []}])
def test_a_batch_has_an_entry(office: PostOffice, operation: str, params: dict[str, Any]) -> None:
    """None is refused."""
    assert office.refused(operation, QueueUrl=PLAIN.url, **params) == (
        "AWS.SimpleQueueService.EmptyBatchRequest",
        f"There should be at least one {operation}RequestEntry in the request.",
    )


@ANY_BATCH
def test_a_batch_has_ten_entries_at_most(office: PostOffice, operation: str) -> None:
    """Eleven are refused, whatever is in them."""
    eleven = entries(operation, *map(str, range(11)))

    assert office.refused(operation, QueueUrl=PLAIN.url, Entries=eleven) == (
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10. You have sent 11.",
    )
    assert office.bodies(PLAIN.url) == []


@ANY_BATCH
@pytest.mark.parametrize("entry_id", ["", "a b", "a.b", "a:b", "ü", "a\n", "a" * 81], ids=repr)
def test_an_entrys_id_has_eighty_plain_characters(office: PostOffice, operation: str, entry_id: str) -> None:
    """Letters, digits, hyphens and underscores of ASCII."""
    code, _ = office.refused(operation, QueueUrl=PLAIN.url, Entries=entries(operation, "a", entry_id))

    assert code == "AWS.SimpleQueueService.InvalidBatchEntryId"
    assert office.bodies(PLAIN.url) == []


@ANY_BATCH
def test_entries_are_told_apart_by_their_ids(office: PostOffice, operation: str) -> None:
    """One id twice is refused."""
    assert office.refused(operation, QueueUrl=PLAIN.url, Entries=entries(operation, "a", "b", "a")) == (
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "Id a repeated.",
    )


@ANY_BATCH
def test_a_batch_is_for_a_queue_that_is_there(office: PostOffice, operation: str) -> None:
    """That is asked first."""
    code, _ = office.refused(operation, QueueUrl="http://127.0.0.1/1/nowhere", Entries=[])

    assert code == "AWS.SimpleQueueService.NonExistentQueue"


def test_a_batchs_messages_share_a_mebibyte(office: PostOffice) -> None:
    """In bytes, with their attributes."""
    spare = 2 * (len("a") + len("String") + len("b"))
    half = "ü" * ((MIB - spare) // 4)
    sent = [{"Id": entry_id, "MessageBody": half, "MessageAttributes": {"a": text("b")}} for entry_id in "xy"]

    assert len(office.ask("SendMessageBatch", QueueUrl=PLAIN.url, Entries=sent)["Successful"]) == 2
    sent[1]["MessageAttributes"] = {"a": text("bc")}
    assert office.refused("SendMessageBatch", QueueUrl=PLAIN.url, Entries=sent) == (
        "AWS.SimpleQueueService.BatchRequestTooLong",
        f"Batch requests cannot be longer than 1048576 bytes. You have sent {MIB + 1} bytes.",
    )


def test_a_message_that_is_refused_leaves_its_neighbours_alone(office: PostOffice) -> None:
    """Each has an answer, in its own place."""
    office.ask("SetQueueAttributes", QueueUrl=PLAIN.url, Attributes={"MaximumMessageSize": "1024"})
    sent: list[dict[str, Any]] = [
        {"Id": "good", "MessageBody": "x"},
        {"Id": "character", "MessageBody": "\uffff"},
        {"Id": "large", "MessageBody": "x" * 1025},
        {"Id": "late", "MessageBody": "x", "DelaySeconds": 901},
        {"Id": "attribute", "MessageBody": "x", "MessageAttributes": {"a": {}}},
        {"Id": "group", "MessageBody": "x", "MessageGroupId": "a b"},
        {"Id": "empty", "MessageBody": ""},
        {"Id": "fine", "MessageBody": "y"},
    ]

    answer = office.ask("SendMessageBatch", QueueUrl=PLAIN.url, Entries=sent)

    assert [success["Id"] for success in answer["Successful"]] == ["good", "fine"]
    assert {failure["Id"]: failure["Code"] for failure in answer["Failed"]} == {
        "character": "InvalidMessageContents",
        "large": "InvalidParameterValue",
        "late": "InvalidParameterValue",
        "attribute": "InvalidParameterValue",
        "group": "InvalidParameterValue",
        "empty": "MissingParameter",
    }
    assert all(failure["SenderFault"] for failure in answer["Failed"])
    assert office.bodies(PLAIN.url) == ["x", "y"]


def test_a_fifo_batch_wants_a_group_and_an_identity_for_each(office: PostOffice) -> None:
    """What one lacks spoils the batch; the content's identity is one, too."""
    whole = {"Id": "a", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    for missing in ("MessageGroupId", "MessageDeduplicationId"):
        part = {name: value for name, value in whole.items() if name != missing} | {"Id": "b"}
        code, _ = office.refused("SendMessageBatch", QueueUrl=LEDGER.url, Entries=[whole, part])
        assert code == "InvalidParameterValue"
    assert office.bodies(LEDGER.url) == []

    content = [{"Id": entry_id, "MessageBody": entry_id, "MessageGroupId": "g"} for entry_id in "ab"]
    answer = office.ask("SendMessageBatch", QueueUrl=CONTENT.url, Entries=content)
    assert all(success["SequenceNumber"] for success in answer["Successful"])


def test_receipts_that_are_none_fail_by_themselves(office: PostOffice) -> None:
    """The others are deleted, even the same one twice."""
    office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody="x")
    (message,) = office.receive(PLAIN.url)
    receipt = message["ReceiptHandle"]
    given = [
        {"Id": "a", "ReceiptHandle": receipt},
        {"Id": "b", "ReceiptHandle": "x"},
        {"Id": "c", "ReceiptHandle": receipt},
    ]

    answer = office.ask("DeleteMessageBatch", QueueUrl=PLAIN.url, Entries=given)

    assert [success["Id"] for success in answer["Successful"]] == ["a", "c"]
    assert answer["Failed"] == [
        {
            "Id": "b",
            "SenderFault": True,
            "Code": "ReceiptHandleIsInvalid",
            "Message": 'The input receipt handle "x" is not a valid receipt handle.',
        }
    ]


def test_visibilities_fail_by_themselves(office: PostOffice) -> None:
    """One beyond the limit, one missing, one of a message that is gone."""
    for body in "abc":
        office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody=body)
    first, second, gone = (message["ReceiptHandle"] for message in office.receive(PLAIN.url))
    office.ask("DeleteMessage", QueueUrl=PLAIN.url, ReceiptHandle=gone)
    given = [
        {"Id": "good", "ReceiptHandle": first, "VisibilityTimeout": 60},
        {"Id": "long", "ReceiptHandle": second, "VisibilityTimeout": 43_201},
        {"Id": "none", "ReceiptHandle": second},
        {"Id": "gone", "ReceiptHandle": gone, "VisibilityTimeout": 60},
    ]

    answer = office.ask("ChangeMessageVisibilityBatch", QueueUrl=PLAIN.url, Entries=given)

    assert answer["Successful"] == [{"Id": "good"}]
    assert {failure["Id"]: failure["Code"] for failure in answer["Failed"]} == {
        "long": "InvalidParameterValue",
        "none": "MissingParameter",
        "gone": "InvalidParameterValue",
    }


def test_expired_receipts_of_a_fifo_queue_fail_by_themselves(office: PostOffice) -> None:
    """Somebody else may have the message by now."""
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False) as clock:
        office.store.queues.send(LEDGER.arn, "x", group_id="g", deduplication_id="d")
        (message,) = office.receive(LEDGER.url)
        clock.shift(31)

        given = [{"Id": "a", "ReceiptHandle": message["ReceiptHandle"]}]
        answer = office.ask("DeleteMessageBatch", QueueUrl=LEDGER.url, Entries=given)

    assert answer["Failed"][0]["Code"] == "InvalidParameterValue"
    assert answer["Failed"][0]["Message"].endswith("Reason: The receipt handle has expired.")


def test_the_query_protocol_answers_entries_alike(office: PostOffice) -> None:
    """In XML, each by its kind."""
    prefix = "SendMessageBatchRequestEntry__"
    status, answer = office.by_query(
        "SendMessageBatch",
        QueueUrl=PLAIN.url,
        **{f"{prefix}1__Id": "a", f"{prefix}1__MessageBody": "x"},
        **{f"{prefix}2__Id": "b", f"{prefix}2__MessageBody": "\x01"},
    )

    assert status == 200
    assert "<SendMessageBatchResultEntry><Id>a</Id>" in answer
    assert (
        "<BatchResultErrorEntry><Id>b</Id><SenderFault>true</SenderFault><Code>InvalidMessageContents</Code>" in answer
    )
