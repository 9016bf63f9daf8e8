"""The consumer: a batch of an SQS queue, each event by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from eachonce import Consumer, Contract, EachonceError, Event, Rate, Retry, Settings, Work
from eachonce.identity import derived_id
from eachonce.journal import State, unpack_outbox
from eachonce.publisher import MAX_BYTES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import faults as wire
from tests.faults import Faults
from tests.moods import delivered, fail, moody, power_cut, refuse, together
from tests.parcels import (
    Arrived,
    Registered,
    Seen,
    Weighed,
    announce,
    heaviest,
    register,
    registered,
    see,
    seen,
    weigh,
    weigh_and_announce,
    weighed,
)
from tests.printed import Printed
from tests.records import Context, batch, cloud_event, in_order, on_the_bus, record, returned
from tests.store import Store

Make = Callable[..., Consumer]


def test_events_take_effect_and_their_messages_go(make_consumer: Make, store: Store, context: Context) -> None:
    """The happy path: all done, nothing returned."""
    post = make_consumer((Registered, register), (Seen, see), (Weighed, weigh))

    response = post(
        batch(
            record(on_the_bus(registered(event_id="e-1"))),
            record(on_the_bus(seen(event_id="e-2", place="York"))),
            record(on_the_bus(weighed(event_id="e-3", grams=250))),
        ),
        context,
    )

    assert response == {"batchItemFailures": []}
    assert store.item("Parcels", parcel="p")["sender"] == "Ada"
    assert store.item("Places", parcel="p")["place"] == "York"
    assert store.item("Weights", parcel="p")["grams"] == 250


def test_an_empty_batch_is_done(make_consumer: Make, context: Context, printed: Printed) -> None:
    """Nothing to do, nothing to say, nothing to count."""
    response = make_consumer((Weighed, weigh))(batch(), context)

    assert response == {"batchItemFailures": []}
    assert printed.lines() == []


def test_copies_in_one_batch_take_effect_once(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """The bus delivers at least once: two messages, one event."""
    post = make_consumer((Weighed, weigh))

    response = post(batch(*[record(on_the_bus(weighed())) for _ in range(3)]), context)

    assert response == {"batchItemFailures": []}
    assert store.item("Weights", parcel="p")["grams"] == 100
    assert printed.counts() == {"Done": 1, "Duplicate": 2}


def test_copies_in_other_batches_take_effect_once(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """Nor does another worker's process know more than the journal does."""
    for _ in range(3):
        make_consumer((Weighed, weigh))(batch(record(weighed())), context)

    assert store.item("Weights", parcel="p")["grams"] == 100
    assert printed.counts() == {"Done": 1, "Duplicate": 2}


def test_each_consumer_handles_an_event_for_itself(make_consumer: Make, store: Store, context: Context) -> None:
    """One's mark is not the other's."""
    make_consumer((Weighed, weigh), name="post")(batch(record(weighed())), context)
    make_consumer((Weighed, weigh), name="bank")(batch(record(weighed())), context)

    assert store.item("Weights", parcel="p")["grams"] == 200


@pytest.mark.parametrize("name", ["a#b", "a/b", ""])
def test_a_consumers_name_can_not_look_like_a_part_of_a_key(name: str) -> None:
    """`a#b` with event `c` and `a` with event `b#c` would share a row."""
    with pytest.raises(ValueError, match="name"):
        Consumer(name)


@pytest.mark.parametrize(
    ("handlers", "first", "second"),
    [
        ((Weighed, weigh), weighed(grams=1), weighed(grams=2)),
        ((Registered, register), registered(), registered(sender="Bob")),
        ((Seen, see), seen(at=1), seen(at=2)),
    ],
    ids=["journaled", "create", "newer"],
)
def test_an_id_with_other_content_goes_to_the_dead_letters(
    make_consumer: Make,
    store: Store,
    context: Context,
    handlers: Any,
    first: dict[str, Any],
    second: dict[str, Any],
) -> None:
    """It would be lost as a duplicate, and applied it would be a second effect: a person decides."""
    response = make_consumer(handlers, concurrency=1)(batch(record(first), record(second)), context)

    assert response == {"batchItemFailures": []}
    (dead,) = store.dead_letters()
    assert json.loads(dead["Body"]) == second
    assert dead["notes"]["reason"] == "the event id was used before with different content"


