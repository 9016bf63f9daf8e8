"""How long a message stays hidden, and which receipt still moves it."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.post_office import LEDGER, PLAIN, PostOffice

TWELVE_HOURS = 43_200


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False) as clock:
        yield clock


def received(office: PostOffice, url: str = PLAIN.url, **params: int) -> str:
    """Send a message and receive it; its receipt."""
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if url == LEDGER.url else {}
    office.ask("SendMessage", QueueUrl=url, MessageBody="x", **ids)
    (message,) = office.receive(url, **params)
    receipt: str = message["ReceiptHandle"]
    return receipt


@pytest.mark.parametrize("passed", [1, 3600])
def test_a_message_is_hidden_for_twelve_hours_since_its_receive_at_most(
    office: PostOffice, clock: time_machine.Traveller, passed: int
) -> None:
    """Not since the change: what has passed since the receive counts.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
    """
    receipt = received(office, VisibilityTimeout=TWELVE_HOURS)
    clock.shift(passed)
    change = {"QueueUrl": PLAIN.url, "ReceiptHandle": receipt}
    too_long = TWELVE_HOURS - passed + 1

    code, message = office.refused("ChangeMessageVisibility", VisibilityTimeout=too_long, **change)
    assert code == "InvalidParameterValue"
    assert message.endswith("Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
    office.ask("ChangeMessageVisibility", VisibilityTimeout=too_long - 1, **change)


def test_the_twelve_hours_begin_with_each_receive(office: PostOffice, clock: time_machine.Traveller) -> None:
    """A message that came again may be hidden anew, however old it is."""
    received(office)
    clock.shift(TWELVE_HOURS)
    (again,) = office.receive(PLAIN.url)
    clock.shift(5)

    office.ask(
        "ChangeMessageVisibility",
        QueueUrl=PLAIN.url,
        ReceiptHandle=again["ReceiptHandle"],
        VisibilityTimeout=TWELVE_HOURS - 5,
    )


@pytest.mark.parametrize("seconds", [-1, TWELVE_HOURS + 1])
def test_a_visibility_has_limits(office: PostOffice, seconds: int) -> None:
    """Whatever has passed."""
    receipt = received(office)

    code, _ = office.refused(
        "ChangeMessageVisibility", QueueUrl=PLAIN.url, ReceiptHandle=receipt, VisibilityTimeout=seconds
    )

    assert code == "InvalidParameterValue"


def test_a_late_worker_hides_a_message_again_that_nobody_else_took(
    office: PostOffice, clock: time_machine.Traveller
) -> None:
    """SQS lets it, on a standard queue; once somebody else has it, it doesn't."""
    late = received(office)
    change = {"QueueUrl": PLAIN.url, "ReceiptHandle": late, "VisibilityTimeout": 10}
    clock.shift(31)

    office.ask("ChangeMessageVisibility", **change)
    assert office.bodies(PLAIN.url) == []
    assert office.attributes(PLAIN.url)["ApproximateNumberOfMessagesNotVisible"] == "1"

    clock.shift(11)
    assert office.bodies(PLAIN.url) == ["x"]
    code, message = office.refused("ChangeMessageVisibility", **change)
    assert code == "InvalidParameterValue"
    assert message.endswith("Message does not exist or is not available for visibility timeout change.")


def test_a_late_worker_has_lost_a_fifo_queues_message(office: PostOffice, clock: time_machine.Traveller) -> None:
    """Its group may have gone on."""
    late = received(office, LEDGER.url)
    clock.shift(31)

    assert office.refused("DeleteMessage", QueueUrl=LEDGER.url, ReceiptHandle=late) == (
        "InvalidParameterValue",
        f"Value {late} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
    )
    code, _ = office.refused("ChangeMessageVisibility", QueueUrl=LEDGER.url, ReceiptHandle=late, VisibilityTimeout=5)
    assert code == "InvalidParameterValue"


def test_a_deleted_message_can_be_deleted_and_not_be_hidden(office: PostOffice) -> None:
    """Deleting is idempotent."""
    receipt = received(office)

    for _ in range(2):
        office.ask("DeleteMessage", QueueUrl=PLAIN.url, ReceiptHandle=receipt)
    code, _ = office.refused("ChangeMessageVisibility", QueueUrl=PLAIN.url, ReceiptHandle=receipt, VisibilityTimeout=5)
    assert code == "InvalidParameterValue"


@pytest.mark.parametrize("receipt", ["garbage", "", "\ud800", "b3RoZXIKaWQKMQ=="], ids=ascii)
def test_a_receipt_that_was_never_given_out_is_invalid(office: PostOffice, receipt: str) -> None:
    """For a delete and for a change alike."""
    params = {"QueueUrl": PLAIN.url, "ReceiptHandle": receipt}

    assert office.refused("DeleteMessage", **params) == (
        "ReceiptHandleIsInvalid",
        f'The input receipt handle "{receipt.replace(chr(0xD800), "?")}" is not a valid receipt handle.',
    )
    assert office.refused("ChangeMessageVisibility", VisibilityTimeout=5, **params)[0] == "ReceiptHandleIsInvalid"


@pytest.mark.parametrize("missing", ["ReceiptHandle", "VisibilityTimeout"])
def test_a_change_says_of_what_and_for_how_long(office: PostOffice, missing: str) -> None:
    """Both are required."""
    params = {"ReceiptHandle": received(office), "VisibilityTimeout": 5}
    del params[missing]

    assert office.refused("ChangeMessageVisibility", QueueUrl=PLAIN.url, **params) == (
        "MissingParameter",
        f"The request must contain the parameter {missing}.",
    )


def test_a_queue_is_purged_once_a_minute(office: PostOffice, clock: time_machine.Traveller) -> None:
    """What is in flight and what is delayed is forgotten, too."""
    received(office)
    office.ask("SendMessage", QueueUrl=PLAIN.url, MessageBody="y", DelaySeconds=5)
    office.ask("PurgeQueue", QueueUrl=PLAIN.url)
    assert office.store.queues.depth(PLAIN.arn).total == 0

    clock.shift(59)
    assert office.refused("PurgeQueue", QueueUrl=PLAIN.url) == (
        "AWS.SimpleQueueService.PurgeQueueInProgress",
        "Only one PurgeQueue operation on plain is allowed every 60 seconds.",
    )
    clock.shift(1)
    office.ask("PurgeQueue", QueueUrl=PLAIN.url)
