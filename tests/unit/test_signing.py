"""Signing: an event says who published it, and whoever has the public key can tell."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from eachonce import Event, HandlerError, MissingPackageError, SigningKey, UnauthenticError, VerifyingKeys, signing
from eachonce.cryptography_package import require_cryptography
from eachonce.event import PLAIN, RawEvent, decode
from eachonce.signing import signed_bytes

from tests.parcels import Weighed

KEY = SigningKey.from_secret("a long and random secret")
NOW = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)

EVENT: Event[Any] = Event(
    id="e-1",
    source="post",
    type="Weighed",
    data=Weighed(parcel="p", grams=250),
    time=NOW,
    subject="p",
    dataschema="https://example.com/weighed",
    tenant="north",
    sequence="7",
    correlationid="c-1",
    causationid="c-2",
    hops=3,
)

TRACE = {"traceparent", "tracestate"}
# Whatever travels with an event and isn't the signature itself.
ATTRIBUTES = sorted(set(Event.__struct_fields__) - {"data", "form", "request", "signature", "signedby", *TRACE})


def arrived(event: Event[Any], **changed: Any) -> RawEvent:
    """Return the event as it is read at the other end."""
    return decode(msgspec.json.encode({**json.loads(event.encode()), **changed}))


def keys(*sources: str, until: datetime | None = None, of: SigningKey = KEY) -> VerifyingKeys:
    return VerifyingKeys(of.verifying(*(sources or ("post",)), until=until), clock=lambda: NOW)


def verify(event: RawEvent, known: VerifyingKeys | None = None) -> None:
    (keys() if known is None else known).verify(event, received=NOW)


def refusal(event: RawEvent, known: VerifyingKeys | None = None) -> str:
    with pytest.raises(UnauthenticError) as refused:
        verify(event, known)
    return refused.value.reason


def test_a_signed_event_is_authentic() -> None:
    """Signed here, written, read there."""
    verify(arrived(KEY.sign(EVENT)))


def test_an_event_of_few_attributes_is_authentic() -> None:
    """What is not set isn't signed, and nor is it missed."""
    verify(arrived(KEY.sign(Event(id="e-1", source="post", type="Weighed", data=Weighed(parcel="p")))))


def test_signing_again_gives_the_same_signature() -> None:
    """A handler that runs again publishes the same bytes."""
    assert KEY.sign(EVENT).encode() == KEY.sign(EVENT).encode() == KEY.sign(KEY.sign(EVENT)).encode()


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_no_attribute_can_be_altered(name: str) -> None:
    """The event is the one that was signed, in all that it says of itself."""
    was = json.loads(KEY.sign(EVENT).encode())[name]
    other = was + 1 if name == "hops" else "2011-01-01T00:00:00Z" if name == "time" else f"{was}x"

    reason = refusal(arrived(KEY.sign(EVENT), **{name: other}), keys("post", "postx"))

    assert "altered" in reason


@pytest.mark.parametrize("name", sorted({*ATTRIBUTES} - {"id", "source", "type"}))
def test_no_attribute_can_be_left_out(name: str) -> None:
    """An attribute that is gone is an alteration, too."""
    assert "altered" in refusal(arrived(KEY.sign(EVENT), **{name: None}))


@pytest.mark.parametrize("name", sorted({*ATTRIBUTES} - {"id", "source", "type", "hops", "time"}))
def test_no_attribute_can_be_added(name: str) -> None:
    """What wasn't set when the event was signed can't be set later."""
    bare = KEY.sign(msgspec.structs.replace(EVENT, **{name: None}))

    assert "altered" in refusal(arrived(bare, **{name: "x"}))


@pytest.mark.parametrize(
    "data",
    [{"parcel": "p", "grams": 251}, {"parcel": "q", "grams": 250}, {"parcel": "p"}, {}, [], None, "x"],
    ids=str,
)
def test_no_data_can_be_altered(data: Any) -> None:
    """Not a number, a text, a field, or all of it."""
    assert "altered" in refusal(arrived(KEY.sign(EVENT), data=data))


def test_no_text_can_move_from_one_attribute_into_the_next() -> None:
    """Each has its length before it."""
    one = Event(id="e-1", source="post", type="Weighed", data={}, subject="ab", tenant="c")
    other = msgspec.structs.replace(one, subject="a", tenant="bc")

    assert signed_bytes(one) != signed_bytes(other)


@pytest.mark.parametrize(
    "text",
    [
        b'{"parcel":"p","grams":250}',
        b'{"grams": 250, "parcel": "p"}',
        b'{ "parcel" : "\\u0070", "grams" : 2.5e2 }',
        b'{"parcel":"p","grams":250.0}',
    ],
)
def test_json_that_is_written_anew_is_the_same(text: bytes) -> None:
    """A bus may change the order of keys, white space, escapes and the form of numbers."""
    signed = arrived(KEY.sign(EVENT))

    verify(signed.with_data(msgspec.Raw(text)))


