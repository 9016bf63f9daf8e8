"""The acknowledger: a rejected message is in the dead-letter queue before it leaves its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from eachonce.acknowledger import Acknowledger
from eachonce.backoff import Backoff
from eachonce.lanes import Settled
from eachonce.listener import Delivery, listen
from eachonce.outcome import Outcome, Verdict
from eachonce.settings import Settings
from msgspec.structs import replace

from tests import faults as wire
from tests.faults import Faults
from tests.parcels import weighed
from tests.records import batch, in_order, record, returned
from tests.store import Store

NOON = dt.datetime(2010, 12, 1, 12, tzinfo=dt.UTC)
REJECTED = Outcome(verdict=Verdict.REJECT, reason="no parcels on Sundays", error="ContractError")
DONE = Outcome(verdict=Verdict.DONE)
RETRY = Outcome(verdict=Verdict.RETRY, reason="busy")


@pytest.fixture
def post(store: Store) -> Acknowledger:
    return Acknowledger(store.aws, store.settings, "post")


def deliveries(count: int, body: Any = None, **options: Any) -> list[Delivery]:
    bodies = [weighed(event_id=f"e-{number}") if body is None else body for number in range(count)]
    return listen(batch(*[record(b, message_id=f"m-{number}", **options) for number, b in enumerate(bodies)]))


def acknowledge(post: Acknowledger, settled: list[Settled]) -> tuple[list[Settled], dict[str, Any]]:
    """Do what a consumer does at the end of a batch; return the outcomes as they are then, and Lambda's response."""
    buried = post.bury(settled)
    return buried, post.respond(buried)


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
        (Verdict.WAIT, True),
        (Verdict.ABANDONED, True),
    ],
)
def test_only_what_is_to_be_tried_again_comes_again(post: Acknowledger, verdict: Verdict, comes_again: bool) -> None:
    """Everything else is final."""
    (delivery,) = deliveries(1)

    _, response = acknowledge(post, [(delivery, Outcome(verdict=verdict, reason="so"))])

    assert returned(response) == (["m-0"] if comes_again else [])


def test_nothing_to_acknowledge_is_an_empty_response(post: Acknowledger, faults: Faults) -> None:
    """And no call."""
    assert acknowledge(post, []) == ([], {"batchItemFailures": []})
    assert faults.calls == []


def test_a_rejected_message_keeps_its_body_and_gets_its_reason(post: Acknowledger, store: Store) -> None:
    """What a person needs is in the attributes; the body is what came, to the byte."""
    body = f" {json.dumps(weighed('Köln ☃', event_id='e-1'), ensure_ascii=False, indent=2)}\n"
    (delivery,) = listen(batch(record(body, message_id="m-1", receive_count=7)))

    acknowledge(post, [(delivery, replace(REJECTED, attempts=3))])

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
    """A body without an event has no id; a reason of a handler's is no error; a delivery is no attempt."""
    bare = Delivery(message_id="m-1", body="not JSON", flaw="the body is not JSON")

    acknowledge(post, [(bare, Outcome(verdict=Verdict.REJECT, reason="the body is not JSON"))])

    (dead,) = store.dead_letters()
    assert dead["notes"].keys() == {"reason", "consumer", "code_version"}


def test_a_reason_is_made_fit_for_an_attribute(post: Acknowledger, store: Store) -> None:
    """SQS refuses control characters, and an attribute is no place for a novel.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    """
    (delivery,) = deliveries(1)
    reason = "a\x00b\nc\ud800d\uffffe Köln " + "x" * 5000

    acknowledge(post, [(delivery, Outcome(verdict=Verdict.REJECT, reason=reason))])

    (dead,) = store.dead_letters()
    assert dead["notes"]["reason"].startswith("a?b?c?d?e Köln xxx")
    assert len(dead["notes"]["reason"]) == 1024


@pytest.mark.parametrize(("count", "calls"), [(10, 1), (11, 2), (25, 3)])
def test_ten_messages_share_a_call(post: Acknowledger, store: Store, faults: Faults, count: int, calls: int) -> None:
    """As many as SQS takes."""
    acknowledge(post, rejected(count))

    assert faults.calls == ["SendMessageBatch"] * calls
    assert len(store.dead_letters()) == count


