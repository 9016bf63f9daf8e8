"""Attempts: what counts against an event, what doesn't, and when it comes again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from eachonce import Consumer, Event, Reject, Retry, Wait, Work
from eachonce.journal import State

from tests import faults as wire
from tests.faults import Faults
from tests.moods import delivered, fail, later, moody, wait
from tests.parcels import Registered, Weighed, heaviest, register, registered, weigh, weighed
from tests.printed import Printed
from tests.records import Context, batch, record, returned
from tests.store import Store

Make = Callable[..., Consumer]


@pytest.mark.parametrize(("handle", "error"), [(fail, "ValueError"), (later, "Retry")])
def test_a_handlers_failure_is_counted_once_a_delivery(
    make_consumer: Make, store: Store, context: Context, handle: Any, error: str
) -> None:
    """An exception, or a word: both are the handler's own."""
    post = make_consumer((Weighed, handle))

    for times in (1, 2, 2, 3):  # the second delivery is told twice
        assert returned(post(delivered(times), context)) == ["m-1"]

    row = store.journal("post")
    assert (row["type"], row["state"], row["attempts"]) == ("Weighed", State.TRIED, 3)
    assert [entry["error"] for entry in row["errors"]] == [error] * 3


@pytest.mark.parametrize("fault", [wire.answer_lost, wire.connection_closed_after])
def test_a_failure_whose_counting_was_not_answered_counts_once(
    make_consumer: Make, store: Store, context: Context, faults: Faults, fault: wire.Fault
) -> None:
    """It is in the row, and the next delivery adds its own."""
    post = make_consumer((Weighed, fail))
    faults.next("UpdateItem", fault)

    assert returned(post(delivered(1), context)) == ["m-1"]
    assert returned(post(delivered(2), context)) == ["m-1"]

    assert store.journal("post")["attempts"] == 2


@pytest.mark.parametrize("fault", [wire.never_sent, wire.refused("AccessDeniedException"), wire.refused("Throttling")])
def test_a_failure_that_can_not_be_counted_is_tried_again(
    make_consumer: Make, store: Store, context: Context, faults: Faults, fault: wire.Fault
) -> None:
    """Better one try too many than an event that is given up for AWS's sake."""
    post = make_consumer((Weighed, fail), max_attempts=2)
    faults.next("UpdateItem", fault)

    assert returned(post(delivered(1), context)) == ["m-1"]
    assert returned(post(delivered(2), context)) == ["m-1"]

    assert store.journal("post")["attempts"] == 1
    assert store.dead_letters() == []


@pytest.mark.parametrize(
    "fault",
    [
        wire.never_sent,
        wire.refused("AccessDeniedException"),
        wire.refused("ThrottlingException"),
        wire.refused("ServiceUnavailable", status=503),
    ],
    ids=["down", "refused", "throttled", "unavailable"],
)
def test_what_aws_does_is_not_the_events_failure(
    make_consumer: Make, store: Store, context: Context, faults: Faults, fault: wire.Fault, no_naps: None
) -> None:
    """It may come again a thousand times without an attempt used up."""
    post = make_consumer((Weighed, weigh), max_attempts=1)
    for _ in range(5):
        faults.next("TransactWriteItems", fault)

    while faults.waiting:
        assert returned(post(delivered(1), context)) in (["m-1"], [])

    assert returned(post(delivered(1), context)) == []
    assert "attempts" not in store.journal("post")
    assert store.dead_letters() == []


@pytest.mark.parametrize(
    "error",
    [
        Retry("the scales are off", counted=False),
        Wait("the postman", up_to=timedelta(days=10**6)),
        ReadTimeoutError(endpoint_url="https://scales.example"),
    ],
    ids=["a word", "waiting", "a service of AWS"],
)
@pytest.mark.parametrize("times", [1, 2])
def test_what_the_handler_can_do_nothing_about_is_not_counted(
    make_consumer: Make, store: Store, context: Context, error: Exception, times: int
) -> None:
    """However often it comes, and whether or not it was marked before."""

    def say(event: Event[Weighed], work: Work) -> None:
        raise error

    post = make_consumer((Weighed, say), max_attempts=1, max_starts=1)

    for _ in range(3):
        assert returned(post(delivered(times), context)) == ["m-1"]

    row = store.journal("post")
    assert (
        row is None
        if times == 1
        else (row["state"], row.get("begun"), row.get("attempts")) == (State.TRIED, None, None)
    )
    assert store.dead_letters() == []