def test_the_same_moment_in_another_zone_is_the_same() -> None:
    """A time is signed by its value."""
    verify(arrived(KEY.sign(EVENT), time="2010-12-01T09:26:00+01:00"))


@pytest.mark.parametrize(
    "name",
    ["signature", "signedby"],
)
@pytest.mark.parametrize("value", [None, "", "x", "=", "é", "a" * 86, "A" * 4096])
def test_what_is_no_signature_is_refused(name: str, value: str | None) -> None:
    """Whatever stands in its place: nothing is raised but the reason."""
    assert refusal(arrived(KEY.sign(EVENT), **{name: value})).startswith("the event is ")


@pytest.mark.parametrize("written", [lambda text: f"{text}==", lambda text: f"{text}\n", lambda text: f" {text}"])
def test_a_signature_is_written_in_one_way(written: Callable[[str], str]) -> None:
    """Else copies of an event would differ, and each be authentic."""
    signed = KEY.sign(EVENT)

    assert "altered" in refusal(arrived(signed, signature=written(str(signed.signature))))


def test_a_trace_may_go_on() -> None:
    """It says nothing of the event, and whoever passes it on may add to it."""
    verify(arrived(KEY.sign(EVENT), traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))


def test_an_unsigned_event_says_so() -> None:
    """It is the publisher who is to be mended."""
    assert refusal(arrived(EVENT)) == "the event is not signed"


def test_a_key_that_nobody_knows_is_refused() -> None:
    """Anybody can make a key."""
    signed = SigningKey.from_secret("somebody else's").sign(EVENT)

    assert refusal(arrived(signed)) == "the event is signed with a key that nobody here knows"


def test_a_key_speaks_for_its_own_sources_alone() -> None:
    """A publisher's key doesn't let it speak for another one."""
    reason = refusal(arrived(KEY.sign(EVENT)), keys("till"))

    assert reason == "the event is signed with a key that may not speak for its source"


@pytest.mark.parametrize(("left", "good"), [(timedelta(seconds=1), True), (timedelta(), False)])
def test_a_key_is_good_until_its_end(left: timedelta, *, good: bool) -> None:
    """At the end itself it is expired."""
    known = keys(until=NOW + left)

    if good:
        verify(arrived(KEY.sign(EVENT)), known)
    else:
        assert refusal(arrived(KEY.sign(EVENT)), known) == "the event is signed with a key that has expired"


def test_two_keys_are_good_during_a_rotation() -> None:
    """The former one's events are still under way."""
    former, latter = KEY, SigningKey.from_secret("the next secret")
    both = [*former.verifying("post", until=NOW + timedelta(days=28)), *latter.verifying("post")]
    known = VerifyingKeys(both, clock=lambda: NOW)

    for key in (former, latter):
        verify(arrived(key.sign(EVENT)), known)


def test_another_keys_signature_under_a_known_keys_name_is_refused() -> None:
    """A key's name can be written by anybody, what it signs can't."""
    forged = SigningKey.from_secret("a forger's").sign(EVENT)

    assert "altered" in refusal(arrived(forged, signedby=KEY.id))


def test_a_plain_event_cant_be_signed() -> None:
    """Its detail is the data alone: rather an error than an event that nobody can check."""
    with pytest.raises(HandlerError, match="plain"):
        KEY.sign(msgspec.structs.replace(EVENT, form=PLAIN))


def test_a_key_follows_from_its_secret_and_is_no_other_keys() -> None:
    """It is derived for this use: the secret's own bytes are no key."""
    secret = "x" * 32

    assert SigningKey.from_secret(secret) == SigningKey.from_secret(secret.encode())
    assert SigningKey.from_secret(secret) != SigningKey(secret.encode())
    assert KEY.id == SigningKey(KEY.seed).id != SigningKey.from_secret(secret).id


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_has_32_bytes(size: int) -> None:
    """A shorter one would be no key, and be noticed late."""
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(b"x" * size)


def test_a_private_key_is_in_no_log() -> None:
    """Not by accident, in a traceback or a print."""
    assert base64.b64encode(KEY.seed).decode() not in repr(KEY)
    assert repr(KEY.seed) not in repr(KEY)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be installed, and no ImportError from deep inside."""
    for name in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    for cached in (require_cryptography, signing._private, signing._public_of):
        cached.cache_clear()

    with pytest.raises(MissingPackageError, match=r"eachonce\[crypto\]"):
        KEY.sign(EVENT)