def test_a_failing_neighbour_changes_nothing(make_consumer: Make, store: Store, context: Context) -> None:
    """Failed, refused, malformed and unknown events between two others: each has its own fate."""
    records = [
        record(weighed("a", event_id="e-1"), message_id="m-1"),
        record(weighed("fails", event_id="e-2"), message_id="m-2"),
        record(weighed("refused", event_id="e-3"), message_id="m-3"),
        record("not JSON", message_id="m-4"),
        record(cloud_event("Unheard", {}, event_id="e-5"), message_id="m-5"),
        record(weighed("later", event_id="e-6"), message_id="m-6"),
        record(weighed("b", event_id="e-7"), message_id="m-7"),
    ]

    response = make_consumer((Weighed, moody))(batch(*records), context)

    assert returned(response) == ["m-2", "m-6"]
    assert {item["parcel"] for item in store.items("Weights")} == {"a", "b"}
    assert len(store.dead_letters()) == 3


def test_a_failed_event_is_tried_again_and_leaves_nothing_until_it_succeeds(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """A handler that fails has had no effect; that it failed is all that is known of it."""

    def write_and_fail(event: Event[Weighed], work: Work) -> None:
        weigh_and_announce(event, work)
        raise ValueError

    message = record(weighed(), message_id="m-1")

    assert returned(make_consumer((Weighed, write_and_fail))(batch(message), context)) == ["m-1"]
    assert store.items("Weights") == []
    row = store.journal("post")
    assert (row["state"], row["attempts"], "outbox" in row) == (State.TRIED, 1, False)

    assert returned(make_consumer((Weighed, weigh_and_announce))(batch(message), context)) == []
    assert store.item("Weights", parcel="p")["grams"] == 100


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"parcel": 5}, "parcel"),
        ({"parcel": "p", "grams": "heavy"}, "grams"),
        ({}, "parcel"),
        ([], "array"),
        (None, "null"),
    ],
)
def test_data_that_breaks_its_contract_is_rejected(
    make_consumer: Make, store: Store, context: Context, data: Any, says: str
) -> None:
    """No try will mend it: to the dead letters at once, with the field's name."""
    response = make_consumer((Weighed, weigh))(batch(record(cloud_event("Weighed", data))), context)

    assert response == {"batchItemFailures": []}
    (dead,) = store.dead_letters()
    assert says in dead["notes"]["reason"]
    assert dead["notes"]["error"] == "ContractError"


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    "data",
    ['{"parcel": "p", "extra": 1e99999999999999999999}', '{"parcel": "p", "extra": ' + "9" * 5000 + "}"],
    ids=["an endless number", "a long number"],
)
def test_json_that_nobody_can_read_is_rejected(make_consumer: Make, store: Store, context: Context, data: str) -> None:
    """In a field that the contract doesn't know, too: a poison message must not come back until it expires."""
    body = json.dumps(cloud_event("Weighed", "here")).replace('"here"', data)

    assert make_consumer((Weighed, weigh))(batch(record(body)), context) == {"batchItemFailures": []}
    assert len(store.dead_letters()) == 1


@given(levels=st.integers(900, 1100))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_nesting_ends_in_an_effect_or_in_a_reason(
    make_consumer: Make, store: Store, context: Context, levels: int
) -> None:
    """There is no depth at which a message is neither read nor rejected."""
    body = json.dumps(cloud_event("Weighed", {"parcel": "p", "extra": "here"})).replace('"here"', deep(levels))

    assert make_consumer((Weighed, weigh))(batch(record(body)), context) == {"batchItemFailures": []}


def test_an_unknown_type_is_rejected_with_that_reason(make_consumer: Make, store: Store, context: Context) -> None:
    """A rule that sends too much, or a handler that was forgotten: either way someone must know."""
    make_consumer((Weighed, weigh))(batch(record(cloud_event("Unheard", {}))), context)

    (dead,) = store.dead_letters()
    assert dead["notes"]["reason"] == "post has no handler for events of this type"


def test_an_unknown_type_may_be_ignored(make_consumer: Make, store: Store, context: Context, printed: Printed) -> None:
    """Where a queue is fed by a rule wider than its consumer."""
    post = make_consumer((Weighed, weigh), unknown="ignore")

    response = post(batch(record(cloud_event("Unheard", {})), record(weighed())), context)

    assert response == {"batchItemFailures": []}
    assert store.dead_letters() == []
    assert printed.counts() == {"Ignored": 1, "Done": 1}


def test_a_body_may_be_too_large(make_consumer: Make, store: Store, context: Context) -> None:
    """A consumer may take less than SQS does."""
    post = make_consumer((Weighed, weigh), max_body_bytes=200)

    post(batch(record(weighed("p" * 200)), record(weighed("q", event_id="e-2"))), context)

    (dead,) = store.dead_letters()
    assert "at most 200" in dead["notes"]["reason"]
    assert [item["parcel"] for item in store.items("Weights")] == ["q"]


