"""The keys of a stack, as an operator sees them, and a rotation of the one that signs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from eachonce import Event, KeptSigningKey, KeptVerifyingKeys, Settings, SigningKey
from eachonce.event import RawEvent, decode
from eachonce.keys import KeptKey

from eachonce_workbench.operations.keys import KnownKey, Signing, known_keys, personal_keys, signing_of
from eachonce_workbench.operations.rotation import GOOD_FOR, Rotated, RotationError, rotate
from eachonce_workbench.operations.stack import Stack
from tests import faults as wire
from tests.people import privately, ring
from tests.store import Store

PATH, SECRET = "/keys/post-dev", "post/signing"
NOW = datetime.now(UTC)
SETTINGS = Settings(source="post", signing_secret=SECRET, signing_keys=PATH, verifying_keys=PATH)
STACK = Stack(
    name="post-dev",
    journal_table=None,
    readers=(),
    consumers=(),
    endpoints=(),
    settings=(SETTINGS, Settings(verifying_keys=PATH)),
)


class Office:
    """A stack whose functions sign and verify, and an operator."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.aws.secretsmanager.create_secret(Name=SECRET, SecretString="the first secret")

    def client(self, service: str) -> Any:
        return getattr(self.store.aws, service)

    def publish(self, source: str = "post") -> RawEvent:
        """Sign an event as a function would that begins now."""
        signer = KeptSigningKey(self.store.aws, SECRET, announce_below=PATH)
        return decode(signer.sign(Event(id="e-1", source=source, type="Weighed", data={})).encode())

    def verify(self, event: RawEvent) -> None:
        """Raise where a consumer would reject an event."""
        KeptVerifyingKeys(self.store.aws, PATH).verify(event, received=datetime.now(UTC))

    def known(self) -> list[KnownKey]:
        return known_keys(self.client, STACK)

    def rotate(self, signing: Signing | None = None) -> Rotated:
        (only,) = signing_of(STACK)
        return rotate(self.client, only if signing is None else signing, self.known(), now=NOW)

    def until(self, key: KnownKey) -> datetime | None:
        text = self.store.aws.ssm.get_parameter(Name=key.parameter)["Parameter"]["Value"]
        return msgspec.json.decode(text, type=KeptKey).until

    def end(self, key: KnownKey, at: datetime) -> None:
        kept = KeptKey(source=key.kept.source, public=key.kept.public, until=at)
        value = msgspec.json.encode(kept).decode()
        self.store.aws.ssm.put_parameter(Name=key.parameter, Value=value, Type="String", Overwrite=True)


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def test_a_key_is_known_by_what_it_is_for(office: Office) -> None:
    """Who signs with it, for which source, since when and until when; and nothing of the secret."""
    office.publish()

    (key,) = office.known()

    first = SigningKey.from_secret("the first secret")
    assert (key.kept.key.id, key.kept.source, key.signs, key.until) == (first.id, "post", True, None)
    assert abs(key.written - NOW) < timedelta(hours=1)
    assert key.state(NOW) == "signs"
    assert "the first secret" not in repr(key.told(NOW))


def test_a_parameter_that_is_no_key_is_none(office: Office) -> None:
    """As for who verifies: one in another source's folder is nobody's."""
    office.publish()
    (key,) = office.known()
    value = office.store.aws.ssm.get_parameter(Name=key.parameter)["Parameter"]["Value"]
    for name, text in (("/post/x", "{}"), ("/bank/" + key.kept.key.id, value)):
        office.store.aws.ssm.put_parameter(Name=PATH + name, Value=text, Type="String")

    assert office.known() == [key]


def test_who_may_not_read_the_secret_is_told_so(office: Office, faults: wire.Faults) -> None:
    """The keys are listed all the same; which of them signs is another matter."""
    office.publish()
    faults.next("GetSecretValue", wire.refused("AccessDeniedException"))

    (key,) = office.known()

    assert (key.signs, key.state(NOW)) == (None, "good")


