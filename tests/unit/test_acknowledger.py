"""The acknowledger: a rejected message is in the dead-letter queue before it leaves its own."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from eachonce.acknowledger import Acknowledger, Settled
from eachonce.listener import Delivery, listen
from eachonce.outcome import Outcome, Verdict
from eachonce.settings import Settings

from tests import faults as wire
from tests.faults import Faults
from tests.parcels import weighed
from tests.records import batch, in_order, record, returned
from tests.store import Store

REJECTED = Outcome(verdict=Verdict.REJECT, reason="no parcels on Sundays", error="ContractError")
DONE = Outcome(verdict=Verdict.DONE)
RETRY = Outcome(verdict=Verdict.RETRY, reason="busy")


@pytest.fixture
def post(store: Store) -> Acknowledger:
    return Acknowledger(store.aws, store.settings, "post")


def deliveries(count: int, body: Any = None, **options: Any) -> list[Delivery]:
    bodies = [weighed(event_id=f"e-{number}") if body is None else body for number in range(count)]
    return listen(batch(*[record(b, message_id=f"m-{number}", **options) for number, b in enumerate(bodies)]))


def rejected(count: int, body: Any = None) -> list[Settled]:
    return [(delivery, REJECTED) for delivery in deliveries(count, body)]


@pytest.mark.parametrize(
    ("verdict", "comes_again"),
    [
        (Verdict.DONE, False),
        (Verdict.DUPLICATE, False),
        (Verdict.STALE, False),
        (Verdict.IGNORED, False),
        (Verdict.REJECT, False),
        (Verdict.RETRY, True),
    ],
)
def test_only_what_is_to_be_tried_again_comes_again(post: Acknowledger, verdict: Verdict, comes_again: bool) -> None:
    """Everything else is final."""
    (delivery,) = deliveries(1)

    _, response = post.acknowledge([(delivery, Outcome(verdict=verdict, reason="so"))])

    assert returned(response) == (["m-0"] if comes_again else [])


def test_nothing_to_acknowledge_is_an_empty_response(post: Acknowledger, faults: Faults) -> None:
    """And no call."""
    assert post.acknowledge([]) == ([], {"batchItemFailures": []})
    assert faults.calls == []


def test_a_rejected_message_keeps_its_body_and_gets_its_reason(post: Acknowledger, store: Store) -> None:
    """What a person needs is in the attributes; the body is what came, to the byte."""
    body = f" {json.dumps(weighed('Köln ☃', event_id='e-1'), ensure_ascii=False, indent=2)}\n"
    (delivery,) = listen(batch(record(body, message_id="m-1", receive_count=3)))

    post.acknowledge([(delivery, REJECTED)])

    (dead,) = store.dead_letters()
    assert dead["Body"] == body
    assert dead["notes"] == {
        "reason": "no parcels on Sundays",
        "error": "ContractError",
        "consumer": "post",
        "event_id": "e-1",
        "attempts": "3",
        "first_seen": "2010-12-01T08:26:00.001000+00:00",
        "code_version": "7",
    }


def test_what_is_not_known_is_left_out(post: Acknowledger, store: Store) -> None:
    """A body without an event has no id; a reason of a handler's is no error."""
    bare = Delivery(message_id="m-1", body="not JSON", flaw="the body is not JSON")

    post.acknowledge([(bare, Outcome(verdict=Verdict.REJECT, reason="the body is not JSON"))])

    (dead,) = store.dead_letters()
    assert dead["notes"].keys() == {"reason", "consumer", "attempts", "code_version"}


def test_a_reason_is_made_fit_for_an_attribute(post: Acknowledger, store: Store) -> None:
    """SQS refuses control characters, and an attribute is no place for a novel.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    """
    (delivery,) = deliveries(1)
    reason = "a\x00b\nc\ud800d\uffffe Köln " + "x" * 5000

    post.acknowledge([(delivery, Outcome(verdict=Verdict.REJECT, reason=reason))])

    (dead,) = store.dead_letters()
    assert dead["notes"]["reason"].startswith("a?b?c?d?e Köln xxx")
    assert len(dead["notes"]["reason"]) == 1024


@pytest.mark.parametrize(("count", "calls"), [(10, 1), (11, 2), (25, 3)])
def test_ten_messages_share_a_call(post: Acknowledger, store: Store, faults: Faults, count: int, calls: int) -> None:
    """As many as SQS takes."""
    post.acknowledge(rejected(count))

    assert faults.calls == ["SendMessageBatch"] * calls
    assert len(store.dead_letters()) == count


def test_large_messages_share_fewer_calls(post: Acknowledger, store: Store, faults: Faults) -> None:
    """A call holds a megabyte, attributes included."""
    _, response = post.acknowledge(rejected(3, "x" * 400_000))

    assert faults.calls == ["SendMessageBatch"] * 2
    assert len(store.dead_letters()) == 3
    assert response == {"batchItemFailures": []}


