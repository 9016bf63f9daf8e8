"""Events in every form: each is taken once, however it comes, and what can't be told from others is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from eachonce import Consumer, Contract, Event, HandlerError, Retry, Work, describe
from eachonce.body import MAX_EVENTS
from eachonce.depth import MAX_LEVELS
from eachonce.listener import MAX_BODY_BYTES, listen, unwrap
from eachonce.s3 import ObjectCreated, ObjectCreatedNotification, ObjectRemovedNotification

from eachonce_workbench.operations.dead_letter import DeadLetter
from tests.forms import (
    FORMS,
    RAW_FORMS,
    S3_TEST,
    SOURCE,
    TYPE,
    Handed,
    Posted,
    attributes,
    binary,
    object_created,
    on_a_topic,
    on_the_bus_plain,
    post,
    posted,
    s3_records,
)
from tests.printed import Printed
from tests.records import Context, batch, cloud_event, on_the_bus, record, returned
from tests.store import Store

Make = Callable[..., Consumer]

ALL = {**{name: (Posted, form) for name, form in FORMS.items()}, **{name: (Handed, f) for name, f in RAW_FORMS.items()}}


def weights(store: Store) -> dict[str, int]:
    return {item["parcel"]: int(item["grams"]) for item in store.items("Weights")}


@pytest.mark.parametrize("name", ALL)
def test_an_event_of_any_form_takes_effect_once(
    make_consumer: Make, store: Store, context: Context, printed: Printed, name: str
) -> None:
    """Twice in one batch, beside a poisoned neighbour, and once more in another."""
    contract, form = ALL[name]
    consumer = make_consumer((contract, post))

    consumer(batch(form("p"), record("poison"), form("p"), form("q")), context)
    consumer(batch(form("p")), context)

    assert weights(store) == {"p": 100, "q": 100}
    assert printed.counts() == {"Done": 2, "Duplicate": 2, "Rejected": 1}


@pytest.mark.parametrize("name", ALL)
def test_the_same_identity_with_other_content_is_refused(
    make_consumer: Make, store: Store, context: Context, name: str
) -> None:
    """It would be lost as a duplicate: a person decides."""
    contract, form = ALL[name]
    consumer = make_consumer((contract, post))

    consumer(batch(form("p")), context)
    consumer(batch(form("p", grams=7)), context)

    assert weights(store) == {"p": 100}
    (dead,) = store.dead_letters()
    assert dead["notes"]["reason"] == "the event id was used before with different content"


@pytest.mark.parametrize("name", ALL)
def test_a_dead_letter_of_any_form_says_of_which_type_it_is(
    make_consumer: Make, store: Store, context: Context, name: str
) -> None:
    """By its body, or, where a contract alone knows, by what is noted beside it."""
    contract, form = ALL[name]
    consumer = make_consumer((contract, post))

    consumer(batch(form("p")), context)
    consumer(batch(form("p", grams=7)), context)

    (dead,) = store.dead_letters()
    noted = {name: {"StringValue": text} for name, text in dead["notes"].items()}
    sent = {"MessageId": "m", "Attributes": {"SentTimestamp": "0"}, "Body": dead["Body"], "MessageAttributes": noted}
    assert DeadLetter.of("post", sent).event_type == TYPE


@pytest.mark.parametrize("name", ALL)
def test_what_was_buried_is_the_same_event_when_it_is_sent_back(
    make_consumer: Make, store: Store, context: Context, name: str
) -> None:
    """A redrive sends the body alone; nothing of the event may be lost with what stood beside it."""
    contract, form = ALL[name]
    make_consumer((contract, post))(batch(form("p", grams="heavy")), context)
    (dead,) = store.dead_letters()

    consumer = make_consumer((contract, post))
    consumer(batch(form("q")), context)
    consumer(batch(record(dead["Body"].replace('"heavy"', "100"))), context)
    consumer(batch(form("p")), context)

    assert weights(store) == {"p": 100, "q": 100}


def test_a_plain_event_is_told_by_its_type_and_fields(make_consumer: Make, store: Store, context: Context) -> None:
    """Two types with the same fields are two events, and the bus's own id is nobody's."""
    paid = describe(type="parcel.paid", source=SOURCE, identity="parcel")(type("Paid", (Posted,), {}))
    consumer = make_consumer((Posted, post), (paid, post))

    consumer(
        batch(
            record(on_the_bus_plain(posted(), envelope_id="bus-1")),
            record(on_the_bus_plain(posted(), envelope_id="bus-2")),
            record(on_the_bus_plain(posted(), event_type="parcel.paid", envelope_id="bus-3")),
        ),
        context,
    )

    assert weights(store) == {"p": 200}
    assert store.journal("post", f"{TYPE}|p") is not None


def test_the_envelopes_id_is_an_identity_where_the_contract_asks_for_it(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """Then what is published twice is two events."""
    counted = describe(type=TYPE, source=SOURCE, identity="envelope")(type("Counted", (Posted,), {}))
    consumer = make_consumer((counted, post))

    for envelope_id in ("bus-1", "bus-1", "bus-2"):
        consumer(batch(record(on_the_bus_plain(posted(), envelope_id=envelope_id))), context)

    assert weights(store) == {"p": 200}


def test_a_raw_bodys_envelope_is_its_message(make_consumer: Make, store: Store, context: Context) -> None:
    """And a topic's is the notification."""
    raw = describe(type=TYPE, source=SOURCE, identity="envelope", raw=True)(type("Raw", (Handed,), {}))
    consumer = make_consumer((raw, post))

    consumer(batch(record(posted(), message_id="m-1"), record(posted(), message_id="m-1")), context)
    consumer(batch(record(on_a_topic(posted())), record(on_a_topic(posted()))), context)

    assert weights(store) == {"p": 200}


