"""Signals: what a handler says can't be said wrong, and whatever it raises is its own event's affair."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from eachonce import Consumer, Endpoint, Event, HandlerError, Reject, Retry, Signal, UnavailableError, Wait, Work
from eachonce.journal import State

from tests.faults import Faults
from tests.parcels import Registered, Weighed, register, registered, weighed
from tests.printed import Printed
from tests.records import Context, batch, record, returned
from tests.store import Store

Make = Callable[..., Consumer]


@pytest.mark.parametrize("seconds", [30, 30.0, Decimal(30), timedelta(seconds=30)], ids=repr)
def test_a_number_is_seconds(seconds: Any) -> None:
    """Of whatever kind it is."""
    assert Retry(after=seconds).after == timedelta(seconds=30)
    assert Wait("the postman", up_to=seconds).up_to == timedelta(seconds=30)


@pytest.mark.parametrize("seconds", [0, -5, -0.5], ids=repr)
def test_a_time_that_is_over_is_one_too(seconds: Any) -> None:
    """It is what is left until something that has been."""
    assert Retry(after=seconds).after == timedelta(seconds=seconds)


@pytest.mark.parametrize(("seconds", "most"), [(10**400, timedelta.max), (-1e300, timedelta.min)], ids=["+", "-"])
def test_a_number_may_be_larger_than_any_time(seconds: Any, most: timedelta) -> None:
    """As long as there is time."""
    assert Retry(after=seconds).after == most


@pytest.mark.parametrize(
    "value",
    ["30", None, True, float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity"), 1j, [30], date(2010, 12, 1)],
    ids=str,
)
def test_what_is_no_time_is_told_at_once(value: Any) -> None:
    """Where it is said, and in words that say what would be one."""
    with pytest.raises(HandlerError, match="a timedelta, or a number of seconds"):
        Wait("the postman", up_to=value)
    if value is not None:
        with pytest.raises(HandlerError, match="a timedelta, or a number of seconds"):
            Retry(after=value)


@pytest.mark.parametrize("signal", [Reject, Retry, lambda value: Wait(value, up_to=1)], ids=["Reject", "Retry", "Wait"])
@pytest.mark.parametrize("value", [ValueError("p"), 5, None, b"why", timedelta(1)], ids=repr)
def test_a_reason_is_a_text(signal: Callable[[Any], Signal], value: Any) -> None:
    """Anything else is told at once, and not repeated."""
    with pytest.raises(HandlerError, match=f"is a text, not a {type(value).__name__}"):
        signal(value)


def test_whether_it_counts_is_yes_or_no() -> None:
    """What else might mean either."""
    with pytest.raises(HandlerError, match="counted is True or False"):
        Retry("why", counted="no")  # type: ignore[arg-type]


def test_a_word_may_stand_alone() -> None:
    """`raise Reject` is a decision, too."""
    assert Reject().reason == "the handler gave no reason"
    assert Retry().reason == "the handler asked for another try"
    assert Wait(up_to=30).reason == "waits for what it needs"


class Mute(Reject):
    """A signal whose author forgot the base class."""

    def __init__(self) -> None:
        pass


class Hurried(Retry):
    """Likewise."""

    def __init__(self) -> None:
        self.counted = True


class Endless(Wait):
    """Likewise: nobody knows how long it waits."""

    def __init__(self) -> None:
        pass


class Trapped(Reject):
    """A signal that can't be read."""

    @property
    def reason(self) -> str:  # type: ignore[override]
        raise ValueError("no reason")

    @reason.setter
    def reason(self, value: str) -> None:
        pass


class UnspeakableError(Exception):
    """An error without a text."""

    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


def changed(signal: Signal, **attributes: Any) -> Signal:
    """Return a signal that somebody has spoilt since it was made."""
    for name, value in attributes.items():
        setattr(signal, name, value)
    return signal


RAISED: dict[str, Callable[[], BaseException]] = {
    "Reject of an error": lambda: Reject(ValueError("p")),  # type: ignore[arg-type]
    "Reject of a number": lambda: Reject(5),  # type: ignore[arg-type]
    "Retry after a text": lambda: Retry(after="soon"),  # type: ignore[arg-type]
    "Retry after nothing that is": lambda: Retry(after=float("nan")),
    "Wait for ever": lambda: Wait("the postman", up_to=float("inf")),
    "Wait without an end": lambda: Wait("the postman"),  # type: ignore[call-arg]
    "Wait spoilt": lambda: changed(Wait("the postman", up_to=30), up_to="Sunday"),
    "Wait of its own": Endless,
    "Retry spoilt": lambda: changed(Retry("why"), after=[30]),
    "Reject spoilt": lambda: changed(Reject("why"), reason=ValueError("p")),
    "Reject trapped": lambda: Trapped("why"),
    "no signal at all": lambda: Signal("why"),
    "unspeakable": UnspeakableError,
    "a group": lambda: ExceptionGroup("two", [Reject("why"), Retry("why")]),
}