@pytest.mark.parametrize("first", ["fails", "later"])
def test_a_group_stops_at_its_first_failure(
    make_consumer: Make, store: Store, context: Context, first: str, printed: Printed
) -> None:
    """Its messages are to come again in order; other groups go on.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    response = make_consumer((Weighed, moody))(
        batch(
            in_order(weighed("a", event_id="e-1"), group="g", message_id="m-1"),
            in_order(weighed(first, event_id="e-2"), group="g", message_id="m-2"),
            in_order(weighed("b", event_id="e-3"), group="h", message_id="m-3"),
            in_order(weighed("c", event_id="e-4"), group="g", message_id="m-4"),
            in_order("not JSON", group="g", message_id="m-5"),
            in_order(weighed("d", event_id="e-6"), group="h", message_id="m-6"),
        ),
        context,
    )

    assert returned(response) == ["m-2", "m-4", "m-5"]
    assert {item["parcel"] for item in store.items("Weights")} == {"a", "b", "d"}
    assert store.dead_letters() == []
    assert printed.counts() == {"Done": 3, "Retried": 3}


def test_a_rejected_message_does_not_stop_its_group(make_consumer: Make, store: Store, context: Context) -> None:
    """It is done with: to wait for it would be to wait for ever."""
    store.settings = fifo_dead_letters(store)
    post = make_consumer((Weighed, moody))

    response = post(
        batch(
            in_order(weighed("refused", event_id="e-1"), group="g", message_id="m-1"),
            in_order(weighed("a", event_id="e-2"), group="g", message_id="m-2"),
        ),
        context,
    )

    assert response == {"batchItemFailures": []}
    assert [item["parcel"] for item in store.items("Weights")] == ["a"]
    (dead,) = store.dead_letters()
    assert (dead["Attributes"]["MessageGroupId"], dead["Attributes"]["MessageDeduplicationId"]) == ("g", "m-1")


def fifo_dead_letters(store: Store) -> Settings:
    queue = store.aws.sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    return Settings(tables=store.settings.tables, source="post", dead_letter_queue_url=queue)


def test_groups_of_a_standard_queue_do_not_stop(make_consumer: Make, store: Store, context: Context) -> None:
    """They are for fairness, and promise no order."""
    response = make_consumer((Weighed, moody))(
        batch(
            record(weighed("fails", event_id="e-1"), group="g", message_id="m-1"),
            record(weighed("a", event_id="e-2"), group="g", message_id="m-2"),
        ),
        context,
    )

    assert returned(response) == ["m-1"]
    assert [item["parcel"] for item in store.items("Weights")] == ["a"]


def test_a_lost_race_is_run_again(make_consumer: Make, store: Store, context: Context, faults: Faults) -> None:
    """The handler reads anew, and decides anew: the heavier one stays."""
    rival = make_consumer((Weighed, heaviest), name="rival")
    faults.next(
        "TransactWriteItems", wire.meanwhile(lambda: rival(batch(record(weighed(event_id="e-9", grams=900))), context))
    )

    response = make_consumer((Weighed, heaviest))(batch(record(weighed(event_id="e-1", grams=100))), context)

    assert response == {"batchItemFailures": []}
    assert store.item("Weights", parcel="p")["grams"] == 900


def test_races_are_run_a_bounded_number_of_times(
    make_consumer: Make, store: Store, context: Context, faults: Faults, printed: Printed
) -> None:
    """Eight, and then the event gives way to its neighbours."""
    runs: list[str] = []

    def count(event: Event[Weighed], work: Work) -> None:
        runs.append(event.id)
        if event.data.parcel == "p":
            work.read("Weights", {"parcel": "p"})
        work.add("Weights", {"parcel": event.data.parcel}, grams=1)

    rival = make_consumer((Weighed, weigh), name="rival")
    for number in range(8):
        rivals = batch(record(weighed(event_id=f"r-{number}")))
        faults.next("TransactWriteItems", wire.meanwhile(lambda rivals=rivals: rival(rivals, context)))
        faults.next("TransactWriteItems", lambda request, send: send())
    response = make_consumer((Weighed, count), concurrency=1, group_commit="off")(
        batch(
            record(weighed(event_id="e-1"), message_id="m-1"),
            record(weighed("q", event_id="e-2"), message_id="m-2"),
        ),
        context,
    )

    assert returned(response) == ["m-1"]
    assert runs == ["e-1"] * 8 + ["e-2"]
    assert store.item("Weights", parcel="p")["grams"] == 800
    (warning,) = [line for line in printed.logs() if line["message"] == "retry"]
    assert warning["reason"] == "what it read changed during each of 8 runs"
    assert store.journal("post", "e-1") is None  # a lost race is no failure of the handler's


def test_a_work_over_the_limit_is_rejected(make_consumer: Make, store: Store, context: Context) -> None:
    """Clearly, at once, and its neighbours are done."""

    def scatter(event: Event[Weighed], work: Work) -> None:
        for number in range(event.data.grams):
            work.add("Weights", {"parcel": f"{event.data.parcel}-{number}"}, grams=1)

    post = make_consumer((Weighed, scatter))

    response = post(
        batch(record(weighed("a", event_id="e-1", grams=100)), record(weighed("b", event_id="e-2", grams=99))), context
    )

    assert response == {"batchItemFailures": []}
    assert len(store.items("Weights")) == 99
    (dead,) = store.dead_letters()
    assert dead["notes"]["error"] == "WorkTooLargeError"
    assert "split the event" in dead["notes"]["reason"]


def test_an_item_may_be_created_with_300_attributes(make_consumer: Make, store: Store, context: Context) -> None:
    """A create is a put: DynamoDB's limit of an expression is none of it."""

    def detail(event: Event[Weighed], work: Work) -> None:
        work.create("Parcels", {"parcel": "p"}, **{f"detail_{number}": number for number in range(300)})

    post = make_consumer((Weighed, detail))

    assert [returned(post(delivered(times), context)) for times in (1, 1)] == [[], []]
    assert len(store.item("Parcels", parcel="p")) == 303
    assert store.dead_letters() == []


