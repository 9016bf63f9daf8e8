"""Odd records: what isn't as SQS writes it is one delivery with a flaw, and its neighbours' fate is their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from eachonce import Consumer, EachonceError
from eachonce.listener import listen

from tests import faults as wire
from tests.faults import Faults
from tests.moods import moody
from tests.parcels import Weighed, weigh, weighed
from tests.records import FIFO_ARN, QUEUE_ARN, Context, batch, record, returned
from tests.store import Store

Make = Callable[..., Consumer]

COUNT, FIRST = "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"
DIGITS = "9" * 5000
NOON = datetime(2010, 12, 1, 12, tzinfo=UTC)


def odd(**members: Any) -> dict[str, Any]:
    """Return a record of a good event with members that are not as they should be; `...` takes one away."""
    whole = record(weighed("odd", event_id="e-odd"), message_id="m-odd") | members
    return {name: value for name, value in whole.items() if value is not ...}


def saying(**attributes: Any) -> dict[str, Any]:
    """Return a record of a good event with such attributes."""
    return odd(attributes=record("", message_id="m")["attributes"] | attributes)


FLAWED = {
    "no body": (odd(body=...), "the body is not text"),
    "body null": (odd(body=None), "the body is not text"),
    "body a number": (odd(body=5), "the body is not text"),
    "body of 5,000 digits": (odd(body=10**5000), "the body is not text"),
    "body an object": (odd(body=weighed("odd")), "the body is not text"),
    "body an array": (odd(body=[None]), "the body is not text"),
    "body of bytes": (odd(body=b"{}"), "the body is not text"),
    "body with a lone surrogate": (odd(body='"\ud800"'), "not valid UTF-8"),
    "body empty": (odd(body=""), "not JSON"),
    "body of 0": (odd(body="\x00"), "not JSON"),
    "body of no character": (odd(body="\uffff"), "not JSON"),
    "attributes text": (odd(attributes="7"), "attributes are not an object"),
    "attributes an array": (odd(attributes=[COUNT, "1"]), "attributes are not an object"),
    "count of letters": (saying(**{COUNT: "x"}), COUNT),
    "count empty": (saying(**{COUNT: ""}), COUNT),
    "count of 5,000 digits": (saying(**{COUNT: DIGITS}), COUNT),
    "count a number of 5,000 digits": (saying(**{COUNT: 10**5000}), COUNT),
    "count negative": (saying(**{COUNT: "-1"}), COUNT),
    "count 0": (saying(**{COUNT: "0"}), COUNT),
    "count broken": (saying(**{COUNT: "1.5"}), COUNT),
    "count of other digits": (saying(**{COUNT: "\u0661"}), COUNT),
    "count with a break": (saying(**{COUNT: "1\n"}), COUNT),
    "count an array": (saying(**{COUNT: ["1"]}), COUNT),
    "count true": (saying(**{COUNT: True}), COUNT),
    "count a surrogate": (saying(**{COUNT: "\ud800"}), COUNT),
    "time of letters": (saying(**{FIRST: "noon"}), FIRST),
    "time that overflows": (saying(**{FIRST: "9" * 18}), FIRST),
    "time of 5,000 digits": (saying(**{FIRST: DIGITS}), FIRST),
    "time negative": (saying(**{FIRST: "-1"}), FIRST),
    "time past the last year": (saying(**{FIRST: "253402300800000"}), FIRST),
    "time not a number": (saying(**{FIRST: float("nan")}), FIRST),
    "time an object": (saying(**{FIRST: {}}), FIRST),
    "group a number": (odd(eventSourceARN=FIFO_ARN, attributes={"MessageGroupId": 5}), "MessageGroupId"),
    "another source": (odd(eventSource="aws:kinesis"), "not of SQS"),
    "a source that is none": (odd(eventSource={"aws": "sqs"}), "not of SQS"),
}


@pytest.mark.parametrize("shape", FLAWED)
def test_a_record_with_a_flaw_is_rejected_and_its_neighbours_are_done(
    make_consumer: Make, store: Store, context: Context, shape: str
) -> None:
    """With its reason; nothing of the batch comes again."""
    flawed, says = FLAWED[shape]
    before, after = record(weighed("a", event_id="e-1")), record(weighed("b", event_id="e-2"))

    response = make_consumer((Weighed, weigh))(batch(before, flawed, after), context)

    assert response == {"batchItemFailures": []}
    assert {item["parcel"] for item in store.items("Weights")} == {"a", "b"}
    (dead,) = store.dead_letters()
    assert says in dead["notes"]["reason"]
    assert dead["notes"]["error"] == "MalformedMessageError"


FINE = {
    "attributes missing": odd(attributes=...),
    "attributes null": odd(attributes=None),
    "attributes empty": odd(attributes={}),
    "attributes all null": odd(attributes={COUNT: None, FIRST: None, "MessageGroupId": None}),
    "count a number": saying(**{COUNT: 1}),
    "time a number": saying(**{FIRST: 1291191960001}),
    "time 0": saying(**{FIRST: "0"}),
    "the last time": saying(**{FIRST: "253402300799999"}),
    "an attribute that nobody reads": saying(SenderId=10**5000, SentTimestamp="x"),
    "no receipt handle": odd(receiptHandle=...),
    "receipt handle null": odd(receiptHandle=None),
    "receipt handle a number": odd(receiptHandle=5),
    "no source": odd(eventSource=...),
    "source null": odd(eventSource=None),
    "no ARN": odd(eventSourceARN=...),
    "ARN null": odd(eventSourceARN=None),
    "ARN a number": odd(eventSourceARN=10**5000),
    "message attributes null": odd(messageAttributes=None),
    "FIFO without a group": odd(eventSourceARN=FIFO_ARN),
    "nothing else": {"messageId": "m-odd", "body": json.dumps(weighed("odd"))},
}


@pytest.mark.parametrize("shape", FINE)
def test_what_is_missing_around_a_body_is_no_flaw(
    make_consumer: Make, store: Store, context: Context, shape: str
) -> None:
    """A test event that a person wrote need not have it all."""
    response = make_consumer((Weighed, weigh))(batch(FINE[shape]), context)

    assert response == {"batchItemFailures": []}
    assert store.item("Weights", parcel="odd") is not None
    assert store.dead_letters() == []


@pytest.mark.parametrize(
    "shape",
    ["body an object", "body null", "body with a lone surrogate", "body empty", "body of 0", "body of no character"],
)
def test_where_the_body_is_no_text_the_record_is_buried(
    make_consumer: Make, store: Store, context: Context, shape: str
) -> None:
    """As JSON, so that nothing is lost."""
    flawed, _ = FLAWED[shape]

    make_consumer((Weighed, weigh))(batch(flawed), context)

    (dead,) = store.dead_letters()
    assert json.loads(dead["Body"]) == flawed


def test_what_json_has_no_text_for_is_buried_by_its_name(make_consumer: Make, store: Store, context: Context) -> None:
    """A number of so many digits, or levels without end, came from no queue."""
    endless: list[Any] = []
    endless.append(endless)

    make_consumer((Weighed, weigh))(batch(odd(body=10**5000), odd(body=endless, messageId="m-2")), context)

    assert sorted(dead["Body"] for dead in store.dead_letters()) == ['{"messageId": "m-2"}', '{"messageId": "m-odd"}']


def test_a_value_that_json_does_not_have_is_buried_as_it_is_shown() -> None:
    """A person's call of the function may hold anything, and the rest of the record is kept beside it."""
    (delivery,) = listen(batch(odd(body={"parcel": "p", "seen": NOON})))

    assert json.loads(delivery.body)["body"] == {"parcel": "p", "seen": repr(NOON)}


