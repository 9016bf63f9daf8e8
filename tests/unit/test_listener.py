"""The listener: whatever a body holds, its record becomes one delivery."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from eachonce import EachonceError, MalformedMessageError
from eachonce.handler import Handlers
from eachonce.listener import MAX_BODY_BYTES, listen, unwrap
from hypothesis import given
from hypothesis import strategies as st

from tests.forms import S3_TEST, Handed, Posted, on_the_bus_plain, post, posted
from tests.parcels import weighed
from tests.records import batch, in_order, notification, on_the_bus, record

EVENT = weighed("p", event_id="e-1")
NOON = datetime(2010, 12, 1, 12, tzinfo=UTC)


def describing() -> Handlers:
    """Return handlers of events that may be plain."""
    handlers = Handlers()
    handlers.on(Posted)(post)
    return handlers


@pytest.mark.parametrize(
    "body",
    [
        EVENT,
        on_the_bus(EVENT),
        notification(json.dumps(EVENT)),
        notification(json.dumps(on_the_bus(EVENT))),
    ],
    ids=["plain", "EventBridge", "SNS", "EventBridge in SNS"],
)
def test_an_event_is_found_however_it_is_wrapped(body: dict[str, Any]) -> None:
    """By itself, from the bus, from a topic, or from a topic that the bus sends to."""
    event = unwrap(json.dumps(body))

    assert (event.id, event.type) == ("e-1", "Weighed")
    assert json.loads(bytes(event.data)) == EVENT["data"]


def test_the_id_is_the_events_own() -> None:
    """The bus and the queue give every copy another one."""
    (delivery,) = listen(batch(record(on_the_bus(EVENT), message_id="m-9")))

    assert delivery.event is not None
    assert (delivery.event.id, delivery.message_id) == ("e-1", "m-9")


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def with_data(data: str) -> str:
    return json.dumps({**EVENT, "data": "here"}).replace('"here"', data)


def in_base64(data: str | bytes) -> dict[str, Any]:
    text = data.encode() if isinstance(data, str) else data
    return {name: value for name, value in EVENT.items() if name != "data"} | {
        "data_base64": base64.b64encode(text).decode()
    }


MALFORMED = {
    "empty": ("", "not JSON"),
    "words": ("an event", "^the body is not JSON"),
    "truncated": (json.dumps(EVENT)[:-2], "not JSON"),
    "more after it": (json.dumps(EVENT) + "{}", "not JSON"),
    "NaN": (with_data('{"grams": NaN}'), "not JSON"),
    "Infinity": (with_data('{"grams": -Infinity}'), "not JSON"),
    "a lone surrogate": (json.dumps(EVENT).replace("Weighed", "\ud800"), "^the body is not valid UTF-8"),
    "an escaped surrogate": (with_data('"\\ud800"'), "not JSON"),
    "a number": ("5", "no CloudEvents event"),
    "null": ("null", "no CloudEvents event"),
    "an array": ("[1, []]", "array of what are no events"),
    "an empty array": (" []", "it holds no events"),
    "records of nothing": ('{"Records": []}', "it holds no events"),
    "records that are none": ('{"Records": {"a": 1}}', "no CloudEvents event"),
    "too many events": (json.dumps([{}] * 1001), "1,001 events, and at most 1,000"),
    "no event": ('{"hello": "world"}', "no CloudEvents event"),
    "no id": (json.dumps({name: value for name, value in EVENT.items() if name != "id"}), "`id`"),
    "an id of the wrong type": (json.dumps({**EVENT, "id": 5}), r"\$.id"),
    "an empty id": (json.dumps({**EVENT, "id": ""}), r"\$.id"),
    "a time that is none": (json.dumps({**EVENT, "time": "noon"}), r"\$.time"),
    "hops that are none": (json.dumps({**EVENT, "hops": "x"}), r"\$\.hops"),
    "hops without end": (json.dumps({**EVENT, "hops": 7}).replace("7", "9" * 5000), r"\$\.hops"),
    "another specversion": (json.dumps({**EVENT, "specversion": "0.3"}), r"\$.specversion"),
    "no detail": (json.dumps(on_the_bus(EVENT) | {"detail": None}), "no CloudEvents event"),
    "a detail that is no event": (json.dumps(on_the_bus({"a": 1})), "no CloudEvents event"),
    "a notification of words": (json.dumps(notification("hello")), "not JSON"),
    "a notification of a surrogate": ('{"Message": "\\ud800"}', "not JSON"),
    "a notification of a number": ('{"Message": 5}', r"\$.Message"),
    "a deep body": (deep(100_000), "more than 64 levels"),
    "a deep body without an end": ("[" * 100_000, "more than 64 levels"),
    "a deep envelope": (json.dumps({**EVENT, "extra": "here"}).replace('"here"', deep(64)), "more than 64 levels"),
    "deep data": (with_data(deep(64)), "more than 64 levels"),
    "deep data on the bus": (json.dumps(on_the_bus(EVENT)).replace('"p"', deep(62)), "more than 64 levels"),
    "deep data on a topic": (json.dumps(notification(with_data(deep(63)))), "more than 63 levels"),
    "deep base64": (json.dumps(in_base64(deep(64))), "data_base64: it nests more than 63 levels"),
    "base64 of no UTF-8": (json.dumps(in_base64(b'{"parcel": "\xff"}')), "data_base64: it is not valid UTF-8"),
    "no base64": (
        json.dumps(in_base64("") | {"data_base64": "!"}),
        r"Invalid base64 encoded string - at `\$.data_base64`",
    ),
    "two kinds of data": (json.dumps({**EVENT, "data_base64": "e30="}), "has data and data_base64"),
    "two lines": ("not\njson", "the body is not JSON"),
    "too many bytes": (" " * MAX_BODY_BYTES + json.dumps(EVENT), r"1,048,\d+ bytes and at most 1,048,576"),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_what_holds_no_event_is_a_delivery_with_a_flaw(kind: str) -> None:
    """Its neighbours go on, and its reason says what it is, to whoever looks into the dead-letter queue."""
    body, says = MALFORMED[kind]

    before, delivery, after = listen(batch(record(EVENT), record(body), record(EVENT)))

    assert delivery.event is None
    with pytest.raises(MalformedMessageError, match=says):
        unwrap(body)
    assert before.event == after.event is not None


@pytest.mark.parametrize("kind", sorted(MALFORMED.keys() - {"empty", "a lone surrogate"}))
def test_a_malformed_body_is_kept_as_it_came(kind: str) -> None:
    """It is what is buried."""
    body, _ = MALFORMED[kind]

    (delivery,) = listen(batch(record(body)))

    assert delivery.body == body


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([EVENT, {**EVENT, "id": "e-2"}], "^the body holds 2 events$"),
        ([], "^the body holds no CloudEvents event: it holds no events$"),
        (S3_TEST, "^the body holds no CloudEvents event: S3's test of its notifications$"),
    ],
    ids=["two", "none", "a test"],
)
def test_a_body_that_is_to_be_one_event_is_no_more_and_no_less(body: Any, says: str) -> None:
    """Whoever unwraps one could lose the other."""
    with pytest.raises(MalformedMessageError, match=says):
        unwrap(json.dumps(body))


def test_two_events_of_a_message_are_each_a_part_of_it() -> None:
    """One alone is the message itself."""
    first, second, alone = listen(
        batch(record(json.dumps([EVENT, {**EVENT, "id": "e-2"}])), record(json.dumps([EVENT])))
    )

    assert (first.part_of, second.part_of, alone.part_of) == (first.whole, first.whole, None)
    assert (first.message_id, second.message_id) == (f"{first.whole}/0", f"{first.whole}/1")
    assert [each.begins for each in (first, second, alone)] == [True, False, True]


@pytest.mark.parametrize(
    ("known", "wanted"), [(None, "CloudEvents event"), (Handlers(), "CloudEvents event"), (describing(), "event")]
)
def test_a_flaw_says_what_was_wanted(known: Handlers | None, wanted: str) -> None:
    """Where a contract says how plain events are told, CloudEvents are not all that is taken."""
    (delivery,) = listen(batch(record('{"a": 1}')), known=known)

    assert delivery.flaw == f"the body holds no {wanted}: Object missing required field `id`"


def test_a_plain_event_is_about_what_its_contract_says() -> None:
    """By that it has its lane, though its envelope has no subject."""
    (delivery,) = listen(batch(record(on_the_bus_plain(posted(street="Baker Street")))), known=describing())

    assert delivery.event is not None
    assert (delivery.subject, delivery.event.subject) == ("Baker Street", None)


def test_data_alone_may_hold_another_event() -> None:
    """A body that is a contract's is taken by that, whatever its members are called."""
    handlers = Handlers()
    handlers.on(Handed)(post)

    (delivery,) = listen(batch(record({"parcel": "p", "detail": EVENT})), known=handlers)

    assert delivery.event is not None
    assert msgspec.json.decode(delivery.event.data) == {"parcel": "p", "detail": EVENT}