def test_a_change_of_300_attributes_is_rejected_with_the_limit(
    make_consumer: Make, store: Store, context: Context, faults: Faults
) -> None:
    """Before DynamoDB is asked for what it never does."""

    def detail(event: Event[Weighed], work: Work) -> None:
        work.put("Places", {"parcel": "p"}, newer_than="at", at=1, **{f"detail_{n}": n for n in range(300)})

    assert returned(make_consumer((Weighed, detail))(delivered(1), context)) == []

    assert faults.calls[0] == "SendMessageBatch"
    (dead,) = store.dead_letters()
    assert dead["notes"]["error"] == "WorkTooLargeError"
    assert "DynamoDB takes 4,096" in dead["notes"]["reason"]


def test_a_published_event_that_no_bus_takes_is_rejected(make_consumer: Make, store: Store, context: Context) -> None:
    """Before its cause is committed: what is committed must reach the bus."""

    def shout(event: Event[Weighed], work: Work) -> None:
        work.publish(Registered(parcel="p", sender="x" * 1_000_000))

    make_consumer((Weighed, shout))(batch(record(weighed())), context)

    row = store.journal("post")
    assert (row["state"], row["type"]) == (State.REJECTED, "Weighed")
    (dead,) = store.dead_letters()
    assert dead["notes"]["error"] == "WorkTooLargeError"
    assert "split the event" in dead["notes"]["reason"]