def test_large_messages_share_fewer_calls(post: Acknowledger, store: Store, faults: Faults) -> None:
    """A call holds a megabyte, attributes included."""
    _, response = acknowledge(post, rejected(3, "x" * 400_000))

    assert faults.calls == ["SendMessageBatch"] * 2
    assert len(store.dead_letters()) == 3
    assert response == {"batchItemFailures": []}


@pytest.mark.parametrize(
    ("fault", "calls", "code"),
    [(wire.never_sent, 1, "ConnectionClosedError"), (wire.refused("AccessDenied"), 3, "AccessDenied")],
    ids=["down", "refused"],
)
def test_without_its_dead_letter_queue_a_message_stays_in_its_own(
    post: Acknowledger, store: Store, faults: Faults, fault: wire.Fault, calls: int, code: str
) -> None:
    """The reason may come late; a message is never lost, and is told apart in the log."""
    faults.next("SendMessageBatch", fault, times=calls)

    now, response = acknowledge(post, rejected(2))

    assert returned(response) == ["m-0", "m-1"]
    assert [outcome.verdict for _, outcome in now] == [Verdict.RETRY] * 2
    assert now[0][1].reason == f"no parcels on Sundays (not yet in the dead-letter queue: {code})"
    assert store.dead_letters() == []


def test_a_deferred_rejection_does_not_hold_its_neighbours(post: Acknowledger, faults: Faults) -> None:
    """Only it comes again."""
    first, second, third = deliveries(3)
    faults.next("SendMessageBatch", wire.never_sent)

    now, response = acknowledge(post, [(first, DONE), (second, REJECTED), (third, DONE)])

    assert returned(response) == ["m-1"]
    assert [outcome.verdict for _, outcome in now] == [Verdict.DONE, Verdict.RETRY, Verdict.DONE]


def test_a_rejection_is_buried_by_the_next_delivery(post: Acknowledger, store: Store, faults: Faults) -> None:
    """The queue brings it again until the dead-letter queue takes it."""
    faults.next("SendMessageBatch", wire.never_sent)
    assert returned(acknowledge(post, rejected(1))[1]) == ["m-0"]

    assert returned(acknowledge(post, rejected(1))[1]) == []
    assert len(store.dead_letters()) == 1


def test_only_the_messages_that_were_not_taken_come_again(post: Acknowledger, store: Store, faults: Faults) -> None:
    """SQS answers for each entry."""
    faults.next("SendMessageBatch", wire.entries_fail(0, 3))

    now, response = acknowledge(post, rejected(5))

    assert returned(response) == ["m-0", "m-3"]
    assert "InternalFailure" in str(now[0][1].reason)
    assert {dead["notes"]["event_id"] for dead in store.dead_letters()} == {"e-1", "e-2", "e-4"}


def test_failed_entries_are_told_apart_across_calls(post: Acknowledger, faults: Faults) -> None:
    """The third entry of the second call is the thirteenth message; what the first did not take is not forgotten."""
    faults.next("SendMessageBatch", wire.entries_fail(1))
    faults.next("SendMessageBatch", wire.entries_fail(2))

    _, response = acknowledge(post, rejected(15))

    assert returned(response) == ["m-1", "m-12"]


def test_one_message_that_spoils_a_call_is_found(post: Acknowledger, store: Store, faults: Faults) -> None:
    """The call is made again for each alone, and only the guilty one stays behind."""

    def mind_the_third(request: Any, send: Any) -> Any:
        entries = json.loads(request.body)["Entries"]
        guilty = any("e-2" in entry["MessageBody"] for entry in entries)
        return wire.refused("InvalidMessageContents")(request, send) if guilty else send()

    faults.next("SendMessageBatch", mind_the_third, times=6)

    _, response = acknowledge(post, rejected(5))

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
            record("broken", message_id="m-1"),
            record(weighed(event_id="e-2"), message_id="m-2"),
        )
    )
    broken = replace(broken, body="\ud800")

    _, response = acknowledge(post, [(before, REJECTED), (broken, REJECTED), (after, REJECTED)])

    assert returned(response) == ["m-1"]
    assert {dead["notes"]["event_id"] for dead in store.dead_letters()} == {"e-0", "e-2"}


