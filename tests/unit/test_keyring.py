"""The keyring: one key a subject, whoever asks first, until it is erased."""

from __future__ import annotations

from typing import Any

import pytest
from eachonce import Settings
from eachonce.errors import AwsError, EachonceError
from eachonce.field_cipher import AlteredError
from eachonce.keyring import MAX_AGE, MAX_KEPT

from tests import faults as wire
from tests.people import privately, ring
from tests.store import Store

pytestmark = pytest.mark.usefixtures("no_naps")


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def private(store: Store) -> Settings:
    return privately(store)


def keys(store: Store) -> int:
    return int(store.aws.dynamodb.scan(TableName="post-Keys")["Count"])


def test_a_subject_has_one_key(store: Store, private: Settings) -> None:
    """In every process, and by its id; a subject of another tenant is another one."""
    key = ring(store, private).of_subject("acme", "7")

    assert ring(store, private).of_subject("acme", "7").secret == key.secret
    assert ring(store, private).by_id(key.id).secret == key.secret  # type: ignore[union-attr]
    assert len({key.secret, *(ring(store, private).of_subject(tenant, "7").secret for tenant in (None, "", "b"))}) == 4


def test_a_key_has_256_bits(store: Store, private: Settings) -> None:
    """As KMS makes it: what encrypts a field is derived from it, and can be no stronger."""
    assert len(ring(store, private).of_subject(None, "7").secret) * 8 == 256


def test_who_loses_the_race_has_the_winners_key(store: Store, private: Settings, faults: wire.Faults) -> None:
    """The winner may have published with it by then."""
    winner = ring(store, private)
    faults.next("TransactWriteItems", wire.meanwhile(lambda: winner.of_subject(None, "7")))

    assert ring(store, private).of_subject(None, "7").secret == winner.of_subject(None, "7").secret
    assert keys(store) == 2


@pytest.mark.parametrize("operation", ["GenerateDataKey", "TransactWriteItems", "GetItem"])
@pytest.mark.parametrize("fault", [wire.answer_lost, wire.never_sent])
def test_what_goes_wrong_while_a_key_is_made_makes_no_second_one(
    store: Store, private: Settings, faults: wire.Faults, operation: str, fault: Any
) -> None:
    """The next try finds the key, or makes it."""
    faults.next(operation, fault)

    with pytest.raises(AwsError):
        ring(store, private).of_subject(None, "7")

    assert ring(store, private).of_subject(None, "7").secret == ring(store, private).of_subject(None, "7").secret
    assert keys(store) == 2


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "DisabledException", "ThrottlingException", "KMSInvalidStateException"]
)
def test_what_kms_refuses_is_nobodys_events_fault(
    store: Store, private: Settings, faults: wire.Faults, code: str
) -> None:
    """It comes again, uncounted, until somebody has mended it."""
    key = ring(store, private).of_subject(None, "7")
    faults.next("Decrypt", wire.refused(code))

    with pytest.raises(AwsError) as raised:
        ring(store, private).by_id(key.id)

    assert raised.value.code == code


def test_a_wrapped_key_is_bound_to_its_id(store: Store, private: Settings) -> None:
    """Who may write the table can't give one subject the key of another."""
    one, other = (ring(store, private).of_subject(None, subject) for subject in ("7", "8"))
    item = store.aws.dynamodb.get_item(TableName="post-Keys", Key={"pk": {"S": f"key#{other.id}"}})["Item"]
    store.aws.dynamodb.update_item(
        TableName="post-Keys",
        Key={"pk": {"S": f"key#{one.id}"}},
        UpdateExpression="SET wrapped_key = :other",
        ExpressionAttributeValues={":other": item["wrapped_key"]},
    )

    with pytest.raises(AwsError, match="InvalidCiphertextException"):
        ring(store, private).by_id(one.id)


def test_an_erased_key_is_gone_and_an_unknown_one_was_never_there(store: Store, private: Settings) -> None:
    """The one is a decision, the other an alteration."""
    key = ring(store, private).of_subject("acme", "7")

    assert ring(store, private).erase("acme", "7") is True
    assert ring(store, private).erase("acme", "7") is False
    assert ring(store, private).by_id(key.id) is None
    with pytest.raises(AlteredError):
        ring(store, private).by_id("0" * 32)


def test_a_subject_that_was_erased_begins_anew(store: Store, private: Settings) -> None:
    """What was erased stays so."""
    old = ring(store, private).of_subject(None, "7")
    ring(store, private).erase(None, "7")

    new = ring(store, private).of_subject(None, "7")

    assert new.id != old.id
    assert ring(store, private).by_id(old.id) is None


@pytest.mark.parametrize("fault", [wire.answer_lost, wire.never_sent])
def test_an_erasure_of_which_nothing_was_heard_is_done_again(
    store: Store, private: Settings, faults: wire.Faults, fault: Any
) -> None:
    """It happened, or it happens then."""
    key = ring(store, private).of_subject(None, "7")
    faults.next("TransactWriteItems", fault)

    with pytest.raises(EachonceError):
        ring(store, private).erase(None, "7")
    ring(store, private).erase(None, "7")

    assert ring(store, private).by_id(key.id) is None


def test_a_key_is_asked_for_once_until_it_is_old(store: Store, private: Settings, faults: wire.Faults) -> None:
    """So an erasure takes effect within five minutes."""
    clock = Clock()
    keyring = ring(store, private, clock=clock)
    key = keyring.of_subject(None, "7")
    calls = len(faults.calls)

    assert keyring.of_subject(None, "7") is keyring.by_id(key.id) is key
    assert len(faults.calls) == calls
    ring(store, private).erase(None, "7")
    clock.seconds = MAX_AGE.total_seconds()
    assert keyring.by_id(key.id) is None


def test_a_ring_holds_so_many_keys(store: Store, private: Settings) -> None:
    """Those that were used last."""
    keyring = ring(store, private)
    kept = keyring._kept
    key = keyring.of_subject(None, "7")

    for number in range(MAX_KEPT):
        kept.put(str(number), key)

    assert len(kept._keys) == MAX_KEPT
    assert kept.get(key.id) is None


def test_neither_the_table_nor_kms_is_told_who_a_subject_is(
    store: Store, private: Settings, faults: wire.Faults
) -> None:
    """A table is read by more than may read keys, and CloudTrail has the context as it is."""
    ring(store, private).of_subject("acme", "ada@example.org")

    assert "ada@example.org" not in str(faults.requests)
    assert "ada@example.org" not in str(store.aws.dynamodb.scan(TableName="post-Keys"))
