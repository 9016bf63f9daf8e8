"""The relay: what is in a committed row's outbox gets to the bus."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import Any

import pytest
from eachonce import Consumer, EachonceError, Relay

from tests import faults as wire
from tests.faults import Fault, Faults
from tests.parcels import Weighed, weigh_and_announce, weighed
from tests.printed import Printed
from tests.records import Context, batch, record, returned, stream_record
from tests.store import Store


@pytest.fixture
def relay(store: Store) -> Relay:
    return Relay(aws=store.aws, settings=store.settings)


def committed(store: Store, context: Context, *event_ids: str, consumer: str = "post") -> list[dict[str, Any]]:
    """Handle events, and return the stream records of their journal rows, numbered from 100."""
    post = Consumer(consumer, aws=store.aws, settings=store.settings)
    post.on(Weighed)(weigh_and_announce)
    post(batch(*[record(weighed(event_id=event_id)) for event_id in event_ids]), context)
    return [
        stream_record(store.stored("Journal", pk=f"{consumer}##post#{event_id}"), number=str(100 + place))
        for place, event_id in enumerate(event_ids)
    ]


def row(outbox: Any) -> dict[str, Any]:
    return {"pk": {"S": "post##post#e-1"}, "state": {"S": "DONE"}, "outbox": outbox}


def test_published_events_reach_the_bus_with_the_commit_that_caused_them(
    relay: Relay, store: Store, bus: str, context: Context
) -> None:
    """From the handler's words to the bus, by way of the journal's row."""
    response = relay(batch(*committed(store, context, "e-1", "e-2")), context)

    assert response == {"batchItemFailures": []}
    assert sorted(event["causationid"] for event in store.on_the_bus(bus)) == ["e-1", "e-2"]


def test_one_call_carries_the_events_of_many_rows(
    relay: Relay, store: Store, bus: str, context: Context, faults: Faults
) -> None:
    """Ten to a call, whosever they are."""
    records = committed(store, context, *[f"e-{number}" for number in range(20)])
    faults.calls.clear()

    relay(batch(*records), context)

    assert faults.calls == ["PutEvents"] * 2


def test_a_compressed_outbox_is_read_too(relay: Relay, store: Store, bus: str, context: Context) -> None:
    """A long one is."""
    event = json.dumps(weighed("p" * 2000)).encode()
    packed = zlib.compress(b"[" + event + b"]")

    assert returned(relay(batch(stream_record(row({"B": packed}), number="1")), context)) == []
    assert store.on_the_bus(bus) == [json.loads(event)]


def test_a_row_without_events_has_nothing_to_relay(relay: Relay, context: Context, faults: Faults) -> None:
    """A claim, a failure, a row that its time to live took: the stream's filter lets none of them through anyway."""
    started = stream_record({"pk": {"S": "post##post#e-1"}, "state": {"S": "STARTED"}}, number="1", name="MODIFY")
    expired = stream_record(None, number="2", name="REMOVE")

    assert relay(batch(started, expired), context) == {"batchItemFailures": []}
    assert faults.calls == []


def test_an_empty_batch_is_done(relay: Relay, context: Context) -> None:
    """Nothing to relay."""
    assert relay(batch(), context) == {"batchItemFailures": []}


def test_the_records_whose_events_failed_come_again(
    relay: Relay, store: Store, bus: str, context: Context, faults: Faults, printed: Printed
) -> None:
    """Each failed entry is traced back to its row."""
    records = committed(store, context, "e-1", "e-2", "e-3", "e-4")
    printed.lines()
    faults.next("PutEvents", wire.entries_fail(1, 3, code="NotAuthorizedForSource"))

    response = relay(batch(*records), context)

    assert returned(response) == ["101", "103"]
    assert sorted(event["causationid"] for event in store.on_the_bus(bus)) == ["e-1", "e-3"]
    assert [(line["message"], line["sequence_number"]) for line in printed.logs()] == [
        ("not published", "101"),
        ("not published", "103"),
    ]


def test_a_row_comes_again_when_any_of_its_events_failed(
    relay: Relay, store: Store, bus: str, context: Context, faults: Faults
) -> None:
    """And once only, however many failed: rows before and after have as many events as they like."""
    outboxes = [[f"{place}-{number}" for number in range(count)] for place, count in enumerate((3, 0, 4, 1))]
    records = [
        stream_record(row({"B": json.dumps([weighed(event_id=i) for i in ids]).encode()}), number=str(place))
        for place, ids in enumerate(outboxes)
    ]
    faults.next("PutEvents", wire.entries_fail(4, 5, 7, code="AccessDenied"))

    response = relay(batch(*records), context)

    assert returned(response) == ["2", "3"]


