"""The record of events: what the history tells, made into events by their identity, and never more than is kept."""

from __future__ import annotations

from typing import Any

import pytest

from eachonce_workbench.cloud.history import History, Kind
from eachonce_workbench.console import record as module
from eachonce_workbench.console.known import WAITING
from eachonce_workbench.console.record import Record
from eachonce_workbench.template.topology import QueueMapping
from tests.console.served import bus_event, outcome
from tests.topologies import arn, topology

QUEUE = arn("sqs", "parcels")
DEAD = arn("sqs", "parcels-dlq")


class Told:
    """A history with a record that listens, at a time that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0
        self.record = Record(now=lambda: self.now)
        mapping = QueueMapping(
            function="Track",
            queue_arn=QUEUE,
            enabled=True,
            batch_size=10,
            window_seconds=0,
            max_concurrency=None,
            report_failures=True,
            filters=None,  # type: ignore[arg-type]  # nothing is filtered here
        )
        self.record.follow(topology(queue_mappings=(mapping,)))
        self.history = History()
        self.history.subscribe(self.record)

    def __call__(self, kind: Kind, **fields: Any) -> None:
        self.history.record(kind, **fields)

    def publish(self, event_id: str, *, bus_id: str | None = None, **named: Any) -> None:
        event = bus_event(event_id, **named) | ({} if bus_id is None else {"id": bus_id})
        self("published", event_id=event["id"], bus="town", event=event)
        self("matched", event_id=event["id"], rule="wanted")
        self("delivered", event_id=event["id"], rule="wanted", target_arn=QUEUE, message_id=f"message-{event['id']}")

    def handle(self, event_id: str, request_id: str, verdict: str, **told: Any) -> None:
        self("invoked", function="Track", request_id=request_id)
        self("log", **outcome(event_id, function="Track", request_id=request_id, verdict=verdict, **told))


@pytest.fixture
def told() -> Told:
    return Told()


def test_copies_are_one_event(told: Told) -> None:
    """By source and id, whatever ids the bus gave them."""
    told.publish("e-1", bus_id="b-1")
    told.publish("e-1", bus_id="b-2")

    (event,) = told.record.events.values()
    assert (event.copies, event.event_id, event.source) == (2, "e-1", "till")


def test_the_same_id_of_two_sources_is_two_events(told: Told) -> None:
    """As CloudEvents has it."""
    told.publish("e-1", source="till-1", bus_id="b-1")
    told.publish("e-1", source="till-2", bus_id="b-2")

    assert len(told.record.events) == 2


def test_a_plain_event_is_known_by_the_id_of_the_bus(told: Told) -> None:
    """It has no other."""
    event = bus_event("e-1") | {"detail": {"order": 1}}
    told("published", event_id=event["id"], bus="town", event=event)

    assert told.record.find("till", "bus-e-1") is not None


def test_an_event_waits_until_its_consumer_has_spoken(told: Told) -> None:
    """From its delivery on, and again after a failure, which is not the last word."""
    told.publish("e-1")
    event = told.record.called("e-1")
    assert event is not None

    seen = [event.outcomes["Track"]]
    told.handle("e-1", "r-1", "retry", reason="no such shelf")
    seen.append(event.outcomes["Track"])
    waiting = told.record.oldest_under_way()
    told.handle("e-1", "r-2", "done")
    seen.append(event.outcomes["Track"])

    assert seen == [WAITING, "retry", "done"]
    assert waiting == {"Track": 100.0}
    assert told.record.under_way == 0


def test_a_duplicate_takes_nothing_from_what_was_done(told: Told) -> None:
    """The event's outcome is still that it was done."""
    told.publish("e-1")
    told.handle("e-1", "r-1", "done")
    told.handle("e-1", "r-2", "duplicate")

    event = told.record.called("e-1")
    assert event is not None
    assert event.outcomes == {"Track": "done"}
    assert [each.outcome for each in event.handlings] == ["done", "duplicate"]
    assert told.record.counts["handled again", "Track"] == 0