@pytest.mark.parametrize("depth", [1, 62])
def test_64_levels_are_read(depth: int) -> None:
    """An event that has them, wrappings included, is like any other."""
    (delivery,) = listen(batch(record(json.dumps(EVENT).replace('"p"', deep(depth)))))

    assert delivery.flaw is None


def on_a_topic(body: dict[str, Any]) -> dict[str, Any]:
    return notification(json.dumps(body))


@pytest.mark.parametrize(
    ("wrap", "most"),
    [(dict, 63), (on_the_bus, 62), (on_a_topic, 62), (lambda event: on_a_topic(on_the_bus(event)), 61)],
    ids=["plain", "EventBridge", "SNS", "EventBridge in SNS"],
)
def test_base64_is_one_of_the_levels_where_it_stands(wrap: Callable[[dict[str, Any]], Any], most: int) -> None:
    """What is in it is read like the rest of the body, and counts from there."""
    assert unwrap(json.dumps(wrap(in_base64(deep(most))))).id == "e-1"

    with pytest.raises(MalformedMessageError, match=f"data_base64: it nests more than {most} levels"):
        unwrap(json.dumps(wrap(in_base64(deep(most + 1)))))


@pytest.mark.parametrize(
    "attributes",
    [
        {"detail": {"specversion": "1.0"}},
        {"detail": "none of the bus's"},
        {"Message": "to whom it may concern"},
        {"Message": 5},
        {"Message": None, "detail": None},
        {"detail": {"a": 1}, "Message": "{}"},
    ],
    ids=repr,
)
def test_an_attribute_of_an_event_wraps_nothing(attributes: dict[str, Any]) -> None:
    """What says its `specversion` is the event, whatever its extension attributes are called."""
    assert unwrap(json.dumps({**EVENT, **attributes})).id == "e-1"
    assert unwrap(json.dumps(on_the_bus({**EVENT, **attributes}))).id == "e-1"
    assert unwrap(json.dumps(notification(json.dumps({**EVENT, **attributes})))).id == "e-1"