@pytest.mark.parametrize(
    ("fault", "calls"), [(wire.never_sent, 1), (wire.refused("AccessDenied"), 3)], ids=["down", "refused"]
)
def test_without_its_dead_letter_queue_a_message_stays_in_its_own(
    post: Acknowledger, store: Store, faults: Faults, fault: wire.Fault, calls: int
) -> None:
    """The reason may come late; a message is never lost, and is told apart in the log."""
    faults.next("SendMessageBatch", fault, times=calls)

    now, response = post.acknowledge(rejected(2))

    assert returned(response) == ["m-0", "m-1"]
    assert [outcome.verdict for _, outcome in now] == [Verdict.RETRY] * 2
    assert "no parcels on Sundays (not yet in the dead-letter queue: " in str(now[0][1].reason)
    assert store.dead_letters() == []


def test_a_deferred_rejection_does_not_hold_its_neighbours(post: Acknowledger, faults: Faults) -> None:
    """Only it comes again."""
    first, second, third = deliveries(3)
    faults.next("SendMessageBatch", wire.never_sent)

    now, response = post.acknowledge([(first, DONE), (second, REJECTED), (third, DONE)])

    assert returned(response) == ["m-1"]
    assert [outcome.verdict for _, outcome in now] == [Verdict.DONE, Verdict.RETRY, Verdict.DONE]


def test_a_rejection_is_buried_by_the_next_delivery(post: Acknowledger, store: Store, faults: Faults) -> None:
    """The queue brings it again until the dead-letter queue takes it."""
    faults.next("SendMessageBatch", wire.never_sent)
    assert returned(post.acknowledge(rejected(1))[1]) == ["m-0"]

    assert returned(post.acknowledge(rejected(1))[1]) == []
    assert len(store.dead_letters()) == 1


def test_only_the_messages_that_were_not_taken_come_again(post: Acknowledger, store: Store, faults: Faults) -> None:
    """SQS answers for each entry."""
    faults.next("SendMessageBatch", wire.entries_fail(0, 3))

    now, response = post.acknowledge(rejected(5))

    assert returned(response) == ["m-0", "m-3"]
    assert "InternalFailure" in str(now[0][1].reason)
    assert {dead["notes"]["event_id"] for dead in store.dead_letters()} == {"e-1", "e-2", "e-4"}


def test_failed_entries_are_told_apart_across_calls(post: Acknowledger, faults: Faults) -> None:
    """The third entry of the second call is the thirteenth message."""
    faults.next("SendMessageBatch", lambda request, send: send())
    faults.next("SendMessageBatch", wire.entries_fail(2))

    _, response = post.acknowledge(rejected(15))

    assert returned(response) == ["m-12"]


def test_one_message_that_spoils_a_call_is_found(post: Acknowledger, store: Store, faults: Faults) -> None:
    """The call is made again for each alone, and only the guilty one stays behind."""

    def mind_the_third(request: Any, send: Any) -> Any:
        entries = json.loads(request.body)["Entries"]
        guilty = any("e-2" in entry["MessageBody"] for entry in entries)
        return wire.refused("InvalidMessageContents")(request, send) if guilty else send()

    faults.next("SendMessageBatch", mind_the_third, times=6)

    _, response = post.acknowledge(rejected(5))

    assert returned(response) == ["m-2"]
    assert len(store.dead_letters()) == 4


def test_a_body_that_can_not_be_sent_stays_in_its_queue(post: Acknowledger, store: Store, faults: Faults) -> None:
    """Text that is no UTF-8 can't be written to the wire, nor be lost: the others are buried."""

    def write(request: Any, send: Any) -> Any:
        for entry in json.loads(request.body)["Entries"]:
            entry["MessageBody"].encode()
        return send()

    faults.next("SendMessageBatch", write, times=4)
    before, broken, after = listen(
        batch(
            record(weighed(event_id="e-0"), message_id="m-0"),
            record("\ud800", message_id="m-1"),
            record(weighed(event_id="e-2"), message_id="m-2"),
        )
    )

    _, response = post.acknowledge([(before, REJECTED), (broken, REJECTED), (after, REJECTED)])

    assert returned(response) == ["m-1"]
    assert {dead["notes"]["event_id"] for dead in store.dead_letters()} == {"e-0", "e-2"}


def test_an_answer_that_never_came_leaves_the_message_in_both_queues(
    post: Acknowledger, store: Store, faults: Faults
) -> None:
    """Better two rejections than none."""
    faults.next("SendMessageBatch", wire.answer_lost)

    _, response = post.acknowledge(rejected(1))

    assert returned(response) == ["m-0"]
    assert len(store.dead_letters()) == 1