WITHOUT_IDENTITY = {
    "no field": ({"grams": 1}, "Object missing required field `parcel`"),
    "null": (posted(None), r"Expected `int \| str`, got `null` - at `$.parcel`"),
    "empty": (posted(""), "Expected `str` of length >= 1 - at `$.parcel`"),
    "true": (posted(True), "got `bool` - at `$.parcel`"),
    "a fraction": (posted(1.5), "got `float` - at `$.parcel`"),
    "an object": (posted({"a": "4111"}), "got `object` - at `$.parcel`"),
    "no object": (["4111"], "Expected `object`, got `array`"),
    "text": ("4111", "Expected `object`, got `str`"),
}


@pytest.mark.parametrize("shape", WITHOUT_IDENTITY)
def test_what_has_no_identity_is_refused_with_its_reason(
    make_consumer: Make, store: Store, context: Context, shape: str
) -> None:
    """Never guessed: it could not be told from its copy."""
    detail, says = WITHOUT_IDENTITY[shape]

    response = make_consumer((Posted, post))(
        batch(record(on_the_bus_plain(detail)), record(on_the_bus_plain(posted("q")))), context
    )

    assert response == {"batchItemFailures": []}
    assert weights(store) == {"q": 100}
    (dead,) = store.dead_letters()
    assert says.replace("\\", "") in dead["notes"]["reason"]
    assert "4111" not in dead["notes"]["reason"]


