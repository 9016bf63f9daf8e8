"""Encryption: personal fields on their way through events."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest
from eachonce import (
    ERASED,
    HIDDEN,
    Consumer,
    Contract,
    Endpoint,
    Event,
    HandlerError,
    Personal,
    Publisher,
    Settings,
    Work,
    describe,
)
from eachonce.encryption import Encryption
from eachonce.event import RawEvent
from eachonce.identity import fingerprint
from eachonce.journal import unpack_outbox

from tests import faults as wire
from tests.parcels import Weighed, weighed
from tests.people import HOMES, KINDS, SECRET, Joined, joined, nothing, privately, ring
from tests.records import Context, batch, record
from tests.store import Store

Make = Callable[..., Consumer]


@pytest.fixture
def private(store: Store) -> Settings:
    """The settings of a function that has the keys; the store's own are those of one that has not."""
    return privately(store)


def published(store: Store, settings: Settings, data: Any, *, event_id: str = "e-1", **attributes: Any) -> RawEvent:
    """Return an event as it leaves a process."""
    event: Event[Any] = Event(id=event_id, source="post", type="Joined", data=data, **attributes)
    return Encryption(ring(store, settings), reads=False).encrypted(event, data)


def read(store: Store, settings: Settings, event: RawEvent, kind: type[Any] = Joined) -> Any:
    """Return what another process reads."""
    return Encryption(ring(store, settings), reads=settings.personal_key is not None).decoded(event, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_published_field_is_read_where_the_keys_are(store: Store, private: Settings, kind: type[Any]) -> None:
    """And nowhere on the way: no personal text is in the event."""
    data = joined(kind)

    event = published(store, private, data)

    assert not any(text in bytes(event.data).decode() for text in (SECRET, "Ada", "ada street"))
    assert b'"country":"UK"' in bytes(event.data)
    assert read(store, private, event, kind) == data


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_without_the_keys_finds_the_fields_hidden(store: Store, private: Settings, kind: type[Any]) -> None:
    """Whatever limits the contract has; all else is there, and of the contract's own classes."""
    event = published(store, private, joined(kind))

    found = read(store, store.settings, event, kind)

    assert (found.mail, found.nick, found.homes[0].street) == (HIDDEN, HIDDEN, HIDDEN)
    assert found.mail is HIDDEN
    assert (found.member, found.homes[0].country, len(found.homes)) == (7, "UK", 1)
    assert isinstance(found, kind)
    assert type(found.homes[0]) is HOMES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_fields_of_an_erased_subject_are_erased(store: Store, private: Settings, kind: type[Any]) -> None:
    """For whoever has the keys; the event is handled like any other."""
    event = published(store, private, joined(kind))
    ring(store, private).erase(None, "7")

    found = read(store, private, event, kind)

    assert found.mail is ERASED
    assert found.homes[0].street is ERASED
    assert isinstance(found, kind)


def test_what_breaks_the_contract_beside_a_hidden_field_is_rejected(store: Store, private: Settings) -> None:
    """Only the fields that can't be read are let through."""
    event = published(store, private, joined())
    broken = event.with_data(msgspec.Raw(bytes(event.data).replace(b'"UK"', b'"U"')))

    with pytest.raises(Exception, match="length >= 2") as raised:
        read(store, store.settings, broken)

    assert "homes" in str(raised.value)


@pytest.mark.parametrize(
    "altered",
    [
        lambda text: text.replace('"mail":"eachonce:1:', '"mail":"eachonce:2:'),
        lambda text: text.replace('"mail":"eachonce:1:', '"mail":"eachonce:1:A'),
        lambda text: msgspec.json.encode({**json.loads(text), "mail": json.loads(text)["nick"]}).decode(),
        lambda text: msgspec.json.encode({**json.loads(text), "mail": json.loads(text)["mail"][:-1]}).decode(),
        lambda text: msgspec.json.encode({**json.loads(text), "mail": json.loads(text)["mail"][:60]}).decode(),
        lambda text: msgspec.json.encode({**json.loads(text), "mail": _flipped(json.loads(text)["mail"], 15)}).decode(),
        lambda text: msgspec.json.encode({**json.loads(text), "mail": _flipped(json.loads(text)["mail"], 60)}).decode(),
    ],
    ids=["version", "longer id", "another field's", "cut", "cut short", "another key", "one bit"],
)
def test_an_altered_field_is_rejected(store: Store, private: Settings, altered: Callable[[str], str]) -> None:
    """With a reason that says no more than that."""
    event = published(store, private, joined())
    event = event.with_data(msgspec.Raw(altered(bytes(event.data).decode()).encode()))

    with pytest.raises(Exception, match="Joined: a personal field"):
        read(store, private, event)


def _flipped(text: str, place: int) -> str:
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


@pytest.mark.parametrize("name", ["id", "source", "type", "tenant"])
def test_a_field_of_another_event_is_rejected(store: Store, private: Settings, name: str) -> None:
    """The same text under another id, source, type or tenant is nobody's."""
    event = msgspec.structs.replace(published(store, private, joined()), **{name: "another"})

    with pytest.raises(Exception, match="encrypted for another event or field"):
        read(store, private, event)


def test_what_is_published_again_is_the_same_to_the_byte(store: Store, private: Settings) -> None:
    """In another process, too: a copy must have the same fingerprint."""
    once, again = (published(store, private, joined()) for _ in range(2))

    other = published(store, private, joined(), event_id="e-2")

    assert bytes(once.data) == bytes(again.data)
    assert bytes(once.data) != bytes(other.data)


@pytest.mark.parametrize("text", ["eachonce:hidden", "eachonce:erased", "eachonce:1:x", "", "é\u0000\U0001f600"])
def test_any_text_comes_back_as_it_was(store: Store, private: Settings, text: str) -> None:
    """What looks like an encrypted text, or like HIDDEN, too."""
    found = read(store, private, published(store, private, Joined(member=7, mail=SECRET, nick=text)))

    assert str(found.nick) == text
    assert type(found.nick) is str


@pytest.mark.parametrize("unread", [HIDDEN, ERASED])
def test_what_could_not_be_read_is_published_as_such(store: Store, private: Settings, unread: Any) -> None:
    """It needs no key, and is nobody's text."""
    data = Joined(member=7, mail="@", nick=unread)

    assert read(store, private, published(store, private, data)).nick is unread
    assert read(store, private, published(store, private, data)).mail == "@"


@pytest.mark.parametrize("unread", [HIDDEN, ERASED])
def test_there_is_one_of_each(unread: Any) -> None:
    """Equal to itself alone, however it travels; no text is equal to it."""
    assert pickle.loads(pickle.dumps(unread)) is unread
    assert copy.copy(unread) is copy.deepcopy(unread) is unread
    assert unread != str(unread)
    assert str(unread) != unread
    assert json.loads(json.dumps(unread)) == str(unread)
    assert repr(unread) in {"HIDDEN", "ERASED"}
    assert HIDDEN != ERASED


def test_nothing_is_asked_of_anybody_for_a_contract_without_marks(
    make_consumer: Make, store: Store, faults: Any, context: Context
) -> None:
    """Nor for an event in which no field is encrypted."""
    handled = make_consumer((Weighed, nothing))(batch(record(weighed())), context)

    assert handled == {"batchItemFailures": []}
    assert not {"GetItem", "Decrypt", "GenerateDataKey"} & set(faults.calls)


def test_what_a_handler_publishes_is_encrypted_in_the_journal(
    make_consumer: Make, store: Store, private: Settings, bus: str, context: Context
) -> None:
    """From the commit on: in the outbox, on the bus, in whatever queue."""
    store.settings = private

    def publish(event: Event[Weighed], work: Work) -> None:
        work.publish(joined())

    make_consumer((Weighed, publish))(batch(record(weighed())), context)

    (event,) = unpack_outbox(bytes(store.journal("post")["outbox"]))  # type: ignore[index]
    assert SECRET.encode() not in bytes(event)
    assert b"eachonce:1:" in bytes(event)


def test_a_publisher_encrypts_with_the_ring_that_it_is_given(store: Store, private: Settings, bus: str) -> None:
    """And refuses to publish such a contract without one."""
    event = Event(id="e", source="post", type="Joined", data=joined())

    Publisher(store.aws.events, str(store.settings.bus), encrypt_with=ring(store, private)).publish([event])

    (told,) = store.on_the_bus(bus)
    assert told["data"]["mail"].startswith("eachonce:1:")
    with pytest.raises(HandlerError, match="encrypt_with"):
        Publisher(store.aws.events, str(store.settings.bus)).publish([event])


def test_where_fields_are_published_in_clear_somebody_has_said_so(store: Store) -> None:
    """Without a key, and without that word, nothing is published."""
    settings = Settings(tables=store.settings.tables, personal_key="none")

    assert SECRET.encode() in published(store, settings, joined()).encode()
    with pytest.raises(Exception, match=r"TABLE_KEYS|PERSONAL_KEY"):
        published(store, store.settings, joined())


def test_personal_fields_of_nobody_are_refused(store: Store, private: Settings) -> None:
    """No person and no subject: there is no key to encrypt them with. Without a value there is nothing to encrypt."""

    class Anonymous(Contract, frozen=True, kw_only=True):
        mail: Annotated[str | None, Personal] = None

    with pytest.raises(Exception, match="neither a person nor a subject"):
        published(store, private, Anonymous(mail=SECRET))
    assert bytes(published(store, private, Anonymous()).data) == b'{"mail":null}'


class Card(Contract, frozen=True, kw_only=True):
    number: Annotated[int, Personal]


class Friends(Contract, frozen=True, kw_only=True):
    names: Annotated[tuple[str, ...], Personal]


class Tags(Contract, frozen=True, kw_only=True):
    names: set[Annotated[str, Personal]]


class ByName(Contract, frozen=True, kw_only=True):
    ages: dict[Annotated[str, Personal], int]


class InARow(Contract, frozen=True, kw_only=True, array_like=True):
    name: Annotated[str, Personal]


class Tree(Contract, frozen=True, kw_only=True):
    name: Annotated[str, Personal]
    under: tuple[Tree, ...] = ()


@describe(source="post", identity="name", plain=True)
class Named(Contract, frozen=True, kw_only=True):
    name: Annotated[str, Personal]


@describe(subject="name")
class About(Contract, frozen=True, kw_only=True):
    name: Annotated[str, Personal]


@pytest.mark.parametrize("contract", [Card, Friends, Tags, ByName, InARow, Tree, Named, About])
def test_a_mark_that_can_not_be_kept_is_refused_where_it_is_registered(contract: type[Any]) -> None:
    """What somebody takes for encrypted must not go in clear."""
    with pytest.raises(HandlerError, match="personal"):
        Consumer("post").on(contract)


@describe(type="member.joined", source="post", identity="member", person="member", plain=True)
class Plain(Contract, frozen=True, kw_only=True):
    member: int
    mail: Annotated[str, Personal]


def test_a_plain_events_fields_are_bound_to_what_it_is_known_by_where_it_arrives(
    make_consumer: Make, store: Store, private: Settings, bus: str, context: Context
) -> None:
    """Its id is in its fields there, and it has no tenant."""
    seen = []
    data = Plain(member=7, mail=SECRET)
    event = Event(id="any", source="post", type="member.joined", tenant="acme", data=data)
    Publisher(store.aws.events, str(store.settings.bus), encrypt_with=ring(store, private)).publish([event])
    (message,) = store.messages(bus)

    handlers = (Plain, lambda event, work: seen.append(event.data))
    make_consumer(handlers, decrypt_with=ring(store, private))(batch(record(message["Body"])), context)

    assert SECRET not in message["Body"]
    assert seen == [data]


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_what_an_exception_says_of_a_person_is_logged_by_nobody(
    make_consumer: Make,
    store: Store,
    private: Settings,
    context: Context,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    level: str,
) -> None:
    """A handler has the field in clear, and so may whatever it raises; not even DEBUG tells it."""
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", level)

    def fail(event: Event[Joined], work: Work) -> None:
        raise ValueError(f"{event.data.mail} is no mail")

    event = published(store, private, joined())
    body = {**json.loads(msgspec.json.encode(event))}
    make_consumer((Joined, fail), decrypt_with=ring(store, private))(batch(record(body)), context)

    printed = capsys.readouterr()
    assert "ValueError" in printed.out
    assert SECRET not in printed.out + printed.err
    assert SECRET not in str(store.items("Journal"))


def endpoint(store: Store, settings: Settings, seen: list[Any]) -> Endpoint:
    made = Endpoint("members", aws=store.aws, settings=settings)

    @made.on(Joined)
    def join(event: Event[Joined], work: Work) -> None:
        seen.append(event.data)
        work.publish(Weighed(parcel="p"))

    return made


def request(mail: str = SECRET) -> dict[str, Any]:
    body = json.dumps({"member": 7, "mail": mail, "homes": []})
    return {"requestContext": {}, "headers": {"idempotency-key": "k"}, "body": body}


def test_a_request_is_in_clear_inside_the_function_alone(store: Store, private: Settings, context: Context) -> None:
    """Its fingerprint is one of what is encrypted: nobody guesses values by it, and copies are told all the same."""
    seen: list[Any] = []
    first = endpoint(store, private, seen)(request(), context)
    again = endpoint(store, private, seen)(request(), context)
    other = endpoint(store, private, seen)(request("b@example.org"), context)

    clear = Event(id="k", source="post", type="Joined", data=msgspec.Raw(request()["body"].encode()))
    assert [answer["statusCode"] for answer in (first, again, other)] == [202, 200, 422]
    assert seen[0] == Joined(member=7, mail=SECRET)
    assert fingerprint(clear) != store.journal("members", "k")["fingerprint"]  # type: ignore[index]
    assert SECRET not in str(store.items("Journal")) + str(store.aws.dynamodb.scan(TableName="post-Keys"))


def test_a_request_whose_keys_can_not_be_had_now_is_answered_so(
    store: Store, private: Settings, context: Context, faults: wire.Faults
) -> None:
    """503: the same request again is safe."""
    faults.next("GenerateDataKey", wire.refused("ThrottlingException"))

    answer = endpoint(store, private, [])(request(), context)

    assert answer["statusCode"] == 503
    assert endpoint(store, private, [])(request(), context)["statusCode"] == 202


def test_an_event_whose_key_can_not_be_had_comes_again_uncounted(
    make_consumer: Make, store: Store, private: Settings, context: Context, faults: wire.Faults, queue: str
) -> None:
    """Whether KMS is down or the function has no right: nobody takes HIDDEN for a value, and nothing is rejected."""
    seen: list[Any] = []
    event = json.loads(published(store, private, joined()).encode())
    handlers = (Joined, lambda event, work: seen.append(event.data))
    faults.next("Decrypt", wire.refused("AccessDeniedException"))

    consumer = make_consumer(handlers, decrypt_with=ring(store, private))
    failed = consumer(batch(record(event)), context)

    assert len(failed["batchItemFailures"]) == 1
    assert (seen, store.journal("post"), store.dead_letters()) == ([], None, [])
    consumer(batch(record(event)), context)
    assert seen == [joined()]


def test_an_altered_field_ends_in_the_dead_letter_queue(
    make_consumer: Make, store: Store, private: Settings, context: Context, queue: str
) -> None:
    """At a consumer that reads; with the reason."""
    event = json.loads(published(store, private, joined()).encode())
    event["data"]["mail"] = event["data"]["nick"]

    make_consumer((Joined, nothing), decrypt_with=ring(store, private))(batch(record(event)), context)

    (letter,) = store.dead_letters()
    assert letter["notes"]["reason"].startswith("Joined: a personal field is altered")
