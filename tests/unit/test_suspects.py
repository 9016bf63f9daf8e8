"""Suspects: what kills the process dies alone, and order is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from eachonce import Consumer, Event, Work
from eachonce.journal import State

from tests import faults as wire
from tests.faults import Faults
from tests.moods import delivered, fail, later, moody, poisonous, power_cut, refuse, together, wait
from tests.parcels import Registered, Seen, Weighed, announce, register, registered, see, seen, weigh, weighed
from tests.printed import Printed
from tests.records import FIFO_ARN, Context, batch, record, returned
from tests.store import Store

Make = Callable[..., Consumer]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False) as clock:
        yield clock


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize(("group_commit", "at_first"), [("off", "a"), ("write units", "")])
def test_a_poison_event_dies_alone(
    make_consumer: Make,
    store: Store,
    context: Context,
    printed: Printed,
    clock: time_machine.Traveller,
    group_commit: str,
    at_first: str,
) -> None:
    """Its neighbours are done, each once, and it is rejected with how often it died.

    It takes down those that wait to be committed with others; nobody waits a second time.
    """
    post = make_consumer((Weighed, poisonous), concurrency=1, max_starts=3, group_commit=group_commit)
    done: list[str] = []

    times, batch_ = 1, ["a", "poison", "b"]
    while batch_:
        try:
            post(together(*batch_, times=times), context)
            batch_ = []
        except KeyboardInterrupt:
            times += 1
            clock.shift(30)
            # what left its queue before the end does not come again
            deleted = {
                row["pk"].removeprefix("post##post#e-") for row in store.items("Journal") if row["state"] == State.DONE
            }
            batch_ = [parcel for parcel in batch_ if times == 2 or parcel not in deleted]
            done.append(",".join(sorted(deleted)))

    assert done == [at_first, "a", "a", "a,b", "a,b"]
    assert times == 6
    assert {item["parcel"]: item["grams"] for item in store.items("Weights")} == {"a": 100, "b": 100}
    (dead,) = store.dead_letters()
    assert dead["notes"]["event_id"] == "e-poison"
    assert dead["notes"]["reason"].startswith("its handler ended without a word 3 times")
    assert store.journal("post", "e-poison")["state"] == State.REJECTED


@pytest.mark.parametrize(("group_commit", "calls"), [("off", 3), ("write units", 1)])
def test_first_deliveries_cost_their_commits(
    make_consumer: Make, context: Context, faults: Faults, group_commit: str, calls: int
) -> None:
    """The happy path pays nothing for the suspects: no read, no mark, no word to SQS."""
    post = make_consumer((Weighed, weigh), concurrency=1, group_commit=group_commit)

    post(together("a", "b", "c", times=1), context)

    assert faults.calls == ["TransactWriteItems"] * calls


def test_second_deliveries_share_a_read_and_a_mark(make_consumer: Make, context: Context, faults: Faults) -> None:
    """Two calls a batch."""
    make_consumer((Weighed, weigh), concurrency=1)(together("a", "b", "c", times=2), context)

    assert faults.calls == ["BatchGetItem", "TransactWriteItems", *["TransactWriteItems"] * 3]


@pytest.mark.usefixtures("queue")
def test_a_suspect_comes_last_and_alone(make_consumer: Make, store: Store, context: Context, faults: Faults) -> None:
    """After all that is finished has left the queue, and what is rejected is in the dead-letter queue."""
    post = make_consumer((Weighed, poisonous), concurrency=1)
    with pytest.raises(KeyboardInterrupt):
        post(together("poison", times=2), context)
    faults.calls.clear()
    order: list[str] = []

    def note(event: Event[Weighed], work: Work) -> None:
        order.append(event.data.parcel)
        if event.data.parcel == "poison":
            order.extend(faults.calls[-4:])
        moody(event, work) if event.data.parcel != "poison" else weigh(event, work)

    response = make_consumer((Weighed, note), concurrency=4)(
        batch(*together("poison", times=3)["Records"], *together("refused", "a", times=1)["Records"]), context
    )

    assert response == {"batchItemFailures": []}
    assert set(order[:2]) == {"refused", "a"}
    assert order[2:] == ["poison", "SendMessageBatch", "UpdateItem", "DeleteMessageBatch", "UpdateItem"]
    assert faults.calls[-2:] == ["TransactWriteItems", "DeleteMessageBatch"]
    assert store.journal("post", "e-poison")["state"] == State.DONE


@pytest.mark.usefixtures("queue")
def test_operators_hear_of_the_neighbours_before_a_suspect_runs(
    make_consumer: Make, context: Context, printed: Printed
) -> None:
    """What it kills can't tell any more."""
    post = make_consumer((Weighed, poisonous), concurrency=1)
    with pytest.raises(KeyboardInterrupt):
        post(together("poison", times=2), context)

    with pytest.raises(KeyboardInterrupt):
        post(batch(*together("poison", times=3)["Records"], *together("a", times=1)["Records"]), context)

    assert printed.counts() == {"Done": 1}