def raising(make: Callable[[], BaseException]) -> Callable[[Event[Any], Work], None]:
    def handle(event: Event[Any], work: Work) -> None:
        raise make()

    return handle


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("external", [False, True])
@pytest.mark.parametrize("kind", RAISED)
@pytest.mark.usefixtures("queue")
def test_what_can_not_be_meant_is_the_handlers_failure(
    make_consumer: Make, store: Store, context: Context, printed: Printed, kind: str, *, external: bool, times: int
) -> None:
    """Counted, logged, and its neighbour is done."""
    post = make_consumer((Weighed, raising(RAISED[kind])), (Registered, register), external=external)

    response = post(
        batch(
            record(weighed(), message_id="m-1", receive_count=times),
            record(registered(event_id="e-2"), message_id="m-2", receive_count=times),
        ),
        context,
    )

    assert returned(response) == ["m-1"]
    assert store.item("Parcels", parcel="p")["sender"] == "Ada"
    row = store.journal("post")
    assert (row["state"], row["attempts"]) == (State.TRIED, 1)
    assert [line["message"] for line in printed.logs() if line["event_id"] == "e-1"] == ["retry"]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Reject, "the handler gave no reason"),
        (lambda: Reject(""), "the handler gave no reason"),
        (Mute, "the handler gave no reason"),
        (lambda: Reject("why"), "why"),
        (lambda: Reject("\ud800 why"), "? why"),
        (lambda: Reject("why " * 1000), ("why " * 1000)[:1023] + "…"),
        (lambda: Wait("the postman", up_to=-5), "waits for the postman, in vain for -1 day, 23:59:55"),
    ],
    ids=["the word", "empty", "mute", "a reason", "half a character", "a talker", "in vain"],
)
def test_a_rejection_has_a_reason(make_consumer: Make, store: Store, context: Context, make: Any, reason: str) -> None:
    """Its own, in characters that every queue takes, or a word that there is none."""
    response = make_consumer((Weighed, raising(make)))(batch(record(weighed())), context)

    assert returned(response) == []
    assert store.journal("post")["reason"] == reason
    assert len(store.dead_letters()) == 1


def test_a_wait_is_as_long_as_its_message_is_old(make_consumer: Make, store: Store, context: Context) -> None:
    """Up to its end the event comes again, and then it is rejected."""
    post = make_consumer((Weighed, raising(lambda: Wait("the postman", up_to=3_600))))

    response = post(
        batch(
            record(weighed(event_id="e-1"), message_id="m-1", first_received=datetime.now(UTC)),
            record(weighed(event_id="e-2"), first_received=datetime.now(UTC) - timedelta(hours=2)),
        ),
        context,
    )

    assert returned(response) == ["m-1"]
    assert [letter["notes"]["event_id"] for letter in store.dead_letters()] == ["e-2"]


@pytest.mark.parametrize(
    ("make", "seconds"),
    [(lambda: Retry(after=30), 30), (lambda: Retry(after=-5), 0), (lambda: Retry("why", after=29.6), 30)],
    ids=["seconds", "over", "parts"],
)
@pytest.mark.usefixtures("queue")
def test_seconds_are_kept_to(make_consumer: Make, context: Context, faults: Faults, make: Any, seconds: int) -> None:
    """As a timedelta's are."""
    make_consumer((Weighed, raising(make)))(batch(record(weighed(), message_id="m-1")), context)

    assert faults.pauses == [seconds]


@pytest.mark.parametrize("name", ["first_pause", "longest_pause", "reserve"])
def test_a_consumers_times_are_said_in_the_same_way(name: str) -> None:
    """And what is no time is told before there is an event."""
    Consumer("post", **{name: 2})  # type: ignore[arg-type]

    with pytest.raises(HandlerError, match=f"{name} is a timedelta, or a number of seconds"):
        Consumer("post", **{name: "2"})  # type: ignore[arg-type]


@pytest.mark.usefixtures("queue")
def test_a_consumers_pause_may_be_seconds(make_consumer: Make, context: Context, faults: Faults) -> None:
    """Of any back-off."""
    post = make_consumer((Weighed, raising(Hurried)), first_pause=0, longest_pause=0)

    post(batch(record(weighed())), context)

    assert faults.pauses == [0]


def test_a_signal_of_ones_own_needs_no_base(make_consumer: Make, store: Store, context: Context) -> None:
    """What it doesn't say is as if it had been left out."""
    response = make_consumer((Weighed, raising(Hurried)))(batch(record(weighed(), message_id="m-1")), context)

    assert returned(response) == ["m-1"]
    assert store.journal("post")["errors"][0]["reason"] == "the handler asked for another try"


def test_the_reason_says_what_was_said_wrong(make_consumer: Make, store: Store, context: Context) -> None:
    """Who reads it needs no log."""
    make_consumer((Weighed, raising(RAISED["Reject of an error"])))(batch(record(weighed())), context)

    (error,) = store.journal("post")["errors"]
    assert (error["error"], error["reason"]) == ("HandlerError", "a Reject's reason is a text, not a ValueError")


@pytest.mark.parametrize("kind", RAISED)
def test_a_caller_is_answered_whatever_is_raised(store: Store, context: Context, kind: str) -> None:
    """Now it can't be handled; the caller may try again."""
    counter = Endpoint("counter", aws=store.aws, settings=store.settings)
    counter.on(Weighed)(raising(RAISED[kind]))

    with pytest.raises(UnavailableError):
        counter({"parcel": "p"}, context)


def test_what_fails_before_the_handler_is_its_events_affair(
    make_consumer: Make, store: Store, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is: a mistake of the layer's own costs no neighbour anything."""
    post = make_consumer((Weighed, raising(Mute)), (Registered, register))
    mark = post.execution.mark

    def spoilt(event: Event[Any]) -> Any:
        if event.type == "Weighed":
            raise ZeroDivisionError
        return mark(event)

    monkeypatch.setattr(post.execution, "mark", spoilt)

    response = post(batch(record(weighed(), message_id="m-1"), record(registered(event_id="e-2"))), context)

    assert returned(response) == ["m-1"]
    assert [item["parcel"] for item in store.items("Parcels")] == ["p"]