def answered(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Weigh")


@pytest.mark.parametrize(
    "error",
    [
        answered("ValidationException"),
        answered("AccessDeniedException"),
        answered("ResourceNotFoundException"),
        answered("ConditionalCheckFailedException"),
        answered("404", 404),
        ClientError({}, "Weigh"),
        NoCredentialsError(),
        ParamValidationError(report="no grams"),
        BotoCoreError(),
    ],
    ids=lambda error: str(error).splitlines()[0][:60],
)
@pytest.mark.parametrize("external", [False, True])
def test_a_handlers_own_call_that_aws_refuses_is_its_failure(
    make_consumer: Make, store: Store, context: Context, error: Exception, *, external: bool
) -> None:
    """As any exception: the layer knows its own calls, and this is none of them."""

    def ask(event: Event[Weighed], work: Work) -> None:
        raise error

    post = make_consumer((Weighed, ask), external=external, max_attempts=2)

    assert [returned(post(delivered(times), context)) for times in (1, 2)] == [["m-1"], []]

    (dead,) = store.dead_letters()
    assert re.fullmatch(
        r"it failed 2 times; the last time: the handler failed at test_attempts\.py:\d+", dead["notes"]["reason"]
    )
    assert dead["notes"]["error"] == type(error).__name__


@pytest.mark.parametrize(
    "error",
    [
        answered("ThrottlingException"),
        answered("SlowDown", 503),
        answered("Unheard", 500),
        answered("Unheard", 429),
        EndpointConnectionError(endpoint_url="https://scales.example"),
        ConnectTimeoutError(endpoint_url="https://scales.example"),
    ],
    ids=lambda error: str(error).splitlines()[0][:60],
)
def test_what_passes_by_awss_own_list_is_not_counted(
    make_consumer: Make, store: Store, context: Context, error: Exception
) -> None:
    """Whoever asked: the event can do nothing about a service that is busy or down."""

    def ask(event: Event[Weighed], work: Work) -> None:
        raise error

    post = make_consumer((Weighed, ask), max_attempts=1)

    assert returned(post(delivered(1), context)) == ["m-1"]
    assert store.items("Journal") == []


TOUCH: dict[str, Callable[[Work, dict[str, Any]], object]] = {
    "read": lambda work, key: work.read("Weights", key),
    "create": lambda work, key: work.create("Weights", key),
    "put": lambda work, key: work.put("Weights", key, newer_than="at", at=1),
    "add": lambda work, key: work.add("Weights", key, grams=1),
}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "the key's parcel has 0 bytes, and DynamoDB takes 1 to 2,048"),
        (b"", "the key's parcel has 0 bytes"),
        ("p" * 2049, "the key's parcel has 2,049 bytes"),
        ("é" * 1025, "the key's parcel has 2,050 bytes"),
        (True, "the key's parcel is a text, a number or bytes, not a bool"),
        (None, "not a NoneType"),
        (["p"], "not a list"),
    ],
    ids=["empty", "no bytes", "long", "wide", "a bool", "none", "a list"],
)
@pytest.mark.parametrize("touch", TOUCH)
def test_a_key_that_no_item_can_have_rejects_the_event(
    make_consumer: Make, store: Store, context: Context, faults: Faults, touch: str, value: Any, says: str
) -> None:
    """At once, before any call, in words that say what DynamoDB takes; its neighbours don't mind."""

    def handle(event: Event[Weighed], work: Work) -> None:
        TOUCH[touch](work, {"parcel": value})

    post = make_consumer((Weighed, handle), (Registered, register), concurrency=1)

    response = post(batch(record(weighed(), message_id="m-1"), record(registered(event_id="e-2"))), context)

    assert returned(response) == []
    (dead,) = store.dead_letters()
    assert says in dead["notes"]["reason"]
    assert [item["parcel"] for item in store.items("Parcels")] == ["p"]
    assert "GetItem" not in faults.calls


