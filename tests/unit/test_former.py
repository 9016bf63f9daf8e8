"""Rows and marks from before an event's source was a part of its identity: nothing is applied anew for their sake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from eachonce import AwsError, Consumer, Contract, Endpoint, Event, UnavailableError, Work
from eachonce.former import former_fingerprint, former_key, former_mark
from eachonce.journal import RETENTION, State
from eachonce.listener import unwrap

from tests import faults as wire
from tests.faults import Faults
from tests.parcels import Registered, Seen, Weighed, announce, register, registered, see, seen, weigh, weighed
from tests.printed import Printed
from tests.records import Context, batch, record, returned
from tests.store import Store

NOON = datetime(2010, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(store: Store) -> Store:
    """A stack that was there before."""
    store.settings = replace(store.settings, former_rows=True)
    return store


@pytest.fixture
def post(store: Store) -> Consumer:
    post = Consumer("post", aws=store.aws, settings=store.settings)
    post.on(Weighed)(weigh)
    post.on(Registered)(register)
    post.on(Seen)(see)
    return post


def put_former(store: Store, event: dict[str, Any], *, consumer: str = "post", state: State, **attributes: Any) -> None:
    """Write an event's row as it was then."""
    raw = unwrap(record(event)["body"])
    row = {"pk": former_key(consumer, raw.id), "state": state, "fingerprint": former_fingerprint(raw)}
    store.put("Journal", **row, **attributes)


def test_what_was_done_then_is_a_duplicate_now(
    post: Consumer, store: Store, context: Context, printed: Printed
) -> None:
    """A copy that comes for the first time, and one that comes again."""
    put_former(store, weighed(), state=State.DONE)

    post(batch(record(weighed()), record(weighed(), receive_count=2), record(weighed(event_id="e-2"))), context)

    assert store.item("Weights", parcel="p")["grams"] == 100
    assert printed.counts() == {"Duplicate": 2, "Done": 1}


def test_a_row_of_then_is_read_by_the_rules_of_then() -> None:
    """The key, the digest and the mark of the first version, to the letter."""
    event = unwrap(record(weighed(event_id="a#b"))["body"])

    assert former_key("post", event.id) == "post#a#b"
    assert former_fingerprint(event) == "6b2892598d697af30948ff3e"
    assert former_mark("post", event) == "post#a%23b#6b2892598d697af30948ff3e"


def test_another_sources_row_of_then_is_no_reason_to_refuse(
    post: Consumer, store: Store, context: Context, printed: Printed
) -> None:
    """Its content differs, so it is another event's: it doesn't count."""
    put_former(store, weighed(grams=7), state=State.DONE)

    post(batch(record(weighed())), context)

    assert printed.counts() == {"Done": 1}


def test_what_only_failed_then_is_handled_now(post: Consumer, store: Store, context: Context, printed: Printed) -> None:
    """Its attempts count afresh."""
    put_former(store, weighed(), state=State.TRIED, attempts=9)

    post(batch(record(weighed(), receive_count=10)), context)

    assert printed.counts() == {"Done": 1}


@pytest.mark.parametrize(
    ("table", "key", "event", "by"),
    [
        ("Parcels", "parcel", registered(), {"created_by": True}),
        ("Places", "parcel", seen(), {"at": 1, "at_by": True}),
    ],
    ids=["created", "put"],
)
def test_an_item_that_was_written_then_is_known(
    post: Consumer, store: Store, context: Context, table: str, key: str, event: dict[str, Any], by: dict[str, Any]
) -> None:
    """A single guarded write left no row, and its mark stays for good: the event changes nothing, and isn't refused."""
    mark = former_mark("post", unwrap(record(event)["body"]))
    marked = {name: mark if value is True else value for name, value in by.items()}
    store.put(table, **{key: "p"}, **marked, written_by=mark, place="Leeds")

    response = post(batch(record(event)), context)

    assert response == {"batchItemFailures": []}
    assert store.dead_letters() == []
    assert store.item(table, **{key: "p"})["place"] == "Leeds"