@pytest.mark.usefixtures("queue")
def test_operators_hear_of_each_delivery_once(make_consumer: Make, context: Context, printed: Printed) -> None:
    """Of the harmless when they are done, and of each suspect when it is."""
    with pytest.raises(KeyboardInterrupt):
        make_consumer((Weighed, power_cut), concurrency=1)(together("a", "b", times=2), context)
    records = [*together("a", "b", times=3)["Records"], *together("c", times=1)["Records"]]

    make_consumer((Weighed, weigh))(batch(*records), context)

    assert printed.counts() == {"Done": 3}


def test_after_too_many_starts_the_handler_is_not_run(
    make_consumer: Make, store: Store, context: Context, clock: time_machine.Traveller
) -> None:
    """And the neighbours are done."""
    post = make_consumer((Weighed, poisonous), concurrency=1, max_starts=2)
    for times in (2, 3, 4):
        with pytest.raises(KeyboardInterrupt):
            post(together("poison", times=times), context)
        clock.shift(30)

    response = post(together("poison", "a", times=5), context)

    assert response == {"batchItemFailures": []}
    assert store.item("Weights", parcel="a")["grams"] == 100
    (dead,) = store.dead_letters()
    assert dead["notes"]["event_id"] == "e-poison"


@pytest.mark.parametrize("handle", [fail, later, wait, refuse])
def test_a_suspect_that_ends_with_a_word_has_not_died(
    make_consumer: Make, store: Store, context: Context, handle: Any
) -> None:
    """However it ends: only the one before it has."""
    for times in (2, 3):
        with pytest.raises(KeyboardInterrupt):
            make_consumer((Weighed, power_cut))(delivered(times), context)
    died = store.journal("post")["begun"]

    make_consumer((Weighed, handle))(delivered(4, first_received=datetime.now(UTC)), context)

    row = store.journal("post")
    assert row["begun"] == died
    assert row["state"] == (State.REJECTED if handle is refuse else State.TRIED)
    assert row.keys().isdisjoint({"fence", "lease_until"})


@pytest.mark.parametrize(
    ("handler", "event"),
    [
        ((Registered, register), registered()),
        ((Seen, see), seen()),
        ((Weighed, weigh), weighed()),
        ((Weighed, announce), weighed()),
        ((Weighed, lambda event, work: None), weighed()),
    ],
    ids=["create", "newer", "add", "events", "nothing"],
)
@pytest.mark.parametrize("died", [False, True])
def test_what_comes_again_and_is_done_says_so_in_its_row(
    make_consumer: Make, store: Store, context: Context, handler: Any, event: dict[str, Any], died: bool
) -> None:
    """Whatever its plan: the mark that it began must not stay."""
    if died:
        with pytest.raises(KeyboardInterrupt):
            make_consumer((handler[0], power_cut))(delivered(2, event), context)

    assert returned(make_consumer(handler)(delivered(3, event), context)) == []

    row = store.journal("post")
    assert row["state"] == State.DONE
    assert row.keys().isdisjoint({"begun", "fence"})


@pytest.mark.parametrize(
    ("handler", "event"), [((Registered, register), registered()), ((Seen, see), seen())], ids=["create", "newer"]
)
@pytest.mark.parametrize("fault", [None, wire.never_sent, wire.answer_lost, wire.canceled("TransactionConflict")])
def test_what_only_its_item_knew_to_be_done_is_told_to_the_journal(
    make_consumer: Make,
    store: Store,
    context: Context,
    faults: Faults,
    handler: Any,
    event: dict[str, Any],
    fault: wire.Fault | None,
    printed: Printed,
    no_naps: None,
) -> None:
    """Its first delivery needed no row; the second one began one. Where it can't be told, it is done all the same."""
    post = make_consumer(handler)
    post(delivered(1, event), context)
    assert store.items("Journal") == []
    if fault is not None:
        faults.next("PutItem", fault, times=1)

    assert returned(post(delivered(2, event), context)) == []

    assert printed.counts() == {"Done": 1, "Duplicate": 1}
    assert store.journal("post")["state"] == (State.STARTED if fault is wire.never_sent else State.DONE)


