"""Group commit: a batch's works together, and each as it would have ended alone."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from eachonce import Consumer, Event, Reject, Wait, Work, lanes
from eachonce.journal import State

from tests import faults as wire
from tests.faults import Faults
from tests.parcels import Arrived, Registered, Seen, Weighed, heaviest, register, registered, see, seen, weigh, weighed
from tests.printed import Printed
from tests.records import Context, batch, in_order, record, returned
from tests.store import Store

Make = Callable[..., Consumer]

pytestmark = pytest.mark.usefixtures("no_naps")


def weigh_and_announce(event: Event[Weighed], work: Work) -> None:
    weigh(event, work)
    work.publish(Arrived(parcel=event.data.parcel))


def see_and_announce(event: Event[Seen], work: Work) -> None:
    see(event, work)
    work.publish(Arrived(parcel=event.data.parcel))


def several(*parcels: str, **data: Any) -> dict[str, Any]:
    """Return a batch of parcels that were weighed, each another event."""
    return batch(
        *[
            record(weighed(parcel, event_id=f"e-{place}", **data), message_id=f"m-{place}")
            for place, parcel in enumerate(parcels, start=1)
        ]
    )


def weights(store: Store) -> dict[str, int]:
    return {item["parcel"]: int(item["grams"]) for item in store.items("Weights")}


def states(store: Store) -> dict[str, str]:
    return {row["pk"].rpartition("#")[2]: row["state"] for row in store.items("Journal")}


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_batch_is_one_transaction(
    make_consumer: Make, store: Store, context: Context, faults: Faults, concurrency: int
) -> None:
    """Ten events, one call, and each has its row."""
    post = make_consumer((Weighed, weigh_and_announce), concurrency=concurrency)

    response = post(several(*"abcdefghij"), context)

    assert returned(response) == []
    assert faults.calls == ["TransactWriteItems"]
    assert weights(store) == dict.fromkeys("abcdefghij", 100)
    assert set(states(store).values()) == {State.DONE}
    assert len(states(store)) == 10


def test_a_hot_item_is_written_once(make_consumer: Make, store: Store, context: Context, faults: Faults) -> None:
    """All adds to it are one."""
    make_consumer((Weighed, weigh))(several(*"pppppppppp"), context)

    ((_, request),) = faults.requests
    assert len(request["TransactItems"]) == 11
    assert weights(store) == {"p": 1000}


def test_a_large_batch_is_cut_where_a_transaction_is_full(
    make_consumer: Make, store: Store, context: Context, faults: Faults
) -> None:
    """A hundred operations each."""
    make_consumer((Weighed, weigh))(several(*[f"p-{n}" for n in range(120)]), context)

    assert [len(request["TransactItems"]) for _, request in faults.requests] == [100, 100, 40]
    assert len(weights(store)) == 120


@pytest.mark.parametrize(
    ("group_commit", "calls"),
    [("off", ["PutItem"] * 3), (None, ["PutItem"] * 3), ("calls", ["TransactWriteItems"])],
)
def test_one_write_alone_is_cheapest_alone(
    make_consumer: Make, store: Store, context: Context, faults: Faults, group_commit: Any, calls: list[str]
) -> None:
    """In a transaction it would cost two write units; who would rather make fewer calls says so."""
    post = make_consumer((Registered, register), group_commit=group_commit)

    post(batch(*[record(registered(parcel, event_id=f"e-{parcel}")) for parcel in "abc"]), context)

    assert faults.calls == calls
    assert {item["parcel"] for item in store.items("Parcels")} == set("abc")


@pytest.mark.parametrize(("named", "transactions"), [("off", 2), ("calls", 1), ("write units", 1), (None, 1)])
def test_the_environment_says_it_too(
    make_consumer: Make, store: Store, context: Context, faults: Faults, named: Any, transactions: int
) -> None:
    """Unless the consumer does."""
    store.settings = replace(store.settings, group_commit=named)

    make_consumer((Weighed, weigh))(several("a", "b"), context)

    assert faults.calls == ["TransactWriteItems"] * transactions


def test_only_the_guilty_are_refused(
    make_consumer: Make, store: Store, context: Context, faults: Faults, printed: Printed
) -> None:
    """An event that was done before is a duplicate, and its neighbours are committed together all the same."""
    post = make_consumer((Weighed, weigh))
    post(several("a"), context)
    faults.calls.clear()

    post(several("a", "b", "c"), context)

    assert faults.calls == ["TransactWriteItems"] * 3  # all, the others, and the guilty one
    assert weights(store) == {"a": 100, "b": 100, "c": 100}
    assert Counter(line["message"] for line in printed.logs()) == {"done": 3, "duplicate": 1}


def test_after_two_refusals_each_goes_alone(
    make_consumer: Make, store: Store, context: Context, faults: Faults
) -> None:
    """Whoever it is that is refused each time, the others don't wait for him."""
    cancelled = wire.canceled("ConditionalCheckFailed", *["None"] * 7)
    faults.next("TransactWriteItems", cancelled)
    faults.next("TransactWriteItems", wire.canceled("ConditionalCheckFailed", *["None"] * 5))

    response = make_consumer((Weighed, weigh))(several(*"abcd"), context)

    assert returned(response) == []
    assert len(faults.calls) == 2 + 4
    assert weights(store) == dict.fromkeys("abcd", 100)