@pytest.mark.parametrize(
    "outbox",
    [
        {"B": b"nonsense"},
        {"B": b"[{]"},
        {"B": zlib.compress(b'{"an": "object"}')},
        {"B": b'[{"no": "event"}]'},
        {"B": b"[5]"},
        {"S": "text"},
        {"NULL": True},
    ],
    ids=["nonsense", "no JSON", "no array", "no event", "a number", "text", "null"],
)
def test_an_outbox_that_can_not_be_read_stops_nobody_else(
    relay: Relay, store: Store, bus: str, context: Context, outbox: dict[str, Any], printed: Printed
) -> None:
    """It is set aside, with its key and the reason, and doesn't come again; the others are published."""
    before, after = committed(store, context, "e-1", "e-2")
    printed.lines()
    spoilt = stream_record(row(outbox), number="1")

    response = relay(batch(before, spoilt, after), context)

    assert returned(response) == []
    assert sorted(event["causationid"] for event in store.on_the_bus(bus)) == ["e-1", "e-2"]
    (letter,) = store.dead_letters()
    note = json.loads(letter["Body"])
    assert note["Keys"] == {"pk": {"S": "post##post#e-1"}}
    assert note["reason"]
    (line,) = printed.logs()
    assert (line["message"], line["sequence_number"]) == ("not published", "1")


def test_text_that_is_not_base64_is_no_outbox(relay: Relay, store: Store, context: Context) -> None:
    """Lambda encodes binary attributes so."""
    spoilt = stream_record(row({"B": b""}), number="1")
    spoilt["dynamodb"]["NewImage"]["outbox"] = {"B": "§"}

    assert returned(relay(batch(spoilt), context)) == []
    assert len(store.dead_letters()) == 1


@pytest.mark.parametrize("fault", [wire.answer_lost, wire.entries_fail(0)], ids=["no answer", "refused"])
def test_what_can_not_be_set_aside_comes_again(
    relay: Relay, store: Store, context: Context, faults: Faults, fault: Fault
) -> None:
    """Nothing is given up before somebody was told of it."""
    faults.next("SendMessageBatch", fault)

    assert returned(relay(batch(stream_record(row({"B": b"nonsense"}), number="1")), context)) == ["1"]


def test_without_a_dead_letter_queue_everything_comes_again(store: Store, context: Context) -> None:
    """The stream's own limits decide then."""
    relay = Relay(aws=store.aws, settings=replace(store.settings, dead_letter_queue_url=None))

    assert returned(relay(batch(stream_record(row({"B": b"nonsense"}), number="1")), context)) == ["1"]


def mixed(request: Any, send: Any) -> Any:
    """Answer that the bus refuses the first entry for good, and the second for now."""

    def edit(_: dict[str, Any]) -> dict[str, Any]:
        codes = ("MalformedDetail", "AccessDenied")
        return {"FailedEntryCount": 2, "Entries": [{"ErrorCode": code, "ErrorMessage": "no"} for code in codes]}

    return wire.edited(request, send, edit)


def test_a_row_waits_while_one_of_its_events_may_yet_be_published(
    relay: Relay, store: Store, context: Context, faults: Faults
) -> None:
    """Only then is it set aside, for what the bus will never take."""
    outbox = json.dumps([weighed(event_id="a"), weighed(event_id="b")]).encode()
    faults.next("PutEvents", mixed)

    response = relay(batch(stream_record(row({"B": outbox}), number="1")), context)

    assert returned(response) == ["1"]
    assert store.dead_letters() == []


def test_relaying_again_publishes_the_same_ids(relay: Relay, store: Store, bus: str, context: Context) -> None:
    """Recovery from any outage is to publish again: downstream, copies change nothing."""
    records = committed(store, context, "e-1", "e-2")

    relay(batch(*records), context)
    relay(batch(*records), context)

    ids = [event["id"] for event in store.on_the_bus(bus)]
    assert (len(ids), len(set(ids))) == (4, 2)


def test_a_bus_that_is_not_named_is_an_operators_mistake(
    store: Store, bus: str, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The invocation fails and the stream waits; with the name, from the environment, it goes on."""
    records = committed(store, context, "e-1")
    monkeypatch.delenv("EVENT_BUS", raising=False)
    with pytest.raises(EachonceError, match="EVENT_BUS"):
        Relay(aws=store.aws)(batch(*records), context)

    monkeypatch.setenv("EVENT_BUS", "post-bus")

    assert returned(Relay(aws=store.aws)(batch(*records), context)) == []
    assert len(store.on_the_bus(bus)) == 1


@pytest.mark.parametrize("payload", [{}, {"Records": "records"}, batch(record("{}")), [], None])
def test_what_is_no_stream_event_is_an_error(relay: Relay, context: Context, payload: Any) -> None:
    """The trigger is wrong, not a record."""
    with pytest.raises(EachonceError, match="DynamoDB stream events"):
        relay(payload, context)
