"""Authentic events: who publishes signs, and what isn't authentic meets no handler and no journal."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from eachonce import (
    AwsError,
    Consumer,
    Contract,
    Endpoint,
    Event,
    Publisher,
    PublishError,
    SigningKey,
    VerifyingKeys,
    Work,
    describe,
)
from eachonce.event import decode
from eachonce.journal import unpack_outbox

from tests.faults import Faults, never_sent
from tests.parcels import Registered, Weighed, announce, weigh, weigh_and_announce, weighed
from tests.printed import Printed
from tests.records import Context, batch, in_order, notification, on_the_bus, record, returned
from tests.store import BUS, Store

Make = Callable[..., Consumer]

KEY = SigningKey.from_secret("the post office's")
FORGER = SigningKey.from_secret("a forger's")
KEYS = VerifyingKeys(KEY.verifying("post"))


def signed(event: dict[str, Any] | None = None, *, key: SigningKey = KEY) -> dict[str, Any]:
    text = msgspec.json.encode(weighed() if event is None else event)
    sealed: dict[str, Any] = json.loads(key.sign(decode(text)).encode())
    return sealed


def altered(**changed: Any) -> dict[str, Any]:
    return {**signed(), **changed}


NOT_AUTHENTIC = {
    "unsigned": weighed(),
    "with other data": altered(data={"parcel": "p", "grams": 999}),
    "under another id": altered(id="e-2"),
    "as another type": altered(type="Registered"),
    "as another source's": altered(source="till"),
    "for another tenant": altered(tenant="south"),
    "with a forger's key": signed(key=FORGER),
    "with a forger's key under another name": {**signed(key=FORGER), "signedby": KEY.id},
    "without its key": altered(signedby=None),
}


@pytest.fixture
def post(make_consumer: Make) -> Consumer:
    return make_consumer((Weighed, weigh), (Registered, weigh), verify=KEYS)


@pytest.mark.parametrize("wrapped", [dict, on_the_bus, lambda event: notification(json.dumps(event))])
def test_an_authentic_event_is_handled(
    post: Consumer, store: Store, context: Context, wrapped: Callable[[Any], Any]
) -> None:
    """In whichever form it comes."""
    post(batch(record(wrapped(signed()))), context)

    assert store.item("Weights", parcel="p")["grams"] == 100


@pytest.mark.parametrize("event", NOT_AUTHENTIC.values(), ids=NOT_AUTHENTIC)
def test_what_is_not_authentic_meets_no_handler_and_no_journal(
    post: Consumer, store: Store, context: Context, event: dict[str, Any]
) -> None:
    """It is buried with its reason; nothing is noted under the id that it claims, which is another's."""
    response = post(batch(record(on_the_bus(event), receive_count=3)), context)

    (letter,) = store.dead_letters()
    assert response == {"batchItemFailures": []}
    assert letter["notes"]["reason"].startswith("the event is ")
    assert letter["notes"]["error"] == "UnauthenticError"
    assert json.loads(letter["Body"])["detail"] == event
    assert store.items("Weights") == []
    assert store.items("Journal") == []


def test_a_forgery_blocks_no_real_event(post: Consumer, store: Store, context: Context) -> None:
    """Whether it comes before or after, or has the same id, or the same subject."""
    forged = altered(data={"parcel": "p", "grams": 999})

    post(batch(record(forged), record(signed()), record(forged)), context)

    assert store.item("Weights", parcel="p")["grams"] == 100
    assert len(store.dead_letters()) == 2


def test_a_forgery_doesnt_hold_up_its_subject(make_consumer: Make, store: Store, context: Context) -> None:
    """What it says it is about is a forger's word."""
    post = make_consumer((Weighed, weigh), verify=KEYS, ordered=True)
    forged = {**altered(data={}), "subject": "p"}

    response = post(batch(record(forged), record(signed({**weighed(), "subject": "p"}))), context)

    assert returned(response) == []
    assert store.item("Weights", parcel="p")["grams"] == 100


def test_no_word_of_a_forgery_is_told(post: Consumer, store: Store, context: Context, printed: Printed) -> None:
    """Neither in a log nor beside the dead letter: it is a stranger's text."""
    post(batch(record(altered(id="confidential-1", subject="confidential-2", signedby="confidential-3"))), context)

    (letter,) = store.dead_letters()
    assert "confidential" not in str(letter["notes"])
    assert "confidential" not in str(printed.lines())


def test_one_forgery_of_a_message_of_several_leaves_the_others(post: Consumer, store: Store, context: Context) -> None:
    """Each event of a message has a fate of its own."""
    events = [signed(), altered(id="e-9"), signed(weighed("q", event_id="e-2"))]

    post(batch(record(json.dumps(events))), context)

    assert {item["parcel"] for item in store.items("Weights")} == {"p", "q"}
    assert len(store.dead_letters()) == 1


