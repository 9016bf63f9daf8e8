"""The report: what operators read of an outcome, and how much of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from eachonce import Consumer, Event, Work
from eachonce.journal import State

from tests.parcels import Arrived, Weighed, weigh, weighed
from tests.printed import Printed
from tests.records import Context, batch, record, returned
from tests.store import Store

Make = Callable[..., Consumer]

LONG = "x" * 470_000


@pytest.mark.parametrize("attribute", ["subject", "causationid", "correlationid", "tenant", "sequence", "dataschema"])
@pytest.mark.parametrize("parcel", ["p", "fails"])
def test_an_attribute_of_an_event_does_not_fill_the_log(
    make_consumer: Make, context: Context, printed: Printed, attribute: str, parcel: str
) -> None:
    """Whatever it is, a line is one that a person reads."""

    def handle(event: Event[Weighed], work: Work) -> None:
        if event.data.parcel == "fails":
            raise ValueError("the scales are broken")
        weigh(event, work)

    make_consumer((Weighed, handle))(batch(record(weighed(parcel) | {attribute: LONG})), context)

    (line,) = printed.logs()
    assert len(json.dumps(line)) < 8_000
    assert line["event_id"] == "e-1"


def test_what_is_cut_says_so(make_consumer: Make, context: Context, printed: Printed) -> None:
    """And keeps its beginning, by which people look for it."""
    make_consumer((Weighed, weigh))(batch(record(weighed() | {"subject": "ab" * 9000})), context)

    (line,) = printed.logs()
    assert line["subject"] == "ab" * 127 + "a…"


def test_whole_names_are_kept(make_consumer: Make, context: Context, printed: Printed) -> None:
    """Of the length that ids and types may have."""
    event = weighed(event_id="i" * 256) | {"subject": "s" * 256, "causationid": "c" * 256}

    make_consumer((Weighed, weigh))(batch(record(event, message_id="m" * 100)), context)

    (line,) = printed.logs()
    assert [line[name] for name in ("event_id", "subject", "causationid", "message_id")] == [
        "i" * 256,
        "s" * 256,
        "c" * 256,
        "m" * 100,
    ]


def test_a_handler_that_says_much_does_not_fill_the_log(
    make_consumer: Make, context: Context, printed: Printed
) -> None:
    """Nor do all the errors that led to its last."""

    def talk(event: Event[Weighed], work: Work) -> None:
        error = ValueError(LONG)
        error.add_note(LONG)
        raise error from KeyError(LONG)

    make_consumer((Weighed, talk))(batch(record(weighed())), context)

    (line,) = printed.logs()
    assert len(json.dumps(line)) < 40_000
    assert "in talk" in line["exception"]


def test_an_endless_recursion_does_not_fill_the_log(make_consumer: Make, context: Context, printed: Printed) -> None:
    """Where it ended is told."""

    def one(work: Work) -> None:
        other(work)

    def other(work: Work) -> None:
        one(work)

    make_consumer((Weighed, lambda event, work: one(work)))(batch(record(weighed())), context)

    (line,) = printed.logs()
    assert len(json.dumps(line)) < 40_000
    assert line["exception_name"] == "RecursionError"


@pytest.mark.parametrize("hops", [33, 34, 1000, 10**3000])
def test_an_event_too_far_from_its_first_cause_is_rejected(
    make_consumer: Make, store: Store, context: Context, hops: int
) -> None:
    """A loop of consumers would go round for ever; the reason tells the chain, as far as the event knows it."""
    chain = {"causationid": "e-32", "correlationid": "e-0"}

    response = make_consumer((Weighed, weigh))(batch(record(weighed() | {"hops": hops, **chain})), context)

    assert returned(response) == []
    assert store.items("Weights") == []
    (dead,) = store.dead_letters()
    assert dead["notes"]["reason"] == (
        "it is more than 32 hops from its first cause: do consumers answer each other for ever? "
        "e-1 was caused by e-32, and all of it by e-0"
    )
    assert store.journal("post")["state"] == State.REJECTED


@pytest.mark.parametrize("hops", [0, 1, 32])
def test_an_event_within_32_hops_is_handled(make_consumer: Make, store: Store, context: Context, hops: int) -> None:
    """A long way, and still one."""
    make_consumer((Weighed, weigh))(batch(record(weighed() | {"hops": hops})), context)

    assert store.item("Weights", parcel="p")["grams"] == 100


@pytest.mark.parametrize(
    ("chain", "says"),
    [
        ({}, "e-1 was caused by an event that it doesn't name"),
        ({"causationid": "e-32"}, "e-1 was caused by e-32"),
        ({"correlationid": "e-0"}, "e-1 was caused by an event that it doesn't name, and all of it by e-0"),
        ({"causationid": "c" * 470_000}, "e-1 was caused by " + "c" * 255 + "…"),
        ({"correlationid": "c" * 470_000}, ", and all of it by " + "c" * 255 + "…"),
        ({"causationid": "e\n-32"}, "e-1 was caused by e?-32"),
    ],
    ids=["unknown", "the last", "the first", "long", "long since", "odd"],
)
def test_the_chain_is_told_as_far_as_it_is_known(
    make_consumer: Make, store: Store, context: Context, chain: dict[str, Any], says: str
) -> None:
    """In a reason that every queue takes."""
    make_consumer((Weighed, weigh))(batch(record(weighed() | {"hops": 33, **chain})), context)

    (dead,) = store.dead_letters()
    assert dead["notes"]["reason"].endswith(says)


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_loop_of_consumers_ends(make_consumer: Make, store: Store, context: Context, times: int) -> None:
    """The last event that is handled is the thirty-second after the first; however often each is delivered."""
    from eachonce.event import decode
    from eachonce.journal import unpack_outbox

    def echo(event: Event[Weighed], work: Work) -> None:
        work.publish(Weighed(parcel=event.data.parcel))

    post = make_consumer((Weighed, echo), (Arrived, echo))
    event, handled = json.dumps(weighed()), 0
    for _ in range(40):
        for _ in range(times):
            assert returned(post(batch(record(event)), context)) == []
        row = store.journal("post", json.loads(event)["id"])
        if row["state"] == State.REJECTED:
            break
        handled += 1
        (published,) = unpack_outbox(row["outbox"])
        assert decode(published).hops == handled
        event = bytes(published).decode()

    assert handled == 33
    assert len(store.dead_letters()) == times
