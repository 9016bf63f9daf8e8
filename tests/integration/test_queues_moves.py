"""Dead letters go back by StartMessageMoveTask, as SQS moves them."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from tests.post_office import DEAD, DEAD_LEDGER, LEDGER, ORDERS, OTHERS, PLAIN, PostOffice, text
from tests.topologies import arn

NOWHERE = arn("sqs", "nowhere")


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False) as clock:
        yield clock


def bury(office: PostOffice, *bodies: str, url: str = ORDERS.url) -> None:
    """Let messages be received too often."""
    for body in bodies:
        office.ask("SendMessage", QueueUrl=url, MessageBody=body, MessageAttributes={"a": text("b")})
    for _ in range(2):
        office.receive(url, VisibilityTimeout=0)


def start(office: PostOffice, source: str = DEAD.arn, **params: Any) -> str:
    handle: str = office.ask("StartMessageMoveTask", SourceArn=source, **params)["TaskHandle"]
    return handle


def last(office: PostOffice, source: str = DEAD.arn) -> dict[str, Any]:
    (task,) = office.ask("ListMessageMoveTasks", SourceArn=source)["Results"]
    told: dict[str, Any] = task
    return told


def test_dead_letters_go_back_to_where_each_came_from(office: PostOffice, clock: time_machine.Traveller) -> None:
    """As new messages: with their content, without their past.

    .../SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    """
    bury(office, "a")
    bury(office, "b", url=OTHERS.url)
    old = {message["MessageId"] for message in office.receive(DEAD.url, VisibilityTimeout=0)}
    clock.shift(100)

    start(office)

    (back,) = office.receive(ORDERS.url)
    assert office.bodies(OTHERS.url) == ["b"]
    assert office.store.queues.depth(DEAD.arn).total == 0
    assert (back["Body"], back["MessageAttributes"]) == ("a", {"a": text("b")})
    assert back["MessageId"] not in old
    assert back["Attributes"]["ApproximateReceiveCount"] == "1"
    assert back["Attributes"]["SentTimestamp"] == "1767323145000"
    assert "DeadLetterQueueSourceArn" not in back["Attributes"]


def test_a_task_tells_what_it_did(office: PostOffice, clock: time_machine.Traveller) -> None:
    """While it runs, with the handle that cancels it; afterwards without."""
    bury(office, "a", "b")

    handle = start(office, DestinationArn=PLAIN.arn)
    running = last(office)
    clock.shift(1)

    told = {
        "SourceArn": DEAD.arn,
        "DestinationArn": PLAIN.arn,
        "ApproximateNumberOfMessagesMoved": 2,
        "ApproximateNumberOfMessagesToMove": 2,
        "StartedTimestamp": 1767323045000,
    }
    assert running == told | {"Status": "RUNNING", "TaskHandle": handle}
    assert last(office) == told | {"Status": "COMPLETED"}
    assert sorted(office.bodies(PLAIN.url)) == ["a", "b"]
    assert json.loads(base64.b64decode(handle))["sourceArn"] == DEAD.arn


def test_messages_move_at_their_rate(office: PostOffice, clock: time_machine.Traveller) -> None:
    """So many a second, whoever looks; a reader of the destination is told when to look."""
    bury(office, *"abcdef")
    woken: list[str] = []
    office.store.queues.on_send(PLAIN.arn, lambda: woken.append("plain"))

    start(office, DestinationArn=PLAIN.arn, MaxNumberOfMessagesPerSecond=2)

    assert woken
    assert office.store.queues.depth(PLAIN.arn).visible == 1
    assert office.store.queues.next_visible_seconds(PLAIN.arn) == pytest.approx(0.5)
    for moved in (3, 5, 6):
        clock.shift(1)
        assert len(office.store.queues.receive(PLAIN.arn, max_messages=10, visibility_seconds=0)) == moved
    assert last(office)["Status"] == "COMPLETED"
    assert last(office)["MaxNumberOfMessagesPerSecond"] == 2


def test_a_queue_has_one_task_at_a_time(office: PostOffice, clock: time_machine.Traveller) -> None:
    """The next one may start when it is over; the last ten are remembered."""
    bury(office, "a")
    start(office)

    assert office.refused("StartMessageMoveTask", SourceArn=DEAD.arn) == (
        "InvalidParameterValue",
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
    )
    for _ in range(11):
        clock.shift(1)
        start(office)
    listed = office.ask("ListMessageMoveTasks", SourceArn=DEAD.arn, MaxResults=10)["Results"]
    assert [task["Status"] for task in listed] == ["RUNNING"] + ["COMPLETED"] * 9


def test_a_task_can_be_cancelled(office: PostOffice, clock: time_machine.Traveller) -> None:
    """What was moved stays moved, and the rest stays where it is."""
    bury(office, *"abcde")
    handle = start(office, MaxNumberOfMessagesPerSecond=1)
    clock.shift(1)

    assert office.ask("CancelMessageMoveTask", TaskHandle=handle) == {"ApproximateNumberOfMessagesMoved": 2}
    clock.shift(60)

    assert last(office)["Status"] == "CANCELLED"
    assert office.store.queues.depth(ORDERS.arn).visible == 2
    assert office.store.queues.depth(DEAD.arn).visible == 3
    assert office.refused("CancelMessageMoveTask", TaskHandle=handle)[0] == "InvalidParameterValue"
    start(office)


def test_a_message_without_a_past_has_nowhere_to_go_back_to(office: PostOffice) -> None:
    """The task fails and says so; it stays, and a destination helps.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/troubleshooting-dlq-redrive.html
    """
    office.ask("SendMessage", QueueUrl=DEAD.url, MessageBody="sent there")

    start(office)

    assert (
        last(office).items()
        >= {
            "Status": "FAILED",
            "FailureReason": "CouldNotDetermineMessageSource",
            "ApproximateNumberOfMessagesMoved": 0,
            "ApproximateNumberOfMessagesToMove": 1,
        }.items()
    )
    start(office, DestinationArn=PLAIN.arn)
    assert office.bodies(PLAIN.url) == ["sent there"]


def test_a_destination_that_goes_away_ends_the_task(office: PostOffice, clock: time_machine.Traveller) -> None:
    """What wasn't moved stays."""
    bury(office, "a", "b", "c")
    start(office, DestinationArn=PLAIN.arn, MaxNumberOfMessagesPerSecond=1)

    office.ask("DeleteQueue", QueueUrl=PLAIN.url)
    clock.shift(1)

    assert last(office)["FailureReason"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert office.store.queues.depth(DEAD.arn).visible == 2


def test_what_is_in_flight_stays(office: PostOffice, clock: time_machine.Traveller) -> None:
    """Only what is visible when the task starts is moved."""
    bury(office, "a", "b")
    office.receive(DEAD.url, MaxNumberOfMessages=1)

    start(office)
    clock.shift(1)

    assert last(office)["ApproximateNumberOfMessagesToMove"] == 1
    assert office.store.queues.depth(DEAD.arn).in_flight == 1


def test_a_fifo_queues_dead_letters_keep_their_groups_and_their_order(office: PostOffice) -> None:
    """And aren't taken for the messages that they were, however short ago they were sent."""
    for number in range(3):
        ids = {"MessageGroupId": "g", "MessageDeduplicationId": str(number)}
        office.ask("SendMessage", QueueUrl=LEDGER.url, MessageBody=str(number), **ids)
    for _ in range(4):
        office.receive(LEDGER.url, VisibilityTimeout=0)

    start(office, DEAD_LEDGER.arn)

    back = office.receive(LEDGER.url)
    assert [message["Body"] for message in back] == ["0", "1", "2"]
    assert {message["Attributes"]["MessageGroupId"] for message in back} == {"g"}


WRONG_STARTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no source": ({}, "MissingParameter", "The request must contain the parameter SourceArn."),
    "no ARN": ({"SourceArn": ""}, "InvalidParameterValue", "You must use this format to specify the SourceArn: arn:"),
    "nowhere": (
        {"SourceArn": NOWHERE},
        "ResourceNotFoundException",
        "The resource that you specified for the SourceArn",
    ),
    "no dead-letter queue": (
        {"SourceArn": PLAIN.arn},
        "InvalidParameterValue",
        "Source queue must be configured as a Dead Letter Queue.",
    ),
    "to nowhere": (
        {"SourceArn": DEAD.arn, "DestinationArn": NOWHERE},
        "ResourceNotFoundException",
        "The resource that you specified for the DestinationArn parameter doesn't exist.",
    ),
    "to no ARN": (
        {"SourceArn": DEAD.arn, "DestinationArn": "plain"},
        "InvalidParameterValue",
        "You must use this format to specify the DestinationArn: arn:",
    ),
    "to itself": (
        {"SourceArn": DEAD.arn, "DestinationArn": DEAD.arn},
        "InvalidParameterValue",
        "Source queue arn and destination queue arn cannot be the same.",
    ),
    "to another kind": (
        {"SourceArn": DEAD.arn, "DestinationArn": LEDGER.arn},
        "InvalidParameterValue",
        "The source queue and destination queue must be of the same queue type.",
    ),
} | {
    f"{rate} a second": (
        {"SourceArn": DEAD.arn, "MaxNumberOfMessagesPerSecond": rate},
        "InvalidParameterValue",
        "Value for parameter MaxNumberOfMessagesPerSecond is invalid.",
    )
    for rate in (-1, 0, 501)
}