def test_a_plain_event_of_a_contract_that_says_no_identity_is_refused(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """What the bus calls it by differs for every copy."""

    class Plain(Contract, frozen=True):
        parcel: str

    make_consumer((Plain, post))(batch(record(on_the_bus_plain(posted(), event_type="Plain"))), context)

    (dead,) = store.dead_letters()
    assert "by which fields a plain one is told, its contract doesn't say" in dead["notes"]["reason"]


@pytest.mark.parametrize("unknown", ["reject", "ignore"])
@pytest.mark.parametrize(
    "body",
    [
        on_the_bus_plain(posted(), event_type="parcel.lost"),
        on_the_bus_plain(posted(), source="bank"),
        s3_records("cat.jpg"),
        s3_records("cat.jpg", "dog.jpg"),
    ],
    ids=["type", "source", "S3", "S3 of two"],
)
def test_an_event_that_nobody_takes_is_unknown_in_any_form(
    make_consumer: Make, store: Store, context: Context, body: Any, unknown: str
) -> None:
    """Rejected, or ignored, as the consumer says; its identity is of no interest."""
    make_consumer((Posted, post), unknown=unknown)(batch(record(body)), context)

    reasons = {dead["notes"]["reason"] for dead in store.dead_letters()}
    assert reasons == (set() if unknown == "ignore" else {"post has no handler for events of this type"})


def test_one_type_of_two_sources_has_two_handlers(make_consumer: Make, store: Store, context: Context) -> None:
    """A type is its publisher's word."""
    lighter = describe(type=TYPE, source="bank", identity="parcel")(type("Lighter", (Posted,), {}))

    def weigh_one(event: Event[Any], work: Work) -> None:
        work.add("Weights", {"parcel": event.data.parcel}, grams=1)

    make_consumer((Posted, post), (lighter, weigh_one))(
        batch(record(on_the_bus_plain(posted("p"))), record(on_the_bus_plain(posted("q"), source="bank"))), context
    )

    assert weights(store) == {"p": 100, "q": 1}


def note_object(event: Event[Any], work: Work) -> None:
    data = event.data
    key = data.object.key if isinstance(data, ObjectCreated) else data.s3.object.name
    work.add("Weights", {"parcel": key}, grams=1)


def test_an_object_on_the_bus_is_told_by_bucket_key_and_sequencer(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """The shipped contract has it so."""
    consumer = make_consumer((ObjectCreated, note_object))

    consumer(batch(*[record(object_created(sequencer=each)) for each in ("0055", "0055", "0056")]), context)

    assert weights(store) == {"cat.jpg": 2}
    assert store.journal("post", "Object Created|photos|cat.jpg|0055", source="aws.s3") is not None


def test_each_record_of_a_notification_is_an_event_of_its_own(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """However S3 puts them together; a key is what it is, whatever kind of upload made it."""
    consumer = make_consumer((ObjectCreatedNotification, note_object), (ObjectRemovedNotification, note_object))

    consumer(batch(record(s3_records("red+cat.jpg", "dog.jpg")), record(s3_records("dog.jpg"))), context)
    consumer(batch(record(s3_records("dog.jpg", event_name="ObjectRemoved:Delete", sequencer="0056"))), context)

    assert weights(store) == {"red cat.jpg": 1, "dog.jpg": 2}
    assert printed.counts() == {"Done": 3, "Duplicate": 1}


@pytest.mark.parametrize("wrap", [dict, on_a_topic], ids=["a queue", "a topic"])
def test_s3s_test_of_its_notifications_is_let_go(
    make_consumer: Make, store: Store, context: Context, printed: Printed, wrap: Callable[[Any], Any]
) -> None:
    """It says nothing of an object."""
    consumer = make_consumer((ObjectCreatedNotification, note_object))

    response = consumer(batch(record(wrap(S3_TEST))), context)

    assert (response, store.dead_letters()) == ({"batchItemFailures": []}, [])
    line, metrics = printed.lines()
    assert (line["message"], line["reason"]) == ("ignored", "S3's test of its notifications")
    assert metrics["Ignored"] == [1]


def moody(event: Event[Any], work: Work) -> None:
    post(event, work)
    if event.data.parcel == "fails":
        raise ValueError("broken")
    if event.data.parcel == "later":
        raise Retry(counted=False)


def events(*parcels: str) -> dict[str, Any]:
    return record(json.dumps([cloud_event(TYPE, posted(one), event_id=f"e-{one}") for one in parcels]), message_id="m")


def test_a_message_comes_again_with_the_worst_of_its_events(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """What is done stays done, and is a duplicate the next time."""
    consumer = make_consumer((Posted, moody))

    first = consumer(batch(events("a", "later", "b"), record(on_the_bus_plain(posted("c")))), context)
    again = make_consumer((Posted, post))(batch(events("a", "later", "b")), context)

    assert (returned(first), returned(again)) == (["m"], [])
    assert weights(store) == {"a": 100, "b": 100, "c": 100, "later": 100}
    assert printed.counts() == {"Done": 4, "Retried": 1, "Duplicate": 2}


def test_a_refused_event_of_several_is_buried_alone_when_its_message_leaves(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """Not each time that the message comes, for a neighbour's sake."""
    body = json.dumps([cloud_event(TYPE, posted("later"), event_id="e-1"), {"a": 1}, cloud_event("X", {})])
    message = record(body, message_id="m")

    first = make_consumer((Posted, moody))(batch(message), context)
    early = store.dead_letters()
    last = make_consumer((Posted, post))(batch(message), context)

    assert (returned(first), early, returned(last)) == (["m"], [], [])
    dead = store.dead_letters()
    assert {letter["Body"] for letter in dead} == {'{"a": 1}', json.dumps(cloud_event("X", {}))}
    assert weights(store) == {"later": 100}


def test_an_event_of_several_is_rejected_after_its_own_attempts(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """Its neighbours' tries are not its own."""
    consumer = make_consumer((Posted, moody), max_attempts=2, concurrency=1)

    responses = [consumer(batch(events("a", "fails")), context) for _ in range(2)]

    assert [returned(one) for one in responses] == [["m"], ["m"]]


def test_several_events_of_one_subject_are_a_lane(make_consumer: Make, store: Store, context: Context) -> None:
    """As the events of several messages are, where the contract says what a plain one is about."""
    seen: list[str] = []

    def see(event: Event[Any], work: Work) -> None:
        seen.append(event.data.parcel)

    details = [posted(str(number), street="High Street") for number in range(5)]
    make_consumer((Posted, see))(batch(*[record(on_the_bus_plain(detail)) for detail in details]), context)

    assert seen == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("prefix", ["ce_", "ce-", "CE-", "cloudEvents:", "cloudEvents_"])
def test_binary_attributes_are_found_by_any_of_their_prefixes(
    make_consumer: Make, store: Store, context: Context, prefix: str
) -> None:
    """There is no binding to SQS that says which."""
    event = cloud_event(TYPE, posted(), hops=3, time="2010-12-01T08:26:00Z")

    make_consumer((Posted, post))(batch(binary(event, prefix=prefix)), context)

    assert weights(store) == {"p": 100}


ODD_ATTRIBUTES = {
    "no id": ({"ce_id": ...}, "Object missing required field `id`"),
    "an empty id": ({"ce_id": attributes(x="")["x"]}, "$.id"),
    "another version": ({"ce_specversion": attributes(x="0.3")["x"]}, "$.specversion"),
    "bytes": ({"ce_id": {"binaryValue": "QUJD", "dataType": "Binary"}}, "the message attribute of id is not text"),
    "null": ({"ce_id": None}, "the message attribute of id is not text"),
    "a number": ({"ce_type": 5}, "the message attribute of type is not text"),
    "a surrogate": ({"ce_id": {"stringValue": "\ud800"}}, "the message attribute of id is not text"),
    "two ids": ({"ce-id": attributes(x="other")["x"]}, "said twice"),
    "hops without end": ({"ce_hops": attributes(x="many")["x"]}, "$.hops"),
    "a time that is none": ({"ce_time": attributes(x="noon")["x"]}, "$.time"),
}


@pytest.mark.parametrize("shape", ODD_ATTRIBUTES)
def test_attributes_that_are_no_events_are_a_flaw(
    make_consumer: Make, store: Store, context: Context, shape: str
) -> None:
    """And the record is buried with all of them."""
    changes, says = ODD_ATTRIBUTES[shape]
    odd = binary(cloud_event(TYPE, posted()), message_id="m-odd")
    named = {name: value for name, value in (odd["messageAttributes"] | changes).items() if value is not ...}
    odd["messageAttributes"] = named

    response = make_consumer((Posted, post))(batch(odd, record(on_the_bus_plain(posted("q")))), context)

    assert response == {"batchItemFailures": []}
    assert weights(store) == {"q": 100}
    (dead,) = store.dead_letters()
    assert says in dead["notes"]["reason"]
    assert json.loads(dead["Body"])["messageAttributes"] == named


@pytest.mark.parametrize("said", [None, [], 5, "x", {"ce_id": attributes(x="e")["x"]}, {"5": {}}, {"content-type": 5}])
def test_attributes_that_say_no_event_change_nothing(
    make_consumer: Make, store: Store, context: Context, said: Any
) -> None:
    """A filter of a topic may need some; the event is in the body."""
    body = record(cloud_event(TYPE, posted())) | {"messageAttributes": said}

    make_consumer((Posted, post))(batch(body), context)

    assert weights(store) == {"p": 100}


def test_a_body_that_names_its_version_is_the_event_itself(make_consumer: Make, store: Store, context: Context) -> None:
    """Whatever the attributes beside it say for the sake of filters."""
    said = attributes(ce_specversion="1.0", ce_id="other", ce_type="Other", ce_source="other")
    body = record(cloud_event(TYPE, posted(), event_id="e-7")) | {"messageAttributes": said}

    make_consumer((Posted, post))(batch(body), context)

    assert store.journal("post", "e-7") is not None


@pytest.mark.parametrize("member", ["detail", "Message", "Records", "other"])
def test_an_event_of_a_batch_without_a_version_is_read_again_from_a_dead_letter(member: str) -> None:
    """Alone, it is no other form for a member that it has."""
    element = {**cloud_event(TYPE, {}), member: "x"}
    del element["specversion"]

    (delivery, _) = listen(batch(record(json.dumps([element, element]))))

    (again,) = listen(batch(record(delivery.body)))
    assert delivery.event is not None
    assert again.event == delivery.event


@pytest.mark.parametrize(("levels", "taken"), [(MAX_LEVELS - 1, True), (MAX_LEVELS, False)])
def test_what_is_read_in_binary_form_is_read_again_from_a_dead_letter(levels: int, taken: bool) -> None:
    """Its attributes go around it there: the data may nest as deep as in any other event, a level less than a body."""
    made = binary(cloud_event(TYPE, {})) | {"body": "[" * levels + "]" * levels}

    (delivery,) = listen(batch(made))

    assert (delivery.event is not None, delivery.flaw is None) == (taken, taken)
    if taken:
        (again,) = listen(batch(record(delivery.body)))
        assert again.event == delivery.event


def test_what_is_no_json_in_binary_form_is_kept_as_base64(make_consumer: Make, store: Store, context: Context) -> None:
    """A picture breaks the contract, and no part of the event is lost."""
    event = binary({**cloud_event(TYPE, "GIF89a"), "data": "GIF89a"})

    make_consumer((Posted, post))(batch(event), context)

    (dead,) = store.dead_letters()
    assert json.loads(dead["Body"])["data_base64"] == "R0lGODlh"
    assert unwrap(dead["Body"]).id == "e-1"


def test_a_batch_may_be_empty_where_it_says_that_it_is_one(make_consumer: Make, store: Store, context: Context) -> None:
    """As CloudEvents has it; anything else that holds nothing is a flaw."""
    said = {"messageAttributes": attributes(contentType="application/cloudevents-batch+json; charset=utf-8")}

    make_consumer((Posted, post))(batch(record("[]") | said, record("[]")), context)

    (dead,) = store.dead_letters()
    assert "it holds no events" in dead["notes"]["reason"]


def test_a_message_of_too_many_events_is_one_flaw(make_consumer: Make, store: Store, context: Context) -> None:
    """Nobody could handle them in their time."""
    make_consumer((Posted, post))(batch(record(json.dumps([{}] * (MAX_EVENTS + 1)))), context)

    (dead,) = store.dead_letters()
    assert "1,001 events" in dead["notes"]["reason"]


DEEP = "[" * 70 + "]" * 70

TOO_MUCH: dict[str, Any] = {
    "plain": lambda deep: json.dumps(on_the_bus_plain(posted(x=0))).replace('"x": 0', f'"x": {deep}'),
    "on a topic": lambda deep: json.dumps(
        on_a_topic(0) | {"Message": json.dumps(on_the_bus_plain(posted(x=0))).replace('"x": 0', f'"x": {deep}')}
    ),
    "S3": lambda deep: json.dumps(s3_records("a")).replace('"size": 1024', f'"size": {deep}'),
    "a batch": lambda deep: f'[{{"a": {deep}}}]',
}


@pytest.mark.parametrize("name", TOO_MUCH)
@pytest.mark.parametrize("what", [DEEP, '"' + "x" * MAX_BODY_BYTES + '"'], ids=["deep", "large"])
def test_limits_hold_in_every_form(make_consumer: Make, store: Store, context: Context, name: str, what: str) -> None:
    """64 levels, and 1 MiB."""
    consumer = make_consumer((Posted, post), (ObjectCreatedNotification, note_object), concurrency=1)

    consumer(batch(record(TOO_MUCH[name](what))), context)

    assert weights(store) == {}
    (delivery,) = consumer_deliveries(consumer, TOO_MUCH[name](what))
    assert "levels" in str(delivery.flaw) or "bytes" in str(delivery.flaw)


def consumer_deliveries(consumer: Consumer, body: str) -> Any:
    return listen(batch(record(body)), known=consumer)


@pytest.mark.parametrize(
    "said",
    [
        {"raw": True},
        {"raw": True, "source": "post"},
        {"raw": True, "identity": "parcel"},
        {"plain": True},
        {"plain": True, "identity": "envelope"},
        {"identity": ()},
        {"identity": ("a", "a.b")},
        {"identity": "a..b"},
        {"identity": 5},
        {"type": ""},
        {"type": 5},
        {"source": "x" * 257},
        {"subject": ""},
    ],
    ids=str,
)
def test_what_can_not_be_meant_is_refused_where_it_is_said(said: dict[str, Any]) -> None:
    """Not when the first event comes."""
    with pytest.raises(HandlerError):
        describe(**said)(type("Odd", (Posted,), {}))
    with pytest.raises(HandlerError):
        Consumer("post").on(Contract, **({"type": "T"} | said))


def test_two_raw_contracts_are_refused() -> None:
    """Nothing would tell their bodies apart."""
    consumer = Consumer("post")
    consumer.on(Handed)(post)

    with pytest.raises(HandlerError, match="raw"):
        consumer.on(Handed, type="other")(post)


def test_an_event_on_the_bus_that_is_cloudevents_keeps_its_own_id(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """Whatever its contract says of plain ones."""
    make_consumer((Posted, post))(batch(record(on_the_bus(cloud_event(TYPE, posted(), event_id="e-9")))), context)

    assert store.journal("post", "e-9") is not None


@pytest.mark.parametrize(
    "message",
    [
        binary(cloud_event(TYPE, posted(grams="heavy"), subject="Peru\uffff")),
        record(json.dumps([cloud_event(TYPE, posted(name="Peru\uffff", grams="heavy"))], ensure_ascii=False)),
    ],
    ids=["binary", "a batch"],
)
def test_a_part_with_a_character_that_no_queue_takes_is_buried_too(
    make_consumer: Make, store: Store, context: Context, message: Any
) -> None:
    """It is JSON, in which a character may be written as an escape."""
    response = make_consumer((Posted, post))(batch(message), context)

    assert response == {"batchItemFailures": []}
    (dead,) = store.dead_letters()
    assert "Peru\uffff" in json.dumps(json.loads(dead["Body"]), ensure_ascii=False)