class Asleep:
    """A verifier that can't ask just now."""

    def verify(self, event: Any, **_: Any) -> None:
        raise AwsError("AWS did not give the keys", code="ThrottlingException")


def test_an_event_that_cant_be_checked_now_comes_again(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """Uncounted, unhandled, and with the reason in the log."""
    post = make_consumer((Weighed, weigh), verify=Asleep())

    response = post(batch(record(signed(), message_id="m-1", receive_count=99)), context)

    assert returned(response) == ["m-1"]
    assert store.dead_letters() == store.items("Journal") == store.items("Weights") == []
    (line,) = printed.logs()
    assert line["error"] == "ThrottlingException"
    assert line["reason"] == "nobody can say now whether the event is authentic: AWS did not give the keys"


def test_what_follows_an_event_that_cant_be_checked_waits_for_it(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """Where order counts: of a subject, and of a message group."""

    class Drowsy:
        def verify(self, event: Any, **_: Any) -> None:
            if event.id == "e-1":
                Asleep().verify(event)

    first, second = (signed({**weighed(event_id=event_id), "subject": "p"}) for event_id in ("e-1", "e-2"))
    ordered = make_consumer((Weighed, weigh), verify=Drowsy(), ordered=True)
    grouped = make_consumer((Weighed, weigh), verify=Drowsy())

    of_a_subject = ordered(batch(record(first, message_id="1"), record(second, message_id="2")), context)
    of_a_group = grouped(
        batch(in_order(first, group="g", message_id="1"), in_order(second, group="g", message_id="2")), context
    )

    assert returned(of_a_subject) == returned(of_a_group) == ["1", "2"]


def test_what_a_handler_publishes_is_signed_at_the_commit(make_consumer: Make, store: Store, context: Context) -> None:
    """The outbox holds it, so that the relay needs no key."""
    make_consumer((Weighed, weigh_and_announce), sign_with=KEY)(batch(record(weighed())), context)

    (text,) = unpack_outbox(bytes(store.journal("post")["outbox"]))
    KEYS.verify(decode(text), received=None)  # type: ignore[arg-type]


def test_what_an_endpoint_publishes_is_signed(store: Store, context: Context) -> None:
    """As a consumer's is."""
    desk = Endpoint("desk", sign_with=KEY, aws=store.aws, settings=store.settings)
    desk.on(Weighed)(announce)

    desk({"parcel": "p"}, context)

    (text,) = unpack_outbox(bytes(store.journal("desk", "p")["outbox"]))
    KEYS.verify(decode(text), received=None)  # type: ignore[arg-type]


@describe(identity="parcel", plain=True)
class Bare(Contract, frozen=True, kw_only=True):
    """What is published as data alone."""

    parcel: str


def test_a_plain_event_is_not_committed_unsigned(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """It has no place for a signature, and its handler's author hears of it."""

    def publish(event: Event[Weighed], work: Work) -> None:
        work.publish(Bare(parcel=event.data.parcel))

    response = make_consumer((Weighed, publish), sign_with=KEY)(batch(record(weighed(), message_id="m-1")), context)

    assert returned(response) == ["m-1"]
    assert "outbox" not in store.journal("post")
    assert any("can't be signed" in line.get("reason", "") for line in printed.lines())


def test_a_signer_that_cant_ask_counts_no_attempt(make_consumer: Make, store: Store, context: Context) -> None:
    """The handler did its part."""

    class Locked:
        def sign(self, event: Any) -> Any:
            raise AwsError("AWS did not give the signing secret", code="ThrottlingException")

    post = make_consumer((Weighed, weigh_and_announce), sign_with=Locked())

    response = post(batch(record(weighed(), message_id="m-1")), context)

    assert returned(response) == ["m-1"]
    assert store.items("Journal") == store.items("Weights") == []


EVENT = Event(id="e-1", source="post", type="Weighed", data=Weighed(parcel="p"))


@pytest.mark.parametrize(
    "given",
    [EVENT, EVENT.encode(), b'{"specversion":"1.0","id":"e-1","source":"post","type":"Weighed","data":{},"mine":1}'],
)
def test_a_publisher_signs_what_it_is_given(store: Store, bus: str, given: Event[Any] | bytes) -> None:
    """An event or its text, of which nothing else is changed."""
    Publisher(store.aws.events, BUS, sign_with=KEY).publish([given])

    (event,) = store.on_the_bus(bus)
    KEYS.verify(decode(json.dumps(event).encode()), received=None)  # type: ignore[arg-type]
    text = given if isinstance(given, bytes) else given.encode()
    assert {**event, "signature": None, "signedby": None} == {**json.loads(text), "signature": None, "signedby": None}


@pytest.mark.parametrize(
    "plain",
    [
        Event(id="e-2", source="post", type="Bare", data=Bare(parcel="p")),
        b'{"specversion":"1.0","id":"e-2","source":"post","type":"Bare","data":{},"eachonceform":"plain"}',
    ],
)
def test_a_publisher_sends_no_plain_event_unsigned(store: Store, bus: str, plain: Event[Any] | bytes) -> None:
    """The others go."""
    with pytest.raises(PublishError) as refused:
        Publisher(store.aws.events, BUS, sign_with=KEY).publish([plain, EVENT])

    (unsent,) = refused.value.unsent
    assert (unsent.place, unsent.code) == (0, "HandlerError")
    assert "plain" in unsent.message
    assert [event["id"] for event in store.on_the_bus(bus)] == ["e-1"]


def test_a_publisher_that_cant_ask_for_its_key_names_the_event_and_why(store: Store, bus: str) -> None:
    """By AWS's own word."""

    class Locked:
        def sign(self, event: Any) -> Any:
            raise AwsError("AWS did not give the signing secret", code="ThrottlingException")

    with pytest.raises(PublishError) as refused:
        Publisher(store.aws.events, BUS, sign_with=Locked()).publish([EVENT])

    (unsent,) = refused.value.unsent
    assert (unsent.place, unsent.code) == (0, "ThrottlingException")
    assert "did not give the signing secret" in unsent.message


def test_a_signed_text_keeps_its_numbers_as_they_are_written(store: Store, bus: str, faults: Faults) -> None:
    """Read and written again, they would be others."""
    text = b'{"specversion":"1.0","id":"e-1","source":"post","type":"Weighed","data":{"grams":1.50}}'

    Publisher(store.aws.events, BUS, sign_with=KEY).publish([text])

    ((_, request),) = [request for request in faults.requests if request[0] == "PutEvents"]
    assert '"grams":1.50' in request["Entries"][0]["Detail"]


def test_a_function_signs_and_verifies_by_what_its_environment_names(
    store: Store, faults: Faults, context: Context
) -> None:
    """Three variables, and no word in the code."""
    store.aws.secretsmanager.create_secret(Name="post/signing", SecretString="a long and random secret")
    path = "/post/keys"
    settings = replace(store.settings, signing_secret="post/signing", signing_keys=path, verifying_keys=path)
    desk = Endpoint("desk", aws=store.aws, settings=settings)
    desk.on(Weighed)(lambda event, work: work.publish(Weighed(parcel=event.data.parcel)))
    post = Consumer("post", aws=store.aws, settings=settings)
    post.on(Weighed)(weigh)

    desk({"parcel": "p"}, context)
    (text,) = unpack_outbox(bytes(store.journal("desk", "p")["outbox"]))
    post(batch(record(bytes(text).decode()), record(weighed(event_id="e-9"))), context)

    assert store.item("Weights", parcel="p")["grams"] == 100
    assert [letter["notes"]["reason"] for letter in store.dead_letters()] == ["the event is not signed"]


def test_a_key_unknown_a_moment_after_the_keys_were_read_may_be_known_soon(store: Store, context: Context) -> None:
    """Read after the event was received, they would have had it."""
    settings = replace(store.settings, verifying_keys="/post/keys")
    post = Consumer("post", aws=store.aws, settings=settings)
    post.on(Weighed)(weigh)

    first, second = (post(batch(record(signed(), message_id="m-1")), context) for _ in range(2))

    assert (returned(first), returned(second)) == ([], ["m-1"])


def test_what_is_not_used_asks_nobody(make_consumer: Make, faults: Faults, context: Context) -> None:
    """Neither for keys nor for a secret: nor is there a client for them."""
    post = make_consumer((Weighed, weigh_and_announce))

    post(batch(record(weighed())), context)

    assert set(faults.calls) == {"TransactWriteItems"}


def test_a_lost_call_of_a_reading_publisher_is_made_again(store: Store, faults: Faults, context: Context) -> None:
    """A first event that found no secret is handled when it comes again."""
    store.aws.secretsmanager.create_secret(Name="post/signing", SecretString="a long and random secret")
    settings = replace(store.settings, signing_secret="post/signing")
    post = Consumer("post", aws=store.aws, settings=settings)
    post.on(Weighed)(weigh_and_announce)
    faults.next("GetSecretValue", never_sent)

    first = post(batch(record(weighed(), message_id="m-1")), context)
    second = post(batch(record(weighed(), message_id="m-1", receive_count=2)), context)

    assert (returned(first), returned(second)) == (["m-1"], [])
    assert store.item("Weights", parcel="p")["grams"] == 100