def test_an_answer_that_never_came_leaves_the_message_in_both_queues(
    post: Acknowledger, store: Store, faults: Faults
) -> None:
    """Better two rejections than none."""
    faults.next("SendMessageBatch", wire.answer_lost)

    _, response = acknowledge(post, rejected(1))

    assert returned(response) == ["m-0"]
    assert len(store.dead_letters()) == 1


def test_without_a_dead_letter_queue_a_rejected_message_stays(store: Store, faults: Faults) -> None:
    """Until someone sets one."""
    post = Acknowledger(store.aws, Settings(), "post")

    now, response = acknowledge(post, [*rejected(1), *[(delivery, RETRY) for delivery in deliveries(1, "again")]])

    assert returned(response) == ["m-0", "m-0"]
    assert now[0][1].reason == "no parcels on Sundays (not yet in the dead-letter queue: no dead-letter queue is set)"
    assert faults.calls == []


def test_a_fifo_message_keeps_its_group(store: Store) -> None:
    """Its dead-letter queue is one, too, and a second try is the same message to it."""
    url = store.aws.sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    post = Acknowledger(store.aws, Settings(dead_letter_queue_url=url), "post")
    (delivery,) = listen(batch(in_order(weighed(), group="g", message_id="m-1")))

    acknowledge(post, [(delivery, REJECTED)])
    acknowledge(post, [(delivery, REJECTED)])

    (dead,) = store.messages(url)
    assert dead["Attributes"]["MessageGroupId"] == "g"


@pytest.mark.parametrize("group", ["ä", "a b", "g" * 129], ids=["a letter", "a space", "too long"])
def test_a_group_that_no_fifo_queue_takes_has_a_name_that_it_takes(store: Store, faults: Faults, group: str) -> None:
    """The same for the same group, and no other group's; so has a message's id, and a message without a group."""
    post = Acknowledger(
        store.aws, dataclasses.replace(store.settings, dead_letter_queue_url="https://sqs.example/1/dead.fifo"), "p"
    )
    groups = [group, group, "other", None]
    odd = [Delivery(message_id=f"m {place}", body="x", group_id=name) for place, name in enumerate(groups)]

    post.bury([(delivery, REJECTED) for delivery in odd])  # there is no such queue

    entries = faults.requests[0][1]["Entries"]
    taken, ids = ([entry[name] for entry in entries] for name in ("MessageGroupId", "MessageDeduplicationId"))
    assert taken[0] == taken[1]
    assert (len(set(taken)), len(set(ids))) == (3, 4)
    assert all(re.fullmatch("[!-~]{1,128}", name) for name in (*taken, *ids))


def received(
    store: Store, count: int, *, jitter: Callable[[], float] = lambda: 1.0
) -> tuple[Acknowledger, list[Delivery]]:
    """Return deliveries of messages that are in flight in a queue, and the acknowledger that knows the queue."""
    url = store.aws.sqs.create_queue(QueueName="post", Attributes={"VisibilityTimeout": "3600"})["QueueUrl"]
    for number in range(count):
        store.aws.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(weighed(event_id=f"e-{number}")))
    records = [
        record(message["Body"], message_id=message["MessageId"]) | {"receiptHandle": message["ReceiptHandle"]}
        for _ in range(-(-count // 10))
        for message in store.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    ]
    settings = dataclasses.replace(store.settings, queue_url=url)
    return Acknowledger(store.aws, settings, "post", Backoff(jitter=jitter)), listen(batch(*records))


def failed(attempts: int) -> Outcome:
    return replace(RETRY, attempts=attempts, counted=True)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (9, 512), (10, 900)])
def test_a_deferred_message_comes_again_later_each_time(store: Store, attempts: int, seconds: int) -> None:
    """Exponential back-off: not after the queue's whole visibility timeout, and not at once."""
    with time_machine.travel(dt.datetime(2010, 12, 1, tzinfo=dt.UTC), tick=False) as clock:
        post, (delivery,) = received(store, 1)
        url = str(post.settings.queue_url)

        acknowledge(post, [(delivery, failed(attempts))])

        clock.shift(seconds - 1)
        assert store.messages(url) == []
        clock.shift(2)
        assert len(store.messages(url)) == 1