@pytest.mark.parametrize("touch", TOUCH)
def test_a_key_that_dynamodb_refuses_rejects_the_event(
    make_consumer: Make, store: Store, context: Context, touch: str
) -> None:
    """What only DynamoDB knows of its table is as final as what the layer knows."""

    def handle(event: Event[Weighed], work: Work) -> None:
        TOUCH[touch](work, {"wrong": "p"})

    assert returned(make_consumer((Weighed, handle))(delivered(1), context)) == []

    (dead,) = store.dead_letters()
    assert "DynamoDB refuses the" in dead["notes"]["reason"]
    assert dead["notes"]["error"] == "WorkError"


@pytest.mark.parametrize("touch", TOUCH)
def test_a_table_that_the_handler_mistypes_is_its_failure(
    make_consumer: Make, store: Store, context: Context, touch: str
) -> None:
    """Nobody but its author can mend it: counted, and then rejected with the name that is missing."""

    def handle(event: Event[Weighed], work: Work) -> None:
        TOUCH[touch](_Elsewhere(work), {"parcel": "p"})  # type: ignore[arg-type]

    post = make_consumer((Weighed, handle), max_attempts=2)

    assert [returned(post(delivered(times), context)) for times in (1, 2)] == [["m-1"], []]

    (dead,) = store.dead_letters()
    assert "TABLE_WIEGHTS is not set" in dead["notes"]["reason"]


class _Elsewhere:
    """A work whose tables all have the same wrong name."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __getattr__(self, name: str) -> Any:
        return lambda table, *given, **named: getattr(self._work, name)("Wieghts", *given, **named)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ExpiredTokenException"])
@pytest.mark.parametrize("operation", ["GetItem", "TransactWriteItems"])
def test_no_event_is_rejected_for_what_the_function_may_not_do(
    make_consumer: Make,
    store: Store,
    context: Context,
    faults: Faults,
    printed: Printed,
    operation: str,
    code: str,
) -> None:
    """A missing right or table is an operator's to mend: uncounted, and each time a warning says what is refused."""
    post = make_consumer((Weighed, heaviest), max_attempts=1)
    faults.next(operation, wire.refused(code), times=3)

    for _ in range(3):
        assert returned(post(delivered(1), context)) == ["m-1"]

    assert store.items("Journal") == []
    assert [(line["level"], line["error"]) for line in printed.logs()] == [("WARNING", code)] * 3
    assert returned(post(delivered(1), context)) == []
    assert store.item("Weights", parcel="p")["grams"] == 100