def test_an_endpoint_answers_what_it_answered_then(store: Store, context: Context) -> None:
    """The caller sends its request again across a deploy."""
    place = Endpoint("place", aws=store.aws, settings=store.settings)

    @place.on(Weighed)
    def answer(event: Event[Weighed], work: Work) -> None:
        raise AssertionError

    request = {"parcel": "p"}
    event = {**weighed(event_id="p"), "data": request}
    put_former(store, event, consumer="place", state=State.DONE, result='{"parcel":"p"}')

    assert place(request, context) == {"outcome": "duplicate", "parcel": "p"}


# Effects outside the commit


def sending(store: Store, contract: type[Contract] = Weighed, **options: Any) -> tuple[Consumer, list[str]]:
    letters: list[str] = []
    post = Consumer("post", aws=store.aws, settings=store.settings)

    @post.on(contract, external=True, **options)
    def send(event: Event[Any], work: Work) -> None:
        letters.append(work.idempotency_key)

    return post, letters


def test_an_effect_that_was_begun_then_keeps_its_key(store: Store, context: Context) -> None:
    """Its receiver has heard of it under that key, if at all."""
    put_former(store, weighed(), state=State.STARTED, lease_until=1, fence="1-f")
    post, letters = sending(store)

    post(batch(record(weighed()), record(weighed(event_id="e-2"))), context)

    assert sorted(letters) == ["post##post#e-2", "post#e-1"]


def test_an_effect_that_was_begun_then_is_uncertain(store: Store, context: Context) -> None:
    """It is left to a person where the handler says so."""
    put_former(store, weighed(), state=State.STARTED, lease_until=1, fence="1-f")
    post, letters = sending(store, uncertain="reject")

    assert post(batch(record(weighed())), context) == {"batchItemFailures": []}

    assert letters == []
    assert len(store.dead_letters()) == 1


def test_a_worker_of_then_is_waited_for(store: Store, context: Context) -> None:
    """While its lease lasts it may be at work."""
    until = (NOON + timedelta(seconds=30)).timestamp() * 1000
    put_former(store, weighed(), state=State.STARTED, lease_until=int(until), fence="1-f")
    post, letters = sending(store)

    with time_machine.travel(NOON, tick=False):
        response = post(batch(record(weighed(), message_id="m-1")), context)

    assert returned(response) == ["m-1"]
    assert letters == []


# What it costs


def test_a_batch_costs_one_read(post: Consumer, context: Context, faults: Faults) -> None:
    """Of as many rows as there are events."""
    post(batch(*[record(weighed(f"p-{number}", event_id=f"e-{number}")) for number in range(10)]), context)

    assert sorted(faults.calls) == ["BatchGetItem", "TransactWriteItems"]


def test_a_stack_without_a_past_reads_nothing(store: Store, context: Context, faults: Faults) -> None:
    """JOURNAL_FORMER_ROWS=none says so."""
    store.settings = replace(store.settings, former_rows=False)
    post = Consumer("post", aws=store.aws, settings=store.settings)
    post.on(Weighed)(announce)

    post(batch(record(weighed())), context)

    assert faults.calls == ["PutItem"]


@pytest.mark.parametrize("fault", [wire.never_sent, wire.answer_lost, wire.refused("ThrottlingException")])
def test_what_can_not_be_asked_is_not_risked(
    post: Consumer, store: Store, context: Context, faults: Faults, fault: Callable[..., Any]
) -> None:
    """All events come again: any of them may have been done then."""
    faults.next("BatchGetItem", fault)

    response = post(batch(record(weighed(), message_id="m-1"), record("not JSON", message_id="m-2")), context)

    assert returned(response) == ["m-1"]
    assert store.items("Weights") == []
    assert len(store.dead_letters()) == 1


def test_an_endpoint_that_can_not_ask_tells_its_caller(store: Store, context: Context, faults: Faults) -> None:
    """The same request may be sent again."""
    place = Endpoint("place", aws=store.aws, settings=store.settings)
    place.on(Weighed)(weigh)
    faults.next("BatchGetItem", wire.never_sent)

    with pytest.raises(UnavailableError) as raised:
        place({"parcel": "p"}, context)

    assert isinstance(raised.value.__cause__, AwsError)
    assert store.items("Weights") == []


def test_rows_of_then_are_gone_when_none_can_matter() -> None:
    """The switch is safe once the last of them has expired."""
    assert timedelta(days=35) == RETENTION