@pytest.mark.parametrize("name", WRONG_STARTS)
def test_a_task_has_a_source_a_destination_and_a_rate(office: PostOffice, name: str) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html."""
    params, code, message = WRONG_STARTS[name]

    told = office.refused("StartMessageMoveTask", **params)

    assert told[0] == code
    assert told[1].startswith(message)
    assert office.ask("ListMessageMoveTasks", SourceArn=DEAD.arn) == {"Results": []}


def handle(**told: str) -> str:
    return base64.b64encode(json.dumps(told).encode()).decode()


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ("nonsense", "InvalidParameterValue", "Value for parameter TaskHandle is invalid."),
        ("", "InvalidParameterValue", "Value for parameter TaskHandle is invalid."),
        (handle(taskId="1"), "InvalidParameterValue", "Value for parameter TaskHandle is invalid."),
        (
            handle(taskId="1", sourceArn=NOWHERE),
            "ResourceNotFoundException",
            "The resource that you specified for the SourceArn parameter doesn't exist.",
        ),
        (handle(taskId="1", sourceArn=DEAD.arn), "ResourceNotFoundException", "Task does not exist."),
    ],
)
def test_a_handle_is_one_that_was_given_out(office: PostOffice, given: str, code: str, message: str) -> None:
    """Anything else cancels nothing."""
    assert office.refused("CancelMessageMoveTask", TaskHandle=given) == (code, message)


@pytest.mark.parametrize("limit", [0, 11])
def test_ten_tasks_are_listed_at_most(office: PostOffice, limit: int) -> None:
    """And one when nobody says how many; what isn't there is not found, by its status, too."""
    code, _ = office.refused("ListMessageMoveTasks", SourceArn=DEAD.arn, MaxResults=limit)

    assert code == "InvalidParameterValue"
    assert office.answer("ListMessageMoveTasks", json.dumps({"SourceArn": NOWHERE}).encode())[0] == 404


def test_the_query_protocol_tells_of_tasks_alike(office: PostOffice) -> None:
    """In the elements in which its clients look for them."""
    bury(office, "a")

    _, started = office.by_query("StartMessageMoveTask", SourceArn=DEAD.arn)
    _, listed = office.by_query("ListMessageMoveTasks", SourceArn=DEAD.arn)

    assert "<StartMessageMoveTaskResult><TaskHandle>" in started
    assert "<ListMessageMoveTasksResult><ListMessageMoveTasksResultEntry><TaskHandle>" in listed
    assert "<ApproximateNumberOfMessagesMoved>1</ApproximateNumberOfMessagesMoved>" in listed