def test_who_fails_where_another_has_done_it_meanwhile_has_not_failed(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """The queue brought it twice, to two workers: nothing is counted, and the next copy finds that it is done."""

    def overtaken(event: Event[Weighed], work: Work) -> None:
        make_consumer((Weighed, weigh))(delivered(1), context)
        fail(event, work)

    post = make_consumer((Weighed, overtaken), max_attempts=1)

    assert returned(post(delivered(1), context)) == ["m-1"]
    assert "attempts" not in store.journal("post")
    assert returned(post(delivered(2), context)) == []
    assert store.item("Weights", parcel="p")["grams"] == 100
    assert store.dead_letters() == []


def test_after_its_last_attempt_an_event_is_rejected(make_consumer: Make, store: Store, context: Context) -> None:
    """With how often and why, in the dead letter and, error by error, in the journal."""
    post = make_consumer((Weighed, fail), max_attempts=3)

    assert [returned(post(delivered(times), context)) for times in (1, 2, 3)] == [["m-1"], ["m-1"], []]

    (dead,) = store.dead_letters()
    assert re.fullmatch(
        r"it failed 3 times; the last time: the handler failed at moods\.py:\d+", dead["notes"]["reason"]
    )
    assert (dead["notes"]["error"], dead["notes"]["attempts"]) == ("ValueError", "3")
    row = store.journal("post")
    assert (row["state"], row["attempts"], len(row["errors"])) == (State.REJECTED, 3, 3)
    assert row["reason"] == dead["notes"]["reason"]


def test_a_dead_letter_says_how_often_the_handler_had_failed_before(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """Also where it is the handler's last word that rejects the event."""

    def give_up(event: Event[Weighed], work: Work) -> None:
        raise Reject("no scales")

    make_consumer((Weighed, fail))(delivered(1), context)
    make_consumer((Weighed, give_up))(delivered(2), context)

    (dead,) = store.dead_letters()
    assert (dead["notes"]["reason"], dead["notes"]["attempts"]) == ("no scales", "1")


def test_what_fails_and_then_succeeds_keeps_its_story(make_consumer: Make, store: Store, context: Context) -> None:
    """Someone may ask why it took so long."""
    for times in (1, 2):
        make_consumer((Weighed, fail))(delivered(times), context)

    assert returned(make_consumer((Weighed, weigh))(delivered(3), context)) == []

    row = store.journal("post")
    assert (row["state"], row["attempts"], len(row["errors"])) == (State.DONE, 2, 2)
    assert row.keys().isdisjoint({"begun", "fence", "lease_until", "tries"})
    assert store.item("Weights", parcel="p")["grams"] == 100


def test_a_long_reason_is_no_trouble(make_consumer: Make, store: Store, context: Context) -> None:
    """A row holds 400 kilobytes: a handler that talks must not be what ends its batch."""

    def talk(event: Event[Weighed], work: Work) -> None:
        raise Retry("x" * 500_000)

    post = make_consumer((Weighed, talk), (Registered, register))

    response = post(batch(record(weighed(), message_id="m-1"), record(registered(event_id="e-2"))), context)

    assert returned(response) == ["m-1"]
    assert store.journal("post")["attempts"] == 1


def test_a_failure_that_dynamodb_will_not_take_ends_only_its_event(
    make_consumer: Make, store: Store, context: Context, faults: Faults
) -> None:
    """Whatever there is about the row."""
    faults.next("UpdateItem", wire.refused("ValidationException"))

    response = make_consumer((Weighed, moody), concurrency=1)(
        batch(record(weighed("fails", event_id="e-1"), message_id="m-1"), record(weighed(event_id="e-2"))), context
    )

    assert returned(response) == ["m-1"]
    assert store.item("Weights", parcel="p")["grams"] == 100


def test_an_early_event_waits(make_consumer: Make, store: Store, context: Context, printed: Printed) -> None:
    """Uncounted, until what it needs is there."""
    now = datetime.now(UTC)

    response = make_consumer((Weighed, wait))(delivered(1, first_received=now), context)
    assert returned(response) == ["m-1"]
    assert store.items("Journal") == []
    assert printed.counts() == {"Waiting": 1}

    assert returned(make_consumer((Weighed, weigh))(delivered(2, first_received=now), context)) == []
    assert store.item("Weights", parcel="p")["grams"] == 100


def test_an_event_that_waited_in_vain_is_rejected(make_consumer: Make, store: Store, context: Context) -> None:
    """After as long as the handler said, since it was first received."""
    long_ago = datetime.now(UTC) - timedelta(minutes=11)

    response = make_consumer((Weighed, wait))(delivered(5, first_received=long_ago), context)

    assert returned(response) == []
    (dead,) = store.dead_letters()
    assert dead["notes"]["reason"] == "waits for the postman, in vain for 0:10:00"
    assert dead["notes"]["error"] == "Wait"
    assert store.journal("post")["state"] == State.REJECTED


@pytest.mark.usefixtures("queue")
def test_a_handler_may_say_when(make_consumer: Make, context: Context, faults: Faults) -> None:
    """Then its message comes then, and it counts no less."""

    def not_before(event: Event[Weighed], work: Work) -> None:
        raise Retry("closed on Sundays", after=timedelta(hours=3))

    make_consumer((Weighed, not_before))(delivered(1), context)

    assert faults.pauses == [3 * 60 * 60]


@pytest.mark.parametrize(("first", "longest"), [(0, 3600), (3600, 0)])
@pytest.mark.usefixtures("queue")
def test_the_back_off_is_the_consumers(
    make_consumer: Make, context: Context, faults: Faults, first: int, longest: int
) -> None:
    """Its first pause, and its longest; any part of it, by chance."""
    post = make_consumer((Weighed, fail), first_pause=first, longest_pause=longest)

    post(delivered(1), context)

    assert faults.pauses == [0]