def test_published_events_have_ids_of_their_cause_their_consumer_and_their_place(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """So two answers to one event are two, whoever gives them, and a run again gives the same."""

    def announce_twice(event: Event[Weighed], work: Work) -> None:
        work.publish(Arrived(parcel="p"))
        work.publish(Arrived(parcel="p"))

    for name in ("post", "office"):
        make_consumer((Weighed, announce_twice), name=name)(delivered(1), context)

    ids = {
        name: [json.loads(bytes(text))["id"] for text in unpack_outbox(store.journal(name)["outbox"])]
        for name in ("post", "office")
    }
    assert ids == {
        name: [derived_id("post", "e-1", by=name, place=place) for place in (0, 1)] for name in ("post", "office")
    }


@time_machine.travel(datetime(2010, 12, 1, 12, 0, 0, 123456, tzinfo=UTC), tick=False)
def test_a_published_event_may_be_as_large_as_the_bus_takes_them(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """To the byte, and one more is too many."""

    def shout(event: Event[Weighed], work: Work) -> None:
        work.publish(Registered(parcel="p", sender="x" * event.data.grams))

    post = make_consumer((Weighed, shout))
    post(batch(record(weighed(event_id="e-0", grams=0))), context)
    (empty,) = unpack_outbox(store.journal("post", "e-0")["outbox"])
    room = MAX_BYTES - len("post") - len("Registered") - len(bytes(empty))

    post(batch(*(record(weighed(event_id=f"e-{more}", grams=room + more - 1)) for more in (1, 2))), context)

    assert [store.journal("post", event)["state"] for event in ("e-1", "e-2")] == [State.DONE, State.REJECTED]


@pytest.mark.parametrize("character", ["\ufffe", "\uffff"])
def test_a_published_event_that_no_queue_takes_is_rejected(
    make_consumer: Make, store: Store, context: Context, character: str
) -> None:
    """Before anything is committed: it would vanish on its way."""
    post = make_consumer((Weighed, weigh_and_announce))

    post(batch(record(json.dumps(weighed(f"Peru{character}"))), record(weighed("q", event_id="e-2"))), context)

    (dead,) = store.dead_letters()
    assert dead["notes"]["error"] == "WorkError"
    assert "U+FFFE" in dead["notes"]["reason"]
    assert [item["parcel"] for item in store.items("Weights")] == ["q"]


def test_a_published_event_too_deep_to_be_read_is_rejected(make_consumer: Make, store: Store, context: Context) -> None:
    """Before anything is committed: its consumers would all refuse it."""

    class Deep(Contract, frozen=True):
        levels: Any

    def publish(event: Event[Weighed], work: Work) -> None:
        levels: Any = []
        for _ in range(64):
            levels = [levels]
        weigh(event, work)
        work.publish(Deep(levels))

    make_consumer((Weighed, publish))(batch(record(weighed())), context)

    (dead,) = store.dead_letters()
    assert dead["notes"]["error"] == "WorkError"
    assert "nests more than 63 levels" in dead["notes"]["reason"]
    assert store.items("Weights") == []


def test_what_the_layer_is_not_told_defers_the_event(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """A missing setting is an operator's mistake: nothing is lost while it lasts."""
    store.settings = Settings(tables={}, dead_letter_queue_url=store.settings.dead_letter_queue_url)

    response = make_consumer((Weighed, weigh))(batch(record(weighed(), message_id="m-1")), context)

    assert returned(response) == ["m-1"]
    (line,) = printed.logs()
    assert line["error"] == "MissingSettingError"


def test_a_publishing_consumer_needs_a_source(make_consumer: Make, store: Store, context: Context) -> None:
    """And one that doesn't publish needs none."""
    store.settings = Settings(tables=store.settings.tables)
    post = make_consumer((Weighed, announce), (Registered, register))

    response = post(batch(record(weighed(), message_id="m-1"), record(registered(event_id="e-2"))), context)

    assert returned(response) == ["m-1"]


def test_settings_come_from_the_environment(store: Store, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first event, not at import."""
    post = Consumer("post", aws=store.aws)
    post.on(Weighed)(weigh)
    for name, table in store.settings.tables.items():
        monkeypatch.setenv(f"TABLE_{name}", table)

    post(batch(record(weighed())), context)

    assert store.item("Weights", parcel="p")["grams"] == 100


@pytest.mark.parametrize("payload", [{}, {"detail-type": "Weighed"}, None])
def test_what_is_no_sqs_event_fails_as_a_whole(make_consumer: Make, context: Context, payload: Any) -> None:
    """There is nothing to acknowledge."""
    with pytest.raises(EachonceError, match="SQS events"):
        make_consumer((Weighed, weigh))(payload, context)


def test_a_type_has_one_handler(make_consumer: Make) -> None:
    """Two would each be half of the effect."""
    post = make_consumer((Weighed, weigh))

    with pytest.raises(ValueError, match="Weighed has a handler already"):
        post.on(Weighed)(announce)


def test_a_handler_stays_a_function() -> None:
    """Registering it changes nothing about it: a test may call it."""
    post = Consumer("post")

    assert post.on(Weighed)(weigh) is weigh
    assert post.contracts == (Weighed,)


def test_every_delivery_is_logged_without_its_payload(make_consumer: Make, context: Context, printed: Printed) -> None:
    """Ids, type and reason; what the event says is nobody's business."""
    post = make_consumer((Weighed, moody))

    post(batch(record(weighed("refused", grams=424242), message_id="m-1", receive_count=2)), context)

    (line,) = printed.logs()
    assert line["level"] == "WARNING"
    assert line["service"] == "post"
    assert {name: line[name] for name in ("message", "event_id", "event_type", "message_id", "receive_count")} == {
        "message": "reject",
        "event_id": "e-1",
        "event_type": "Weighed",
        "message_id": "m-1",
        "receive_count": 2,
    }
    assert line["reason"] == "no parcels on Sundays"
    assert "424242" not in json.dumps(line)


@pytest.mark.parametrize(
    ("time", "age"), [("2010-12-01T11:59:00Z", 60.0), ("2010-12-01T11:59:00", None), (None, None)], ids=str
)
def test_an_outcome_is_logged_with_the_events_age(
    make_consumer: Make, context: Context, printed: Printed, time: str | None, age: float | None
) -> None:
    """Where the event says when it happened, and in which zone."""
    body = weighed() | ({} if time is None else {"time": time})

    with time_machine.travel(datetime(2010, 12, 1, 12, tzinfo=UTC), tick=False):
        make_consumer((Weighed, weigh))(batch(record(body)), context)

    (line,) = printed.logs()
    assert line.get("age_seconds") == age


def test_a_failed_handler_is_logged_with_its_traceback(make_consumer: Make, context: Context, printed: Printed) -> None:
    """Someone has to mend it."""
    make_consumer((Weighed, fail))(batch(record(weighed())), context)

    (line,) = printed.logs()
    assert (line["message"], line["error"], line["exception_name"]) == ("retry", "ValueError", "ValueError")
    assert "in fail" in line["exception"]
    assert re.fullmatch(r"the handler failed at moods\.py:\d+", line["reason"])


@pytest.mark.parametrize(("level", "told"), [("INFO", False), ("DEBUG", True)])
def test_what_an_exception_says_is_logged_for_debugging_only(
    make_consumer: Make,
    store: Store,
    context: Context,
    printed: Printed,
    monkeypatch: pytest.MonkeyPatch,
    level: str,
    told: bool,
) -> None:
    """It may hold values of the event, and so may what led to it; a reason, a dead letter and the journal never do."""
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", level)

    def fail_in_turn(event: Event[Weighed], work: Work) -> None:
        try:
            {}[event.data.parcel]
        except KeyError as error:
            error.add_note(event.data.parcel)
            raise ExceptionGroup(event.data.parcel, [ValueError(event.data.parcel)]) from error

    make_consumer((Weighed, fail_in_turn), max_attempts=1)(batch(record(weighed("4111"))), context)
    make_consumer((Weighed, fail_in_turn), name="other")(batch(record(weighed("4111"))), context)

    assert ("4111" in json.dumps(printed.lines())) == told
    (dead,) = store.dead_letters()
    assert "4111" not in json.dumps(dead["notes"])
    assert "4111" not in str(store.journal("post")) + str(store.journal("other"))


def test_outcomes_are_counted_as_metrics(make_consumer: Make, context: Context, printed: Printed) -> None:
    """In CloudWatch's embedded format, by consumer."""
    post = make_consumer((Weighed, moody), (Seen, see), concurrency=1)

    post(
        batch(
            record(weighed("a", event_id="e-1")),
            record(weighed("a", event_id="e-1")),
            record(seen(event_id="e-2", at=2)),
            record(seen(event_id="e-3", at=1)),
            record(weighed("fails", event_id="e-4")),
            record(weighed("refused", event_id="e-5")),
        ),
        context,
    )

    (line,) = printed.metrics()
    assert line["service"] == "post"
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Eachonce"
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert {name: line[name] for name in ("Done", "Duplicate", "Stale", "Retried", "Rejected")} == {
        "Done": [2.0],
        "Duplicate": [1.0],
        "Stale": [1.0],
        "Retried": [1.0],
        "Rejected": [1.0],
    }


def test_metrics_are_told_apart_by_the_stack(store: Store, context: Context, printed: Printed) -> None:
    """Two stacks of one account have functions of one name."""
    settings = replace(store.settings, metrics_namespace="Eachonce/shop-dev")
    post = Consumer("post", aws=store.aws, settings=settings)
    post.on(Weighed)(moody)

    post(batch(record(weighed("a"))), context)

    (line,) = printed.metrics()
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Eachonce/shop-dev"


def test_published_events_tell_their_cause(make_consumer: Make, store: Store, context: Context) -> None:
    """Whoever gets one can follow it back."""
    from eachonce.event import decode
    from eachonce.journal import unpack_outbox

    before = datetime.now(UTC)
    make_consumer((Weighed, weigh_and_announce))(batch(record(weighed() | {"correlationid": "c-1"})), context)

    (raw,) = unpack_outbox(store.journal("post")["outbox"])
    event = decode(raw)
    assert (event.source, event.type, event.causationid, event.correlationid) == ("post", "Arrived", "e-1", "c-1")
    assert event.time is not None
    assert event.time >= before


def test_too_late_nothing_begins(make_consumer: Make, store: Store, faults: Faults, printed: Printed) -> None:
    """Neither a handler nor a mark, nor a turn: all comes again, uncounted; what needs no handler has its fate."""
    post = make_consumer((Weighed, power_cut), reserve=timedelta(seconds=2), rate=Rate(1, workers=1))

    response = post(
        batch(*together("a", times=1)["Records"], *together("b", times=2)["Records"], record("not JSON")),
        Context(remaining_ms=2_000),
    )

    assert returned(response) == ["m-a", "m-b"]
    assert faults.calls == ["SendMessageBatch"]
    assert store.items("Journal") == []
    assert printed.counts() == {"Abandoned": 2, "Rejected": 1}


class Clockwork(Context):
    """A context whose time a test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.left = [30_000]

    def get_remaining_time_in_millis(self) -> int:
        return self.left[-1]


@pytest.mark.parametrize("times", [1, 2], ids=["never marked", "marked"])
@pytest.mark.usefixtures("queue")
def test_too_late_nothing_is_committed(
    make_consumer: Make, store: Store, times: int, faults: Faults, printed: Printed
) -> None:
    """A commit that nobody hears of would be a duplicate's work later; the message comes again at once, uncounted."""
    clockwork = Clockwork()

    def dawdle(event: Event[Weighed], work: Work) -> None:
        weigh(event, work)
        clockwork.left.append(1_000)

    response = make_consumer((Weighed, dawdle), concurrency=1, max_attempts=1)(
        together("a", "b", times=times), clockwork
    )

    assert returned(response) == ["m-a", "m-b"]
    assert store.items("Weights") == []
    assert faults.pauses == [0, 0]
    assert printed.counts() == {"Abandoned": 2}
    rows = [store.journal("post", event_id) for event_id in ("e-a", "e-b")]
    begun = [row for row in rows if row is not None and row["state"] == State.STARTED]
    assert [row.keys() & {"begun", "attempts"} for row in begun] == [set()], "only the one that began has a mark"


@pytest.mark.usefixtures("queue")
def test_what_always_comes_too_late_is_not_tried_for_ever(make_consumer: Make, store: Store) -> None:
    """From the second time on it has the function's time to itself, `max_starts` times; then it is rejected."""

    def dawdle(event: Event[Weighed], work: Work) -> None:
        clockwork.left.append(1_000)
        clock.shift(29)

    consumer = make_consumer((Weighed, dawdle), max_starts=3)
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False) as clock:
        for times in range(1, 6):
            clockwork = Clockwork()
            response = consumer(together("a", times=times), clockwork)
        (dead,) = store.dead_letters()

    assert returned(response) == []
    assert "without a word 3 times" in dead["notes"]["reason"]


@pytest.mark.usefixtures("queue")
def test_what_waits_behind_its_lane_is_no_suspect(make_consumer: Make, store: Store) -> None:
    """It never began, so no mark of it stays."""

    def fail_first(event: Event[Weighed], work: Work) -> None:
        raise Retry("not now", counted=False)

    first, second = (
        record({**weighed(event_id=name), "subject": "same"}, message_id=f"m-{name}", receive_count=2)
        for name in ("e-1", "e-2")
    )

    make_consumer((Weighed, fail_first), ordered=True)(batch(first, second), Context())

    assert [(row["state"], "begun" in row) for row in store.items("Journal")] == [(State.TRIED, False)] * 2


@pytest.mark.parametrize(("options", "waits"), [({}, False), ({"ordered": True}, True)], ids=["any order", "ordered"])
def test_a_subjects_events_wait_for_each_other_where_the_consumer_says_so(
    make_consumer: Make, store: Store, context: Context, options: dict[str, bool], waits: bool
) -> None:
    """Unless it does, what is to come again holds nobody up."""

    def fail_first(event: Event[Weighed], work: Work) -> None:
        if event.id == "e-1":
            raise Retry("not now", counted=False)
        weigh(event, work)

    first, second = (record({**weighed(event_id=name), "subject": "same"}) for name in ("e-1", "e-2"))

    make_consumer((Weighed, fail_first), **options)(batch(first, second), context)

    assert (store.items("Weights") == []) is waits


@pytest.mark.usefixtures("queue")
def test_a_mark_that_can_not_be_taken_back_is_no_ones_fate(
    make_consumer: Make, context: Context, faults: Faults
) -> None:
    """It ends with its lease; the batch ends as it would have."""

    def fail_first(event: Event[Weighed], work: Work) -> None:
        raise Retry("not now", counted=False)

    first, second = (
        record({**weighed(event_id=name), "subject": "same"}, message_id=f"m-{name}", receive_count=2)
        for name in ("e-1", "e-2")
    )
    faults.next("UpdateItem", wire.meanwhile(lambda: None))  # the first one's word
    faults.next("UpdateItem", wire.never_sent)

    response = make_consumer((Weighed, fail_first), ordered=True)(batch(first, second), context)

    assert returned(response) == ["m-e-1", "m-e-2"]


def test_until_the_reserve_everything_goes_its_way(make_consumer: Make, store: Store) -> None:
    """A millisecond is enough to begin."""
    post = make_consumer((Weighed, weigh), reserve=timedelta(seconds=2))

    assert returned(post(delivered(1), Context(remaining_ms=2_001))) == []


def test_the_journal_is_told_after_the_dead_letter_was_sent(
    make_consumer: Make, context: Context, faults: Faults
) -> None:
    """REJECTED means: it is there."""
    make_consumer((Weighed, refuse))(delivered(1), context)

    assert faults.calls == ["SendMessageBatch", "UpdateItem"]


def test_what_is_not_in_the_dead_letter_queue_is_not_called_rejected(
    make_consumer: Make, store: Store, context: Context, faults: Faults
) -> None:
    """It comes again, and the journal doesn't say that it won't."""
    faults.next("SendMessageBatch", wire.never_sent)

    assert returned(make_consumer((Weighed, refuse))(delivered(1), context)) == ["m-1"]
    assert store.items("Journal") == []


@pytest.mark.parametrize(
    "fault",
    [wire.never_sent, wire.answer_lost, wire.refused("AccessDeniedException"), wire.refused("ValidationException")],
    ids=["down", "lost", "refused", "invalid"],
)
def test_a_rejection_stands_whether_or_not_the_journal_hears_of_it(
    make_consumer: Make, store: Store, context: Context, faults: Faults, fault: wire.Fault
) -> None:
    """The dead letter has its reason."""
    faults.next("UpdateItem", fault)

    assert returned(make_consumer((Weighed, refuse))(delivered(1), context)) == []
    assert len(store.dead_letters()) == 1


def test_a_rejected_copy_of_a_done_event_leaves_its_row(make_consumer: Make, store: Store, context: Context) -> None:
    """Done is done."""
    make_consumer((Weighed, weigh))(delivered(1), context)

    make_consumer((Weighed, refuse))(delivered(1), context)

    assert len(store.dead_letters()) == 1
    assert store.journal("post")["state"] == State.DONE


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("handle", [weigh, fail, refuse])
def test_without_the_journals_name_nothing_is_lost(
    make_consumer: Make, store: Store, context: Context, handle: Any, times: int
) -> None:
    """An operator's mistake is no event's failure, and not its neighbours' either."""
    tables = {name: table for name, table in store.settings.tables.items() if name != "JOURNAL"}
    store.settings = replace(store.settings, tables=tables)
    post = make_consumer((Weighed, handle), (Registered, register), max_attempts=1)

    response = post(batch(*delivered(times)["Records"], record(registered(event_id="e-2"))), context)

    rejected = handle is refuse and times == 1
    assert returned(response) == ([] if rejected else ["m-1"])
    assert len(store.dead_letters()) == (1 if rejected else 0)
    assert [item["parcel"] for item in store.items("Parcels")] == ["p"]


def test_a_long_trace_keeps_the_exception_that_was_raised(
    make_consumer: Make, context: Context, printed: Printed
) -> None:
    """What led to it may be left out, however long that is."""

    def dive_deeper_and_deeper_into_the_very_depths_of_the_stack(levels: int, error: Exception | None) -> None:
        if levels:
            dive_deeper_and_deeper_into_the_very_depths_of_the_stack(levels - 1, error)
        raise KeyError from error

    def fail_in_turn(event: Event[Weighed], work: Work) -> None:
        last: Exception | None = None
        for _ in range(20):
            try:
                dive_deeper_and_deeper_into_the_very_depths_of_the_stack(30, last)
            except KeyError as error:
                last = error
        raise ArithmeticError from last

    make_consumer((Weighed, fail_in_turn))(batch(record(weighed())), context)

    (line,) = printed.logs()
    assert "in fail_in_turn\nArithmeticError\n" in line["exception"]
    assert len(line["exception"]) <= 16 * 1024
