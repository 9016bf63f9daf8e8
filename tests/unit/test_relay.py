"""The relay: what is in a committed row's outbox gets to the bus."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from eachonce import Consumer, EachonceError, Publisher, Relay
from eachonce.wording import MAX_NAME

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


def test_a_relay_without_time_sends_nothing_and_says_so(
    relay: Relay, store: Store, bus: str, context: Context, faults: Faults
) -> None:
    """What it can't answer for any more would come again with all its batch."""
    records = committed(store, context, "e-1", "e-2")
    faults.calls.clear()

    response = relay(batch(*records), replace(context, remaining_ms=0))

    assert returned(response) == ["100", "101"]
    assert not faults.calls


@pytest.mark.parametrize(("remaining_ms", "allowed"), [(600, [0.2, 0.4]), (450, [0.2])])
def test_a_throttled_relay_naps_only_as_long_as_it_may(
    relay: Relay,
    store: Store,
    bus: str,
    context: Context,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
    remaining_ms: int,
    allowed: list[float],
) -> None:
    """A fifth of its time is for its answer; its records come again, by the stream."""
    naps: list[float] = []
    monkeypatch.setattr("eachonce.relay.Publisher", partial(Publisher, sleep=naps.append, jitter=lambda: 1.0))
    records = committed(store, context, "e-1")
    faults.next("PutEvents", wire.entries_fail(0, code="ThrottlingException"), times=len(allowed) + 1)

    response = relay(batch(*records), replace(context, remaining_ms=remaining_ms))

    assert returned(response) == ["100"]
    assert naps == allowed


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "outbox",
    [
        {"B": deep(5_000)},
        {"B": b'[{"specversion": "1.0", "data": ' + deep(5_000) + b"}]"},
        {"B": zlib.compress(deep(100_000))},
        {"B": zlib.compress(b"[]")[:-4]},
        {"B": b"[1e999]"},
        {"B": b'["\xff"]'},
        {"B": b"nonsense"},
        {"B": b"[{]"},
        {"B": zlib.compress(b'{"an": "object"}')},
        {"B": b'[{"no": "event"}]'},
        {"B": b"[5]"},
        {"S": "text"},
        {"NULL": True},
    ],
    ids=[
        *("deep", "a deep event", "deep and compressed", "cut off", "endless", "no text"),
        *("nonsense", "no JSON", "no array", "no event", "a number", "text", "null"),
    ],
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


def spoilt(**change: Any) -> dict[str, Any]:
    """Return a stream record with another image, or other keys, than Lambda would give it."""
    whole = stream_record(row({"B": b"[]"}), number="1")
    whole["dynamodb"] |= change
    return whole


def without(*names: str) -> dict[str, Any]:
    whole = spoilt()
    return whole | {"dynamodb": {name: value for name, value in whole["dynamodb"].items() if name not in names}}


NAMED: dict[str, Any] = {
    "no base64": spoilt(NewImage=row({"B": "§"})),
    "an outbox that is a number": spoilt(NewImage=row({"B": 5})),
    "an outbox that is null": spoilt(NewImage=row({"B": None})),
    "an outbox that is a list": spoilt(NewImage=row([1])),
    "an outbox that is text": spoilt(NewImage=row("text")),
    "no outbox where there is one": spoilt(NewImage=row(None)),
    "a boolean outbox": spoilt(NewImage=row({"BOOL": True})),
    "an empty outbox": spoilt(NewImage=row({})),
    "an image that is null": spoilt(NewImage=None),
    "no image": without("NewImage"),
    "an image that is text": spoilt(NewImage="text"),
    "an image that is a list": spoilt(NewImage=[1]),
    "deep keys": spoilt(NewImage=row("text"), Keys=json.loads(deep(900))),
    "keys without a form": spoilt(NewImage=row("text"), Keys={"pk": {"S": {1, 2}}}),
    "keys that no queue takes": spoilt(NewImage=row("text"), Keys={"pk": {"S": "\ud800\uffff"}}),
    "keys without an end": spoilt(NewImage=row("text"), Keys={"pk": {"S": "x" * 2_000_000}}),
    "keys that are null": spoilt(NewImage=row("text"), Keys=None),
    "no keys": spoilt(NewImage=row("text"), Keys={}),
}