def test_a_copy_that_a_function_without_the_layer_handles_is_counted(told: Told) -> None:
    """It may have done it again, and can't say."""
    for number in (1, 2):
        told.publish("e-1", bus_id=f"b-{number}")
        fields = {"function": "Track", "queue_arn": QUEUE, "request_id": f"r-{number}"}
        told("acknowledged", **fields, message_id=f"message-b-{number}")

    assert told.record.counts["handled again", "Track"] == 1


def test_a_work_of_nothing_is_done_as_often_as_it_comes(told: Told) -> None:
    """A handler that wants nothing leaves no mark, so each copy is done, and nothing is doubled."""
    told.publish("e-1")
    told.handle("e-1", "r-1", "done")
    told.handle("e-1", "r-2", "done")

    assert told.record.counts["handled again", "Track"] == 0


def test_a_batch_knows_whom_it_held(told: Told) -> None:
    """Each of its events once, in the order of their outcomes."""
    told.publish("e-1")
    told.publish("e-2")
    told("invoked", function="Track", request_id="r-1")
    for event_id in ("e-2", "e-1"):
        told("log", **outcome(event_id, function="Track", request_id="r-1"))

    assert [event.event_id for event in told.record.batch("r-1")] == ["e-2", "e-1"]


def test_a_function_without_the_layer_is_told_of_by_its_messages(told: Told) -> None:
    """A message that was deleted was handled; one that goes back was not."""
    told.publish("e-1")
    told.publish("e-2")
    told("invoked", function="Track", request_id="r-1")
    fields = {"function": "Track", "queue_arn": QUEUE, "request_id": "r-1"}
    told("acknowledged", **fields, message_id="message-bus-e-1")
    told("returned", **fields, message_id="message-bus-e-2", status="ok")

    outcomes = {event.event_id: event.outcomes["Track"] for event in told.record.batch("r-1")}
    assert outcomes == {"e-1": "acknowledged", "e-2": "returned"}


def test_what_the_layer_has_told_is_not_told_again_by_the_message(told: Told) -> None:
    """Its word says more."""
    told.publish("e-1")
    told.handle("e-1", "r-1", "reject", reason="no such parcel")
    told("acknowledged", function="Track", queue_arn=QUEUE, request_id="r-1", message_id="message-bus-e-1")

    event = told.record.called("e-1")
    assert event is not None
    assert event.outcomes == {"Track": "reject"}
    assert len(event.handlings) == 1


def test_an_event_that_only_its_consumer_knows_is_heard_of(told: Told) -> None:
    """Somebody sent it to the queue."""
    told.handle("e-9", "r-1", "done", causationid="e-1")

    event = told.record.called("e-9")
    assert event is not None
    assert (event.type, event.cause_id, event.body) == ("OrderPlaced", "e-1", b"")


def test_what_names_no_bus_that_is_there_is_lost(told: Told) -> None:
    """EventBridge doesn't say so; the record does."""
    told("lost", event_id="bus-e-1", bus="nowhere", event=bus_event("e-1"))

    event = told.record.called("e-1")
    assert event is not None
    assert event.lost


def test_no_more_events_are_kept_than_there_is_room_for(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first, with all that led to them."""
    monkeypatch.setattr(module, "MOST_EVENTS", 3)

    for number in range(5):
        told.publish(f"e-{number}")

    assert [event.event_id for event in told.record.events.values()] == ["e-2", "e-3", "e-4"]
    assert told.record.forgotten == 2
    assert told.record.find("till", "e-0") is None
    assert told.record.under_way == 3


def test_no_more_of_their_bodies_is_kept_than_there_is_room_for(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few events that is."""
    monkeypatch.setattr(module, "MOST_BODY_BYTES", 10_000)

    for number in range(5):
        told.publish(f"e-{number}", data="x" * 4_000)

    assert len(told.record.events) == 2


def test_a_line_that_is_no_outcome_is_passed_by(told: Told) -> None:
    """Whatever a function prints."""
    for line in ("hello", "{", "{}", '{"message": "done"', '{"message": 5, "event_id": []}', "\x00"):
        told("log", function="Track", stream="s", request_id="r-1", line=line)

    assert not told.record.events