def test_what_only_its_item_knew_to_be_done_keeps_the_story_of_its_tries(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """One message failed and another one of the same event was done at once, without a row."""
    make_consumer((Registered, fail))(delivered(1, registered()), context)
    post = make_consumer((Registered, register))
    post(batch(record(registered(), message_id="m-2")), context)
    assert store.journal("post")["state"] == State.TRIED

    post(delivered(2, registered()), context)

    row = store.journal("post")
    assert (row["state"], row["attempts"], len(row["errors"])) == (State.DONE, 1, 1)


def test_what_is_done_is_not_handled_again(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """Its row was read: a copy costs its part of a read, and no run of the handler."""
    make_consumer((Weighed, weigh))(delivered(1), context)

    assert returned(make_consumer((Weighed, power_cut))(delivered(2), context)) == []

    assert printed.counts() == {"Done": 1, "Duplicate": 1}


def test_a_copy_of_a_done_event_with_other_content_is_rejected(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """Its row was read, and is another's; the row stays DONE."""
    make_consumer((Weighed, weigh))(delivered(1), context)

    assert returned(make_consumer((Weighed, power_cut))(delivered(2, weighed(grams=5)), context)) == []

    (dead,) = store.dead_letters()
    assert "used before" in dead["notes"]["reason"]
    assert store.journal("post")["state"] == State.DONE


def test_a_journal_that_can_not_be_read_defers_only_what_came_before(
    make_consumer: Make, store: Store, context: Context, faults: Faults, printed: Printed
) -> None:
    """What comes for the first time is done."""
    faults.next("BatchGetItem", wire.never_sent)
    records = [*together("a", times=2)["Records"], *together("b", times=1)["Records"]]

    response = make_consumer((Weighed, weigh))(batch(*records), context)

    assert returned(response) == ["m-a"]
    assert [item["parcel"] for item in store.items("Weights")] == ["b"]
    assert printed.counts() == {"Done": 1, "Retried": 1}


def test_operators_hear_that_the_journal_could_not_be_asked(
    make_consumer: Make, context: Context, faults: Faults, printed: Printed
) -> None:
    """It is why the event comes again, and no failure of its handler."""
    faults.next("BatchGetItem", wire.never_sent)

    make_consumer((Weighed, weigh))(delivered(2), context)

    (warning,) = printed.logs()
    assert (warning["message"], warning["error"]) == ("retry", "ConnectionClosedError")
    assert "journal" in warning["reason"]


def lane(*parcels: str, fifo: bool, times: int = 1) -> list[dict[str, Any]]:
    """Return messages of one subject, or of one group."""
    return [
        record(
            weighed(parcel, event_id=f"e-{parcel}") | {"subject": "s"},
            message_id=f"m-{parcel}",
            receive_count=times,
            **({"group": "g", "arn": FIFO_ARN} if fifo else {}),
        )
        for parcel in parcels
    ]


@pytest.mark.parametrize("fifo", [False, True], ids=["ordered", "a group"])
def test_a_suspect_waits_for_an_earlier_event_of_its_lane(
    make_consumer: Make, store: Store, context: Context, fifo: bool
) -> None:
    """The suspects come after all others, and still not before what they come after in their lane."""
    with pytest.raises(KeyboardInterrupt):
        make_consumer((Weighed, power_cut))(batch(*lane("b", fifo=fifo, times=2)), context)
    post = make_consumer((Weighed, moody), ordered=not fifo)

    response = post(batch(*lane("fails", fifo=fifo), *lane("b", fifo=fifo, times=3)), context)

    assert returned(response) == ["m-fails", "m-b"]
    assert store.items("Weights") == []
    assert store.journal("post", "e-b")["state"] == State.STARTED


@pytest.mark.parametrize("fifo", [False, True], ids=["ordered", "a group"])
@pytest.mark.parametrize("fate", ["fails", "a"])
def test_what_comes_after_a_suspect_in_its_lane_waits_for_it(
    make_consumer: Make, store: Store, context: Context, fifo: bool, fate: str
) -> None:
    """Its fate is theirs where it is deferred, and else they go on."""
    with pytest.raises(KeyboardInterrupt):
        make_consumer((Weighed, power_cut))(batch(*lane(fate, fifo=fifo, times=2)), context)
    order: list[str] = []

    def note(event: Event[Weighed], work: Work) -> None:
        order.append(event.data.parcel)
        moody(event, work)

    post = make_consumer((Weighed, note), ordered=not fifo)
    response = post(batch(*lane(fate, fifo=fifo, times=3), *lane("b", "c", fifo=fifo)), context)

    assert returned(response) == ([] if fate == "a" else ["m-fails", "m-b", "m-c"])
    assert order == (["a", "b", "c"] if fate == "a" else ["fails"])


def test_where_order_does_not_count_nobody_waits(make_consumer: Make, store: Store, context: Context) -> None:
    """A failed event of a subject is passed by the next one."""
    response = make_consumer((Weighed, moody))(batch(*lane("fails", "a", fifo=False)), context)

    assert returned(response) == ["m-fails"]
    assert [item["parcel"] for item in store.items("Weights")] == ["a"]


def test_different_subjects_are_handled_side_by_side(make_consumer: Make, store: Store, context: Context) -> None:
    """Four handlers that wait for each other: one after the other they would never end."""
    meeting = threading.Barrier(4)

    def meet(event: Event[Weighed], work: Work) -> None:
        meeting.wait(30)
        weigh(event, work)

    response = make_consumer((Weighed, meet))(together("a", "b", "c", "d", times=1), context)

    assert response == {"batchItemFailures": []}
    assert len(store.items("Weights")) == 4
