"""Kept keys: a secret that signs, and parameters that tell who may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import time_machine
from eachonce import AwsError, Event, KeptSigningKey, KeptVerifyingKeys, Retry, SigningKey, UnauthenticError
from eachonce.event import RawEvent, decode
from eachonce.keys import ASKED_AT_MOST_EVERY, MAX_AGE, KeptKey, folder_of

from tests import faults as wire
from tests.faults import Faults
from tests.store import Store

START = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
PATH = "/post-office/keys"
SECRET = "post-office/signing"
MOMENT = timedelta(seconds=1)


@dataclass
class Vault:
    """Secrets and parameters, those who sign and verify by them, and a clock."""

    store: Store
    faults: Faults
    clock: Any

    def __post_init__(self) -> None:
        self.store.aws.secretsmanager.create_secret(Name=SECRET, SecretString="the first secret")
        self.signer = self.another_signer()
        self.verifier = KeptVerifyingKeys(self.store.aws, PATH)

    def another_signer(self) -> KeptSigningKey:
        return KeptSigningKey(self.store.aws, SECRET, announce_below=PATH)

    def change_secret(self, secret: str) -> None:
        self.store.aws.secretsmanager.put_secret_value(SecretId=SECRET, SecretString=secret)

    def keep(self, key: SigningKey, *, source: str = "post", until: datetime | None = None, at: str = "") -> None:
        kept = KeptKey(source=source, public=key.public, until=until)
        self.put(at or kept.name(PATH), msgspec.json.encode(kept).decode())

    def put(self, name: str, value: str) -> None:
        self.store.aws.ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def names(self) -> list[str]:
        answer = self.store.aws.ssm.get_parameters_by_path(Path=PATH, Recursive=True)
        return [parameter["Name"] for parameter in answer["Parameters"]]

    def sign(self, signer: Any = None, *, source: str = "post") -> RawEvent:
        event = Event(id="e-1", source=source, type="Weighed", data={"parcel": "p"})
        return decode((self.signer if signer is None else signer).sign(event).encode())

    def verify(self, event: RawEvent, *, received: datetime | None = None) -> None:
        self.verifier.verify(event, received=datetime.now(UTC) if received is None else received)

    def asked(self) -> int:
        return self.faults.calls.count("GetParametersByPath")


@pytest.fixture
def vault(store: Store, faults: Faults) -> Iterator[Vault]:
    with time_machine.travel(START, tick=False) as clock:
        yield Vault(store, faults, clock)


def test_a_publisher_lets_its_key_be_known_before_it_signs_with_it(vault: Vault) -> None:
    """Whoever gets the event finds the key."""
    signed = vault.sign()

    vault.verify(signed)

    assert vault.names() == [f"{PATH}/post/{signed.signedby}"]


def test_what_is_kept_is_asked_for_once(vault: Vault) -> None:
    """Not for each event."""
    for _ in range(3):
        vault.verify(vault.sign())
    vault.faults.calls.clear()

    vault.verify(vault.sign())
    vault.clock.shift(MAX_AGE - MOMENT)
    vault.verify(vault.sign())

    assert vault.faults.calls == []


def test_two_publishers_of_one_secret_have_one_key(vault: Vault) -> None:
    """Whoever comes first lets it be known."""
    first, second = vault.sign(), vault.sign(vault.another_signer())

    assert first.encode() == second.encode()
    assert len(vault.names()) == 1


def test_two_publishers_may_let_a_key_be_known_at_once(vault: Vault) -> None:
    """One of them finds it there, and both go on."""
    other = vault.another_signer()
    vault.faults.next("PutParameter", wire.meanwhile(lambda: vault.sign(other)))

    vault.verify(vault.sign())


@pytest.mark.parametrize("fault", [wire.answer_lost, wire.never_sent, wire.refused("ThrottlingException")])
@pytest.mark.parametrize("call", ["GetSecretValue", "GetParameter", "PutParameter"])
def test_a_publisher_that_cant_ask_signs_the_next_time(vault: Vault, call: str, fault: wire.Fault) -> None:
    """What becomes of the event is nobody's fault: it isn't counted."""
    vault.faults.next(call, fault)
    with pytest.raises(AwsError):
        vault.sign()

    vault.verify(vault.sign())


@pytest.mark.parametrize("fault", [wire.answer_lost, wire.never_sent, wire.refused("AccessDeniedException")])
def test_a_consumer_that_cant_ask_doesnt_say_that_the_event_is_not_authentic(vault: Vault, fault: wire.Fault) -> None:
    """It comes again; and a batch of events waits for the answer once."""
    signed, received = vault.sign(), datetime.now(UTC)
    vault.faults.next("GetParametersByPath", fault)
    for _ in range(3):
        with pytest.raises(AwsError, match="the keys that may sign events"):
            vault.verify(signed, received=received)

    vault.clock.shift(MOMENT)
    vault.verify(signed)

    assert vault.asked() == 2


def test_a_new_secret_signs_and_the_former_ones_events_stay_good(vault: Vault) -> None:
    """A rotation: two keys are good, and nobody is told of it."""
    former = vault.sign()
    vault.verify(former)
    vault.change_secret("the second secret")
    vault.clock.shift(MAX_AGE + MOMENT)

    latter = vault.sign()

    assert former.signedby != latter.signedby
    for event in (former, latter):
        vault.verify(event)


def test_a_key_that_nobody_knew_yet_is_asked_for(vault: Vault) -> None:
    """A publisher may have got it since."""
    vault.verify(vault.sign())
    vault.change_secret("the second secret")
    vault.clock.shift(ASKED_AT_MOST_EVERY)

    vault.verify(vault.sign(vault.another_signer()))

    assert vault.asked() == 2


def test_forged_key_names_cost_one_call_each_while(vault: Vault) -> None:
    """Anybody can name keys: those that come too soon come again, and one that was asked for is refused."""
    vault.verify(vault.sign())
    forged = vault.sign(SigningKey.from_secret("a forger's"))

    vault.clock.shift(MOMENT)
    with pytest.raises(Retry) as waits:
        vault.verify(forged)
    vault.clock.shift(ASKED_AT_MOST_EVERY)
    batch = datetime.now(UTC)
    for _ in range(10):
        with pytest.raises(UnauthenticError, match="nobody here knows"):
            vault.verify(forged, received=batch)

    assert not waits.value.counted
    assert vault.asked() == 2


def test_an_unsigned_event_costs_no_call_of_its_own(vault: Vault) -> None:
    """Nobody has to be asked to refuse it."""
    vault.verify(vault.sign())
    vault.clock.shift(ASKED_AT_MOST_EVERY)
    unsigned = Event(id="e-1", source="post", type="Weighed", data=msgspec.Raw(b"{}"))

    with pytest.raises(UnauthenticError, match="not signed"):
        vault.verify(unsigned)

    assert vault.asked() == 1


def test_a_key_that_is_ended_is_refused_and_signs_no_more(vault: Vault) -> None:
    """Who holds its secret waits for another one, rather than publish what nobody takes."""
    key = SigningKey.from_secret("the first secret")
    signed = vault.sign()
    vault.keep(key, until=START)
    vault.clock.shift(MAX_AGE + MOMENT)

    with pytest.raises(UnauthenticError, match="expired"):
        vault.verify(signed)
    with pytest.raises(Retry, match="expired") as waits:
        vault.sign()

    assert not waits.value.counted


def test_a_publisher_never_writes_over_a_key(vault: Vault) -> None:
    """What an operator has ended stays ended."""
    key = SigningKey.from_secret("the first secret")
    vault.keep(key, until=START + timedelta(days=1))

    vault.sign()

    (name,) = vault.names()
    kept = json.loads(vault.store.aws.ssm.get_parameter(Name=name)["Parameter"]["Value"])
    assert kept["until"] == "2010-12-02T08:26:00Z"


@pytest.mark.parametrize(
    "value", ["", "no JSON", "{}", "[]", '{"source":"post","public":"AAAA"}', '{"source":"post","public":"***"}']
)
def test_a_parameter_that_is_no_key_harms_no_other(vault: Vault, value: str) -> None:
    """Whoever put it there."""
    signed = vault.sign()
    vault.put(f"{PATH}/post/other", value or " ")

    vault.verify(signed)


@pytest.mark.parametrize("name", ["till/{id}", "post/other", "{id}", "post/deeper/{id}"])
def test_a_key_is_where_its_source_may_write(vault: Vault, name: str) -> None:
    """Who may write below another source's folder can't speak for this one."""
    forger = SigningKey.from_secret("a forger's")
    vault.keep(forger, at=f"{PATH}/{name.format(id=forger.id)}")

    with pytest.raises(UnauthenticError, match="nobody here knows"):
        vault.verify(vault.sign(forger))


@pytest.mark.parametrize("source", ["com.example/orders", "https://example.com/ä?b=c", "a_b", "a" * 256, "é" * 256])
def test_any_source_has_a_folder(vault: Vault, source: str) -> None:
    """In characters that a parameter's name may have, and none for two of them."""
    vault.verify(vault.sign(source=source))


def test_no_two_sources_have_one_folder() -> None:
    """What is escaped can't be written."""
    sources = ["a/b", "a_2fb", "a.b", "a-b", "a b", "é" * 256, "é" * 255]

    assert len({folder_of(source) for source in sources}) == len(sources)


def test_more_keys_than_one_page_are_all_known(vault: Vault) -> None:
    """Systems Manager answers ten at a time."""
    signers = [SigningKey.from_secret(f"secret {number}") for number in range(12)]
    for key in signers:
        vault.keep(key)

    for key in signers:
        vault.verify(vault.sign(key))


def test_without_a_path_a_key_is_announced_nowhere(vault: Vault) -> None:
    """Its publisher needs no right to parameters."""
    signer = KeptSigningKey(vault.store.aws, SECRET)

    vault.faults.calls.clear()

    vault.sign(signer)

    assert vault.faults.calls == ["GetSecretValue"]