def test_what_a_flawed_record_says_of_itself_is_not_made_up() -> None:
    """A count or a time that can't be read counts as none."""
    (delivery,) = listen(batch(saying(**{COUNT: "x", FIRST: "y"})))

    assert (delivery.receive_count, delivery.first_seen) == (1, None)
    assert delivery.age(datetime.now(UTC)) == timedelta()


def test_a_record_of_a_fifo_queue_without_a_group_is_in_its_own() -> None:
    """So its dead-letter queue, which wants one, takes it."""
    (delivery,) = listen(batch(odd(eventSourceARN=FIFO_ARN)))

    assert delivery.group_id == "m-odd"


@pytest.mark.parametrize("message_id", ["m-odd", "not of one word", "9" * 5000])
@pytest.mark.parametrize("group", ["g", "not of one word", "9" * 5000, None])
@pytest.mark.parametrize("arn", [QUEUE_ARN, FIFO_ARN])
@pytest.mark.parametrize("fifo", [False, True])
def test_whatever_a_record_says_of_its_queue_it_is_buried(
    make_consumer: Make, store: Store, context: Context, message_id: str, group: str | None, arn: str, fifo: bool
) -> None:
    """The dead-letter queue alone knows whether it wants a group, and which names it takes."""
    if fifo:
        dead = store.aws.sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        store.settings = replace(store.settings, dead_letter_queue_url=dead)
    flawed = odd(messageId=message_id, body="not JSON", eventSourceARN=arn, attributes={"MessageGroupId": group})

    response = make_consumer((Weighed, weigh))(batch(flawed), context)

    assert response == {"batchItemFailures": []}
    (dead,) = store.dead_letters()
    assert ("MessageDeduplicationId" in dead["Attributes"]) == fifo