def test_a_rotation_signs_with_another_key_and_both_are_good(office: Office) -> None:
    """What the former key has signed is on its way for a while."""
    before = office.publish()

    rotated = office.rotate()
    after = office.publish()

    assert after.signedby == rotated.key_id != before.signedby
    assert [key.kept.key.id for key in rotated.former] == [before.signedby]
    office.verify(before)
    office.verify(after)
    states = {key.kept.key.id: (key.signs, key.kept.until) for key in office.known()}
    assert states == {before.signedby: (False, NOW + GOOD_FOR), after.signedby: (True, None)}


def test_each_source_of_the_former_key_has_the_new_one(office: Office) -> None:
    """A contract may say a source of its own."""
    office.publish()
    office.publish(source="bank")

    rotated = office.rotate()

    assert set(rotated.sources) == {"post", "bank"}
    office.verify(office.publish(source="bank"))


def test_the_key_is_known_before_anybody_signs_with_it(office: Office, faults: wire.Faults) -> None:
    """Else what is signed meanwhile would be rejected."""
    office.rotate()

    assert faults.calls.index("PutParameter") < faults.calls.index("PutSecretValue")


@pytest.mark.parametrize("fault", [wire.never_sent, wire.answer_lost])
def test_where_the_secret_may_be_another_one_or_not_nothing_is_rejected(
    office: Office, faults: wire.Faults, fault: Any
) -> None:
    """Whichever key signs then, it is known; the former one has no end yet, and the same command again ends both."""
    before = office.publish()
    faults.next("PutSecretValue", fault)

    with pytest.raises(RotationError, match="eachonce keys list"):
        office.rotate()

    office.verify(before)
    office.verify(office.publish())
    assert {office.until(key) for key in office.known()} == {None}


def test_where_the_parameter_can_not_be_written_the_secret_stays(office: Office, faults: wire.Faults) -> None:
    """A new key that nobody knows would sign for nobody."""
    office.publish()
    faults.next("PutParameter", wire.refused("AccessDeniedException"))

    with pytest.raises(Exception, match="AccessDenied"):
        office.rotate()

    assert "PutSecretValue" not in faults.calls
    assert office.publish().signedby == SigningKey.from_secret("the first secret").id


def test_a_former_key_that_can_not_be_ended_is_told(office: Office, faults: wire.Faults) -> None:
    """The new one signs by then."""
    office.publish()
    faults.next("GetParameter", wire.refused("ThrottlingException"))

    with pytest.raises(RotationError, match="has no end"):
        office.rotate()

    assert office.publish().signedby != SigningKey.from_secret("the first secret").id


def test_an_end_that_somebody_has_set_stays(office: Office, faults: wire.Faults) -> None:
    """A key that leaked is not good for longer because of a rotation, not even where it is ended meanwhile."""
    office.publish()
    (key,) = office.known()
    faults.next("PutSecretValue", wire.meanwhile(lambda: office.end(key, NOW)))

    rotated = office.rotate()

    assert office.until(key) == NOW
    assert [each.kept.until for each in rotated.former] == [NOW]


@pytest.mark.parametrize("changes", [{"path": None}, {"sources": ()}])
def test_a_key_that_nobody_could_know_is_not_made(office: Office, changes: dict[str, Any]) -> None:
    """Neither without a path, nor without a source to speak for."""
    (only,) = signing_of(STACK)

    with pytest.raises(RotationError):
        office.rotate(replace(only, **changes))

    assert office.store.aws.secretsmanager.get_secret_value(SecretId=SECRET)["SecretString"] == "the first secret"


def test_the_key_of_personal_fields_is_told_with_its_table(store: Store) -> None:
    """By its ARN, state and age; where there is none, nobody is asked."""
    settings = privately(store)
    ring(store, settings).of_subject(None, "7")
    stack = replace(STACK, settings=(settings,), keys_table=settings.tables["KEYS"])
    client = Office(store).client

    told = personal_keys(client, stack)

    assert told is not None
    assert (told.key, told.state, told.items) == (settings.personal_key, "Enabled", 2)
    assert personal_keys(client, STACK) is None