def test_without_a_dead_letter_queue_a_rejected_message_stays(store: Store, faults: Faults) -> None:
    """Until someone sets one."""
    post = Acknowledger(store.aws, Settings(), "post")

    now, response = post.acknowledge([*rejected(1), *[(delivery, RETRY) for delivery in deliveries(1, "again")]])

    assert returned(response) == ["m-0", "m-0"]
    assert now[0][1].reason == "no parcels on Sundays (not yet in the dead-letter queue: no dead-letter queue is set)"
    assert faults.calls == []


def test_a_fifo_message_keeps_its_group(store: Store) -> None:
    """Its dead-letter queue is one, too, and a second try is the same message to it."""
    url = store.aws.sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    post = Acknowledger(store.aws, Settings(dead_letter_queue_url=url), "post")
    (delivery,) = listen(batch(in_order(weighed(), group="g", message_id="m-1")))

    post.acknowledge([(delivery, REJECTED)])
    post.acknowledge([(delivery, REJECTED)])

    (dead,) = store.messages(url)
    assert dead["Attributes"]["MessageGroupId"] == "g"


def received(store: Store, count: int, *, receive_count: int = 1) -> tuple[Acknowledger, list[Delivery]]:
    """Return deliveries of messages that are in flight in a queue, and the acknowledger that knows the queue."""
    url = store.aws.sqs.create_queue(QueueName="post", Attributes={"VisibilityTimeout": "3600"})["QueueUrl"]
    for number in range(count):
        store.aws.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(weighed(event_id=f"e-{number}")))
    records = [
        record(message["Body"], message_id=message["MessageId"], receive_count=receive_count)
        | {"receiptHandle": message["ReceiptHandle"]}
        for _ in range(-(-count // 10))
        for message in store.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    ]
    settings = replace(store.settings, queue_url=url)
    return Acknowledger(store.aws, settings, "post", jitter=lambda: 1.0), listen(batch(*records))


@pytest.mark.parametrize(
    ("receive_count", "seconds"), [(1, 2), (2, 4), (3, 8), (9, 512), (10, 900), (11, 900), (2_000_000_000, 900)]
)
def test_a_deferred_message_comes_again_later_each_time(store: Store, receive_count: int, seconds: int) -> None:
    """Exponential back-off: not after the queue's whole visibility timeout, and not at once."""
    with time_machine.travel(dt.datetime(2010, 12, 1, tzinfo=dt.UTC), tick=False) as clock:
        post, (delivery,) = received(store, 1, receive_count=receive_count)
        url = str(post.settings.queue_url)

        post.acknowledge([(delivery, RETRY)])

        clock.shift(seconds - 1)
        assert store.messages(url) == []
        clock.shift(2)
        assert len(store.messages(url)) == 1


def test_pauses_are_spread(store: Store, faults: Faults) -> None:
    """Full jitter: what failed together does not come again together."""
    post, all_deliveries = received(store, 3, receive_count=6)
    post = replace(post, jitter=iter([0.0, 0.5, 0.999]).__next__)

    post.acknowledge([(delivery, RETRY) for delivery in all_deliveries])

    assert [entry["VisibilityTimeout"] for entry in faults.requests[-1][1]["Entries"]] == [0, 32, 63]


def test_ten_pauses_share_a_call(store: Store, faults: Faults) -> None:
    """And what is done needs none."""
    post, deliveries_ = received(store, 12)
    faults.calls.clear()

    post.acknowledge([(delivery, DONE if place == 5 else RETRY) for place, delivery in enumerate(deliveries_)])

    assert faults.calls == ["ChangeMessageVisibilityBatch"] * 2
    assert [len(request["Entries"]) for _, request in faults.requests[-2:]] == [10, 1]


@pytest.mark.parametrize(
    "fault", [wire.answer_lost, wire.never_sent, wire.refused("AccessDenied")], ids=["lost", "down", "refused"]
)
def test_a_pause_that_fails_is_the_queues_own(store: Store, faults: Faults, fault: wire.Fault) -> None:
    """The message is returned all the same, and comes when its visibility timeout ends."""
    post, (delivery,) = received(store, 1)
    faults.next("ChangeMessageVisibilityBatch", fault)

    _, response = post.acknowledge([(delivery, RETRY)])

    assert returned(response) == [delivery.message_id]


def test_a_rejection_that_waits_for_its_dead_letter_queue_is_paused_too(store: Store, faults: Faults) -> None:
    """It comes again like any other."""
    post, (delivery,) = received(store, 1)
    faults.next("SendMessageBatch", wire.never_sent)

    post.acknowledge([(delivery, REJECTED)])

    assert faults.calls[-2:] == ["SendMessageBatch", "ChangeMessageVisibilityBatch"]