def test_what_wraps_may_have_members_that_are_null() -> None:
    """Null is not set."""
    nulls = {"specversion": None, "Message": None}

    assert unwrap(json.dumps({**nulls, **on_the_bus(EVENT)})).id == "e-1"
    assert unwrap(json.dumps({**nulls, "detail": None, **notification(json.dumps(EVENT))})).id == "e-1"


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_body_is_too_strange(body: str) -> None:
    """Any text is an event or has a flaw that can be said."""
    (delivery,) = listen(batch(record(body)))

    assert (delivery.event is None) == bool(delivery.flaw)


def test_a_bodys_size_is_counted_in_bytes() -> None:
    """As SQS counts it: a letter may take four."""
    body = json.dumps(weighed("€" * 10), ensure_ascii=False)
    size = len(body.encode())

    assert unwrap(body, max_bytes=size).id == "e-1"
    with pytest.raises(MalformedMessageError, match="bytes"):
        unwrap(body, max_bytes=size - 1)


def test_a_larger_body_than_is_taken_is_a_flaw() -> None:
    """Its neighbours are as large as they may be."""
    body = json.dumps(EVENT)

    most, more = listen(batch(record(body), record(f"{body} ")), max_body_bytes=len(body))

    assert (most.flaw, more.event) == (None, None)


def test_a_flaw_does_not_repeat_the_body() -> None:
    """What a payload says is nobody's business but its consumer's."""
    with pytest.raises(MalformedMessageError) as raised:
        unwrap('{"card": "4111 1111 1111 1111"')

    assert "4111" not in str(raised.value)


def test_a_delivery_knows_what_the_queue_calls_it() -> None:
    """By its receipt handle it is deleted, and by its message id it comes again."""
    (delivery,) = listen(batch(record(EVENT, message_id="m-9") | {"receiptHandle": "r-9"}))

    assert (delivery.message_id, delivery.receipt_handle) == ("m-9", "r-9")


def test_a_delivery_knows_how_often_it_came() -> None:
    """SQS counts."""
    (delivery,) = listen(batch(record(EVENT, receive_count=3)))

    assert delivery.receive_count == 3


def test_a_delivery_knows_how_old_it_is() -> None:
    """From the first time that its message was received; one that comes from the future is new."""
    (delivery,) = listen(batch(record(EVENT, first_received=NOON)))

    assert delivery.first_seen == NOON
    assert delivery.age(NOON + timedelta(hours=1)) == timedelta(hours=1)
    assert delivery.age(NOON - timedelta(hours=1)) == timedelta()


def test_a_group_is_a_fifo_queues() -> None:
    """A standard queue has groups, too, for fairness; they promise no order.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
    """
    ordered, fair, alone = listen(batch(in_order(EVENT, group="g"), record(EVENT, group="g"), record(EVENT)))

    assert (ordered.group_id, fair.group_id, alone.group_id) == ("g", None, None)
    assert (ordered.flaw, fair.flaw, alone.flaw) == (None, None, None)


def test_a_record_without_attributes_is_a_first_delivery() -> None:
    """A hand-written test event need not have them all."""
    bare = {"messageId": "m-1", "receiptHandle": "r-1", "body": json.dumps(EVENT), "eventSource": "aws:sqs"}

    (delivery,) = listen({"Records": [bare]})

    assert (delivery.receive_count, delivery.group_id, delivery.event is not None) == (1, None, True)


def test_an_empty_batch_has_no_deliveries() -> None:
    """Lambda sends none, but a person may."""
    assert listen({"Records": []}) == []


@pytest.mark.parametrize(
    "payload",
    [{}, {"Records": None}, {"Records": "records"}, {"Records": [{"eventSource": "aws:dynamodb"}]}, [], None],
    ids=["empty", "null", "text", "another source", "array", "nothing"],
)
def test_what_is_no_sqs_event_is_an_error(payload: Any) -> None:
    """There is no message that could be acknowledged: the trigger is wrong, not an event."""
    with pytest.raises(EachonceError, match="takes SQS events"):
        listen(payload)