UNNAMED = {
    "null": None,
    "text": "a record",
    "a number": 10**5000,
    "an array": [odd()],
    "empty": {},
    "no id": odd(messageId=...),
    "id null": odd(messageId=None),
    "id empty": odd(messageId=""),
    "id a number": odd(messageId=5),
    "id an array": odd(messageId=["m-1"]),
    "id a lone surrogate": odd(messageId="\ud800"),
}


@pytest.mark.parametrize("shape", UNNAMED)
def test_what_can_not_be_named_raises_after_its_neighbours_had_their_fate(
    make_consumer: Make, store: Store, context: Context, queue: str, faults: Faults, shape: str
) -> None:
    """What is finished leaves the queue at once, since Lambda will let the whole batch come again."""
    neighbours = [
        record(weighed("a", event_id="e-1"), message_id="m-1"),
        record(weighed("fails", event_id="e-2"), message_id="m-2"),
        record("not JSON", message_id="m-3"),
    ]

    with pytest.raises(EachonceError, match="no messageId"):
        make_consumer((Weighed, moody))(batch(neighbours[0], UNNAMED[shape], *neighbours[1:]), context)

    assert store.item("Weights", parcel="a") is not None
    assert len(store.dead_letters()) == 1
    assert faults.calls.count("DeleteMessageBatch") == faults.calls.count("ChangeMessageVisibilityBatch") == 1


@pytest.mark.parametrize("shape", UNNAMED)
def test_where_nothing_can_be_named_the_batch_is_none(make_consumer: Make, context: Context, shape: str) -> None:
    """There is nothing to do, and nobody to tell."""
    with pytest.raises(EachonceError, match="takes SQS events"):
        make_consumer((Weighed, weigh))({"Records": [UNNAMED[shape]]}, context)


def test_a_failed_deletion_loses_nothing(
    make_consumer: Make, store: Store, context: Context, queue: str, faults: Faults
) -> None:
    """The neighbour comes again, as a duplicate."""
    faults.next("DeleteMessageBatch", wire.never_sent)
    post = make_consumer((Weighed, weigh))
    neighbour = record(weighed())

    with pytest.raises(EachonceError, match="no messageId"):
        post(batch(neighbour, None), context)

    assert returned(post(batch(neighbour), context)) == []
    assert store.item("Weights", parcel="p")["grams"] == 100


def test_what_has_no_receipt_handle_delays_nobody(
    make_consumer: Make, context: Context, queue: str, faults: Faults
) -> None:
    """SQS can't be told of it; it is of its neighbours."""
    mute = odd(receiptHandle=None, body=json.dumps(weighed("fails", event_id="e-1")))

    response = make_consumer((Weighed, moody))(batch(mute), context)

    assert returned(response) == ["m-odd"]
    assert "ChangeMessageVisibilityBatch" not in faults.calls