def test_who_were_together_only_by_the_guilty_one_are_apart(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """One put stood for two that can't stand for each other: without it both are committed all the same."""

    def note(event: Event[Seen], work: Work) -> None:
        letters = dict.fromkeys(event.data.place, event.id)
        work.put("Places", {"parcel": "p"}, newer_than="at", at=event.data.at, **letters)
        work.publish(Arrived(parcel="p"))

    events = [record(seen(event_id=f"e-{at}", at=at, place=place)) for at, place in ((3, "xy"), (2, "x"), (1, "y"))]
    post = make_consumer((Seen, note), concurrency=1)
    post(batch(events[0]), context)
    store.delete("Places", parcel="p")

    post(batch(*events), context)

    assert states(store) == {"e-1": State.DONE, "e-2": State.DONE, "e-3": State.DONE}
    assert Counter(line["message"] for line in printed.logs()) == {"done": 3, "duplicate": 1}


FAULTS = {
    "answer lost": wire.answer_lost,
    "never sent": wire.never_sent,
    "conflict": wire.canceled("TransactionConflict", *["None"] * 7),
    "internal error after": wire.refused_after("InternalServerError"),
    "no such item": wire.canceled("ValidationError", *["None"] * 7),
    "refused": wire.refused("ValidationException"),
    "other reasons than operations": wire.canceled("ConditionalCheckFailed"),
}


@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_becomes_of_a_group_each_effect_is_there_once(
    make_consumer: Make, store: Store, context: Context, faults: Faults, fault: str, times: int
) -> None:
    """A group that fails is no event's failure."""
    faults.next("TransactWriteItems", FAULTS[fault], times=1 if fault != "conflict" else times)

    response = make_consumer((Weighed, weigh))(several(*"abcd"), context)

    assert returned(response) == []
    assert weights(store) == dict.fromkeys("abcd", 100)
    assert states(store) == {f"e-{n}": State.DONE for n in range(1, 5)}


def test_copies_in_one_batch_are_one_effect(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """The second finds the row of the first."""
    twice = batch(record(weighed(), message_id="m-1"), record(weighed(), message_id="m-2"))

    make_consumer((Weighed, weigh))(twice, context)

    assert weights(store) == {"p": 100}
    assert sorted(line["message"] for line in printed.logs()) == ["done", "duplicate"]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_read_sees_the_works_before_it(make_consumer: Make, store: Store, context: Context, concurrency: int) -> None:
    """They are committed first, so a handler runs once, on what its predecessors have left."""
    runs: Counter[str] = Counter()

    def note(event: Event[Weighed], work: Work) -> None:
        runs[event.id] += 1
        heaviest(event, work)

    events = [record(weighed(event_id=f"e-{n}", grams=n) | {"subject": "p"}) for n in range(1, 6)]

    make_consumer((Weighed, note), concurrency=concurrency)(batch(*events), context)

    assert weights(store) == {"p": 5}
    assert set(runs.values()) == {1}


def test_an_event_that_needs_its_neighbours_effect_finds_it(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """As it would, were each committed by itself."""

    def pay(event: Event[Seen], work: Work) -> None:
        if work.read("Weights", {"parcel": event.data.parcel}) is None:
            raise Wait("the weight", up_to=600)
        work.put("Weights", {"parcel": event.data.parcel}, paid=True)

    post = make_consumer((Weighed, weigh), (Seen, pay), concurrency=1)

    response = post(batch(record(weighed(event_id="e-1")), record(seen(event_id="e-2"))), context)

    assert returned(response) == []
    assert store.item("Weights", parcel="p")["paid"] is True


def test_a_work_that_has_read_what_a_neighbour_writes_runs_again(
    make_consumer: Make, store: Store, context: Context, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It isn't sent to lose a race."""
    monkeypatch.setattr(lanes, "MEANWHILE", timedelta(minutes=1))  # nobody else sees to what waits
    ready, read = threading.Event(), threading.Event()

    def handle(event: Event[Weighed], work: Work) -> None:
        if event.id == "e-1":
            known = work.read("Weights", {"parcel": "p"})
            read.set()
            ready.wait(10)
            work.put("Weights", {"parcel": "p"}, note="read", grams=0 if known is None else known["grams"])
            return
        read.wait(10)
        weigh(event, work)
        if event.id == "e-3":  # then e-2, which is before it in its lane, waits
            ready.set()

    of_lanes = [("p", "e-1", "one"), ("p", "e-2", "two"), ("q", "e-3", "two")]
    events = [weighed(parcel, event_id=name) | {"subject": lane} for parcel, name, lane in of_lanes]

    make_consumer((Weighed, handle), concurrency=2)(batch(*map(record, events)), context)

    assert Counter(faults.calls) == {"GetItem": 2, "TransactWriteItems": 2}
    item = store.item("Weights", parcel="p")
    assert (item["grams"], item["note"]) == (100, "read")


def test_a_read_of_what_nobody_writes_leaves_them_together(
    make_consumer: Make, context: Context, faults: Faults
) -> None:
    """There is nothing that must be committed before it."""

    def look_and_weigh(event: Event[Weighed], work: Work) -> None:
        work.read("Places", {"parcel": "p"})
        weigh(event, work)

    make_consumer((Weighed, look_and_weigh), concurrency=1)(several("a", "b", "c"), context)

    assert faults.calls == ["GetItem"] * 3 + ["TransactWriteItems"]


@pytest.mark.parametrize(
    ("waits", "alone", "calls"),
    [
        (weighed("p") | {"subject": "a"}, seen("p") | {"subject": "b"}, ["TransactWriteItems", "UpdateItem"]),
        (weighed("p") | {"subject": "a"}, seen("q") | {"subject": "a"}, ["TransactWriteItems", "UpdateItem"]),
        (weighed("p") | {"subject": "a"}, seen("q") | {"subject": "b"}, ["UpdateItem", "TransactWriteItems"]),
    ],
    ids=["one item", "one lane", "nothing in common"],
)
def test_who_is_committed_alone_comes_after_those_before_it(
    make_consumer: Make, context: Context, faults: Faults, waits: Any, alone: Any, calls: list[str]
) -> None:
    """What was to happen first happens first; others it doesn't wait for."""

    def note(event: Event[Weighed], work: Work) -> None:
        work.add("Places", {"parcel": event.data.parcel}, grams=event.data.grams)

    post = make_consumer((Weighed, note), (Seen, see), concurrency=1)

    post(batch(record(waits | {"id": "e-1"}), record(alone | {"id": "e-2"})), context)

    assert faults.calls == calls


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_of_puts_of_one_item_the_newest_is_there(
    make_consumer: Make, store: Store, context: Context, faults: Faults, order: tuple[int, ...]
) -> None:
    """One write for all, and what each publishes."""
    events = [record(seen(event_id=f"e-{at}", at=at, place=f"place {at}")) for at in order]

    make_consumer((Seen, see_and_announce), concurrency=1)(batch(*events), context)

    ((_, request),) = faults.requests
    assert len(request["TransactItems"]) == 4
    item = store.item("Places", parcel="p")
    assert (item["at"], item["place"]) == (3, "place 3")
    assert item["written_by"] == item["at_by"]
    assert all("outbox" in row for row in store.items("Journal"))


def test_puts_that_come_too_late_are_their_own_affair(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """Something newer is there: the put is dropped, and the event published all the same."""
    post = make_consumer((Seen, see_and_announce))
    post(batch(record(seen(event_id="e-9", at=9))), context)

    post(batch(*[record(seen(event_id=f"e-{at}", at=at)) for at in (1, 2)], record(seen("q", event_id="e-3"))), context)

    assert store.item("Places", parcel="p")["at"] == 9
    assert store.item("Places", parcel="q")["at"] == 1
    assert states(store) == dict.fromkeys(("e-1", "e-2", "e-3", "e-9"), State.DONE)


def test_a_put_that_met_a_newer_one_in_its_group_is_stale(
    make_consumer: Make, store: Store, context: Context, faults: Faults, printed: Printed
) -> None:
    """As it would be alone, where nothing but itself tells of it."""
    events = [record(seen(event_id=f"e-{at}", at=at)) for at in (3, 1, 2)]

    make_consumer((Seen, see), group_commit="calls", concurrency=1)(batch(*events), context)

    assert faults.calls == ["UpdateItem"]
    assert [(line["event_id"], line["message"]) for line in printed.logs()] == [
        ("e-3", "done"),
        ("e-1", "stale"),
        ("e-2", "stale"),
    ]


def test_in_a_group_of_order_only_the_last_waits(
    make_consumer: Make, store: Store, context: Context, faults: Faults
) -> None:
    """What comes after an event of its group is handled when that is done, or put off."""
    groups = [
        in_order(weighed(f"p-{n}", event_id=f"e-{n}"), group=group, message_id=f"m-{n}")
        for n, group in enumerate("ggh", start=1)
    ]

    make_consumer((Weighed, weigh), concurrency=1)(batch(*groups), context)

    assert [len(request["TransactItems"]) for _, request in faults.requests] == [2, 4]


def test_what_comes_again_is_committed_by_itself(
    make_consumer: Make, store: Store, context: Context, faults: Faults
) -> None:
    """It may be what ends its process, and takes nobody down a second time."""
    events = [record(weighed(p, event_id=p), message_id=p, receive_count=n) for p, n in (("a", 1), ("b", 1), ("c", 2))]

    make_consumer((Weighed, weigh), concurrency=1)(batch(*events), context)

    sizes = [len(r["TransactItems"]) for call, r in faults.requests if call == "TransactWriteItems"]
    assert sorted(sizes) == [2, 4]


def test_an_effect_outside_the_commit_is_committed_by_itself(
    make_consumer: Make, context: Context, faults: Faults
) -> None:
    """Between it and its commit nothing is to wait."""
    make_consumer((Weighed, weigh), external=True, concurrency=1)(several("a", "b"), context)

    assert faults.calls == ["UpdateItem", "TransactWriteItems"] * 2


@dataclass
class Clock:
    """An invocation's time, which a handler may take."""

    remaining_ms: int = 30_000
    function_name: str = "parcels"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn"
    aws_request_id: str = "r"
    taken: list[str] = field(default_factory=list)

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms

    def takes(self, ms: int) -> Callable[[Event[Weighed], Work], None]:
        def handle(event: Event[Weighed], work: Work) -> None:
            self.remaining_ms -= ms
            weigh(event, work)

        return handle


@pytest.mark.parametrize(("takes_ms", "transactions"), [(99, 1), (100, 2), (200, 2)])
def test_who_has_taken_long_is_held_no_longer(
    make_consumer: Make, faults: Faults, takes_ms: int, transactions: int
) -> None:
    """Nobody's effect waits for a slow handler."""
    clock = Clock()

    make_consumer((Weighed, clock.takes(takes_ms)), concurrency=1)(several("a", "b"), clock)

    assert faults.calls == ["TransactWriteItems"] * transactions


def test_slow_handlers_commit_what_they_can(make_consumer: Make, store: Store) -> None:
    """Up to the deadline, as if each were committed by itself."""
    clock = Clock()

    response = make_consumer((Weighed, clock.takes(9_000)), concurrency=1)(several(*"abcde"), clock)

    assert weights(store) == dict.fromkeys("abc", 100)
    assert returned(response) == ["m-4", "m-5"]


def test_who_has_taken_all_the_time_is_a_suspect(make_consumer: Make, store: Store) -> None:
    """Its handler runs alone the next time; what came after it has not begun."""
    clock = Clock()

    response = make_consumer((Weighed, clock.takes(29_500)), concurrency=1)(several("a", "b"), clock)

    row = store.journal("post", "e-1")
    assert returned(response) == ["m-1", "m-2"]
    assert row is not None
    assert (row["state"], row["type"]) == (State.STARTED, "Weighed")
    assert store.journal("post", "e-2") is None


@pytest.mark.parametrize("waiting", ["a", "ac"])
def test_what_only_waited_when_the_time_was_over_is_no_suspect(make_consumer: Make, store: Store, waiting: str) -> None:
    """It comes again, and its handler is not said to have taken all the time."""
    clock = Clock()

    def handle(event: Event[Weighed], work: Work) -> None:
        if event.data.parcel == "b":
            clock.remaining_ms = 0
            raise Reject("no parcels on Sundays")
        weigh(event, work)

    response = make_consumer((Weighed, handle), concurrency=1)(several(*waiting, "b"), clock)

    assert returned(response) == [f"m-{place}" for place in range(1, len(waiting) + 1)]
    assert weights(store) == {}
    assert store.journal("post", "e-1") is None


def test_a_neighbour_that_hangs_holds_nobody_back(make_consumer: Make, store: Store, context: Context) -> None:
    """Whoever waits for the handlers commits meanwhile what is ready."""
    there = threading.Event()

    def handle(event: Event[Weighed], work: Work) -> None:
        if event.data.parcel == "hangs":
            for _ in range(1_000):
                if weights(store) == {"a": 100, "b": 100}:
                    there.set()
                    break
                threading.Event().wait(0.01)
        weigh(event, work)

    make_consumer((Weighed, handle), concurrency=3)(several("hangs", "a", "b"), context)

    assert there.is_set()