def test_each_message_has_a_pause_of_its_own(store: Store, faults: Faults) -> None:
    """By what became of it: one that failed, one that was told when, one that never began; what is done has none."""
    post, deliveries_ = received(store, 4)
    outcomes = [failed(3), replace(RETRY, after=dt.timedelta(minutes=5)), DONE, Outcome(verdict=Verdict.ABANDONED)]

    acknowledge(post, list(zip(deliveries_, outcomes, strict=True)))

    entries = faults.requests[-1][1]["Entries"]
    assert [entry["VisibilityTimeout"] for entry in entries] == [8, 300, 0]
    assert [entry["ReceiptHandle"] for entry in entries] == [
        delivery.receipt_handle for place, delivery in enumerate(deliveries_) if place != 2
    ]


def test_what_never_began_comes_again_at_once(store: Store) -> None:
    """It has lost nothing but a place in this batch."""
    post, (delivery,) = received(store, 1)

    acknowledge(post, [(delivery, Outcome(verdict=Verdict.ABANDONED))])

    assert len(store.messages(str(post.settings.queue_url))) == 1


def test_what_waits_is_paused_by_its_age(store: Store, faults: Faults) -> None:
    """It has no attempts to go by: it waits as long again as it has waited so far."""
    post, (delivery,) = received(store, 1)
    post = replace(post, clock=lambda: NOON + dt.timedelta(seconds=60), backoff=Backoff(jitter=lambda: 0.5))
    delivery = replace(delivery, attributes={"ApproximateFirstReceiveTimestamp": str(int(NOON.timestamp() * 1000))})

    acknowledge(post, [(delivery, Outcome(verdict=Verdict.WAIT, reason="waits for the postman"))])

    assert [entry["VisibilityTimeout"] for entry in faults.requests[-1][1]["Entries"]] == [30]


@pytest.mark.parametrize(
    ("times", "age", "held"),
    [
        (1, dt.timedelta(seconds=90), 90),
        (1, dt.timedelta(hours=2), 7200),
        (2, dt.timedelta(seconds=90), 90),
        (2, dt.timedelta(hours=2), 20 * 60),
        (9, dt.timedelta(days=3), 20 * 60),
        (1, None, 20 * 60),
    ],
    ids=["once", "once, throttled", "again, soon", "again", "for days", "nobody knows"],
)
def test_a_long_pause_leaves_out_how_long_the_message_was_held(
    store: Store, faults: Faults, times: int, age: dt.timedelta | None, held: int
) -> None:
    """Its age where it came once; else no longer than Lambda gathers a batch for, and then lets a function run."""
    post, (delivery,) = received(store, 1)
    post = replace(post, clock=lambda: NOON)
    first = {} if age is None else {"ApproximateFirstReceiveTimestamp": str(int((NOON - age).timestamp() * 1000))}
    delivery = replace(delivery, attributes=first, receive_count=times)

    acknowledge(post, [(delivery, replace(RETRY, after=dt.timedelta(hours=12)))])

    (entry,) = faults.requests[-1][1]["Entries"]
    assert entry["VisibilityTimeout"] == 12 * 60 * 60 - held - 60


def test_pauses_are_spread(store: Store, faults: Faults) -> None:
    """Full jitter: what failed together does not come again together."""
    post, all_deliveries = received(store, 3, jitter=iter([0.0, 0.5, 0.999]).__next__)

    acknowledge(post, [(delivery, failed(6)) for delivery in all_deliveries])

    assert [entry["VisibilityTimeout"] for entry in faults.requests[-1][1]["Entries"]] == [0, 32, 64]


def test_ten_pauses_share_a_call(store: Store, faults: Faults) -> None:
    """And what is done needs none."""
    post, deliveries_ = received(store, 12)
    faults.calls.clear()

    acknowledge(post, [(delivery, DONE if place == 5 else RETRY) for place, delivery in enumerate(deliveries_)])

    assert faults.calls == ["ChangeMessageVisibilityBatch"] * 2
    assert [len(request["Entries"]) for _, request in faults.requests[-2:]] == [10, 1]