NAMELESS: dict[str, Any] = {
    "null": None,
    "a number": 5,
    "text": "record",
    "a list": [],
    "nothing": {},
    "no change": {"eventSource": "aws:dynamodb", "eventID": "s-1"},
    "a change that is null": {"eventSource": "aws:dynamodb", "dynamodb": None},
    "a change that is text": {"eventSource": "aws:dynamodb", "dynamodb": "text"},
    "no number": without("SequenceNumber"),
    "a number that is null": spoilt(SequenceNumber=None),
    "a number that is a number": spoilt(SequenceNumber=5),
    "a number that is empty": spoilt(SequenceNumber=""),
    "no image and no number": without("SequenceNumber", "NewImage"),
}


@pytest.mark.parametrize("kind", [*NAMED, *NAMELESS])
def test_a_record_that_can_not_be_read_stops_nobody_else(
    relay: Relay, store: Store, bus: str, context: Context, kind: str, printed: Printed
) -> None:
    """Whatever Lambda hands over: it is set aside, with the reason, and the shard goes on."""
    before, after = committed(store, context, "e-1", "e-2")
    printed.lines()

    response = relay(batch(before, (NAMED | NAMELESS)[kind], after), context)

    assert returned(response) == []
    assert sorted(event["causationid"] for event in store.on_the_bus(bus)) == ["e-1", "e-2"]
    (letter,) = store.dead_letters()
    assert json.loads(letter["Body"])["reason"]
    (line,) = printed.logs()
    assert line["message"] == "not published"
    assert len(json.dumps(line)) < 4_000


@pytest.mark.parametrize(
    "harmless",
    [
        spoilt(NewImage={}),
        spoilt(NewImage=None) | {"eventName": "REMOVE"},
        without("NewImage") | {"eventName": "REMOVE"},
    ],
    ids=["an empty image", "removed", "removed, without an image"],
)
def test_a_record_without_an_outbox_has_nothing_to_relay(
    relay: Relay, store: Store, context: Context, harmless: dict[str, Any], faults: Faults
) -> None:
    """And nothing to tell."""
    assert returned(relay(batch(harmless), context)) == []
    assert faults.calls == []


def test_a_record_without_a_number_is_published_all_the_same(
    relay: Relay, store: Store, bus: str, context: Context
) -> None:
    """What can be read is nobody's to hold back; that there is something odd is told."""
    (sound,) = committed(store, context, "e-1")
    del sound["dynamodb"]["SequenceNumber"]

    assert returned(relay(batch(sound), context)) == []

    assert [event["causationid"] for event in store.on_the_bus(bus)] == ["e-1"]
    assert len(store.dead_letters()) == 1


@pytest.mark.parametrize("kind", NAMELESS)
@pytest.mark.parametrize("told", [True, False], ids=["a queue that is down", "no queue"])
def test_what_can_neither_be_named_nor_set_aside_fails_the_batch(
    store: Store, bus: str, context: Context, faults: Faults, kind: str, *, told: bool
) -> None:
    """The stream tries it again; what could be published has been."""
    settings = store.settings if told else replace(store.settings, dead_letter_queue_url=None)
    (sound,) = committed(store, context, "e-1")
    if told:
        faults.next("SendMessageBatch", wire.never_sent)

    with pytest.raises(EachonceError, match="SequenceNumber"):
        Relay(aws=store.aws, settings=settings)(batch(sound, NAMELESS[kind]), context)

    assert [event["causationid"] for event in store.on_the_bus(bus)] == ["e-1"]


@pytest.mark.parametrize("kind", NAMED)
def test_what_can_be_named_comes_again_where_it_can_not_be_set_aside(
    relay: Relay, context: Context, faults: Faults, kind: str
) -> None:
    """By its number, like any other."""
    faults.next("SendMessageBatch", wire.never_sent)

    assert returned(relay(batch(NAMED[kind]), context)) == ["1"]


def test_a_note_that_is_set_aside_names_its_row(relay: Relay, store: Store, context: Context) -> None:
    """By its keys where they can be told, and by its place in the stream."""
    odd = spoilt(NewImage=row("text"), Keys={"pk": {"S": {1, 2}}})

    relay(batch(stream_record(row({"S": "text"}), number="7"), odd, {"eventID": "s-9"}), context)

    notes = [json.loads(letter["Body"]) for letter in store.dead_letters()]
    assert [note.get("Keys") for note in notes] == [{"pk": {"S": "post##post#e-1"}}, None, None]
    assert [note.get("SequenceNumber") for note in notes] == ["7", "1", None]
    assert [note.get("eventID") for note in notes] == ["s-7", "s-1", "s-9"]