def test_the_entries_of_a_call_have_names_of_their_own(store: Store, faults: Faults) -> None:
    """SQS refuses a call in which two have one.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
    """
    post, deliveries_ = received(store, 9)
    first, second, third = deliveries_[:3], deliveries_[3:6], deliveries_[6:]
    faults.requests.clear()

    post.let_go([(delivery, DONE) for delivery in first])
    acknowledge(post, [*((delivery, RETRY) for delivery in second), *((delivery, REJECTED) for delivery in third)])

    named = {operation: [entry["Id"] for entry in request["Entries"]] for operation, request in faults.requests}
    assert named == {
        "DeleteMessageBatch": ["0", "1", "2"],
        "SendMessageBatch": ["0", "1", "2"],
        "ChangeMessageVisibilityBatch": ["0", "1", "2"],
    }


ANY_FAULT = pytest.mark.parametrize(
    "fault",
    [wire.answer_lost, wire.never_sent, wire.refused("AccessDenied"), wire.refused("RequestThrottled")],
    ids=["lost", "down", "refused", "throttled"],
)


@ANY_FAULT
def test_a_pause_that_fails_is_the_queues_own(store: Store, faults: Faults, fault: wire.Fault) -> None:
    """The message is returned all the same, and comes when its visibility timeout ends."""
    post, (delivery,) = received(store, 1)
    faults.next("ChangeMessageVisibilityBatch", fault)

    _, response = acknowledge(post, [(delivery, RETRY)])

    assert returned(response) == [delivery.message_id]


def test_a_rejection_that_waits_for_its_dead_letter_queue_is_paused_too(store: Store, faults: Faults) -> None:
    """It comes again like any other."""
    post, (delivery,) = received(store, 1)
    faults.next("SendMessageBatch", wire.never_sent)

    acknowledge(post, [(delivery, REJECTED)])

    assert faults.calls[-2:] == ["SendMessageBatch", "ChangeMessageVisibilityBatch"]


def test_what_is_finished_is_let_go_before_the_end(store: Store, faults: Faults) -> None:
    """Ten in a call; what is to come again stays."""
    post, deliveries_ = received(store, 12)
    faults.calls.clear()

    post.let_go([(delivery, RETRY if place == 5 else DONE) for place, delivery in enumerate(deliveries_)])

    assert faults.calls == ["DeleteMessageBatch"] * 2
    assert left(store, post) == {deliveries_[5].message_id}


def test_what_is_let_go_is_not_paused(store: Store, faults: Faults) -> None:
    """The response needn't speak of it any more."""
    post, (delivery,) = received(store, 1)
    post.let_go([(delivery, DONE)])
    faults.calls.clear()

    assert post.respond([(delivery, DONE)]) == {"batchItemFailures": []}
    assert faults.calls == []


@ANY_FAULT
def test_what_can_not_be_let_go_is_deleted_after_the_invocation(
    store: Store, faults: Faults, fault: wire.Fault
) -> None:
    """Lambda deletes what the response does not name: nothing depends on the early delete."""
    post, deliveries_ = received(store, 11)
    faults.next("DeleteMessageBatch", fault)

    post.let_go([(delivery, DONE) for delivery in deliveries_])

    assert post.respond([(delivery, DONE) for delivery in deliveries_]) == {"batchItemFailures": []}
    assert deliveries_[10].message_id not in left(store, post)


def test_without_its_queues_address_nothing_is_let_go_or_paused(post: Acknowledger, faults: Faults) -> None:
    """The response is enough."""
    (delivery,) = deliveries(1)

    post.let_go([(delivery, DONE)])

    assert returned(post.respond([(delivery, RETRY)])) == ["m-0"]
    assert faults.calls == []


def left(store: Store, post: Acknowledger) -> set[str]:
    """Return the messages that are still in their queue, in flight or not."""
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=1)):
        return {message["MessageId"] for message in store.messages(str(post.settings.queue_url))}