def test_what_a_record_is_called_is_told_in_short(
    relay: Relay, store: Store, context: Context, printed: Printed
) -> None:
    """In the letter and in the log: AWS's own names are far shorter."""
    relay(batch(spoilt(NewImage="text", SequenceNumber="7" * 300) | {"eventID": "s" * 300}), context)

    (letter,) = store.dead_letters()
    note = json.loads(letter["Body"])
    assert [len(note[name]) for name in ("SequenceNumber", "eventID")] == [MAX_NAME, MAX_NAME]
    (warning,) = printed.logs()
    assert warning["sequence_number"] == note["SequenceNumber"]
    assert warning["reason"] == note["reason"]


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        (spoilt(NewImage="text"), "the outbox can't be read: TypeError"),
        (spoilt(NewImage=row({"S": "text"})), "the outbox can't be read: KeyError"),
        (spoilt(NewImage=row({"B": "W1!0="})), "the outbox can't be read: Error"),
        (without("SequenceNumber"), "no SequenceNumber"),
    ],
    ids=["no image", "no bytes", "no base64", "no number"],
)
def test_a_letter_says_what_is_wrong(relay: Relay, store: Store, context: Context, odd: Any, says: str) -> None:
    """By the kind of the fault, and without a word of the row; what is only partly base64 is not guessed at."""
    relay(batch(odd), context)

    (letter,) = store.dead_letters()
    assert says in json.loads(letter["Body"])["reason"]


def test_a_letter_has_the_keys_where_they_fit(relay: Relay, store: Store, context: Context) -> None:
    """Up to 16 KB of all; beyond, its place in the stream has to do."""

    def spelled(size: int) -> Any:
        return spoilt(NewImage="text", Keys={"pk": {"S": "x" * size}})

    relay(batch(spelled(0)), context)
    (empty,) = store.dead_letters()
    room = 16 * 1024 - len(empty["Body"])

    relay(batch(spelled(room), spelled(room + 1)), context)

    assert sorted("Keys" in json.loads(letter["Body"]) for letter in store.dead_letters()) == [False, True]


def test_ten_letters_share_a_call(relay: Relay, store: Store, context: Context, faults: Faults) -> None:
    """As many as SendMessageBatch takes."""
    relay(batch(*(spoilt(NewImage="text") for _ in range(11))), context)

    sent = [request["Entries"] for operation, request in faults.requests if operation == "SendMessageBatch"]
    assert [len(entries) for entries in sent] == [10, 1]
    assert [entry["Id"] for entries in sent for entry in entries] == [str(place) for place in range(11)]


def test_an_answer_that_names_nothing_sent_has_sent_nothing(relay: Relay, context: Context, faults: Faults) -> None:
    """Where every letter was refused, SQS need not name the others."""
    faults.next("SendMessageBatch", lambda request, send: wire.edited(request, send, lambda _: {"Failed": []}))

    assert returned(relay(batch(spoilt(NewImage="text")), context)) == ["1"]


def test_without_clients_a_relay_makes_its_own(store: Store, context: Context) -> None:
    """As in Lambda."""
    assert returned(Relay(settings=store.settings)(batch(spoilt(NewImage="text")), context)) == []

    assert len(store.dead_letters()) == 1


def test_two_records_of_one_number_are_two(relay: Relay, store: Store, context: Context) -> None:
    """Neither is taken for the other."""
    relay(batch(spoilt(NewImage="text"), spoilt(NewImage=[1])), context)

    assert len(store.dead_letters()) == 2


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


@pytest.mark.parametrize(
    "payload", [{}, {"Records": "records"}, {"Records": None}, batch(record("{}")), batch(None, record("{}")), [], None]
)
def test_what_is_no_stream_event_is_an_error(relay: Relay, context: Context, payload: Any) -> None:
    """The trigger is wrong, not a record."""
    with pytest.raises(EachonceError, match="DynamoDB stream events"):
        relay(payload, context)
