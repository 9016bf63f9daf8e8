"""The writer: conditional writes, and what a refusal means."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker
from eachonce import AwsError, Retry, Work, WorkError
from eachonce.journal import done_row
from eachonce.plan import Plan, plan
from eachonce.refusal import is_passing
from eachonce.work import Address
from eachonce.writer import RefusedError, Writer

from tests import faults as wire
from tests.faults import Faults
from tests.office import NOON, Fill, Office, mark
from tests.parcels import Arrived
from tests.store import Store

P = {"parcel": "p"}
THERE = Address.of("Weights", P)


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


@pytest.fixture
def writer(office: Office) -> Writer:
    return office.writer


def create(work: Work) -> None:
    work.create("Parcels", P, sender="Ada")


def see(work: Work) -> None:
    work.put("Places", P, newer_than="at", at=1)


def publish(work: Work) -> None:
    work.publish(Arrived(parcel="p"))


def weigh(work: Work) -> None:
    work.add("Weights", P, grams=100)


def both(*fills: Fill) -> Fill:
    return lambda work: [fill(work) for fill in fills]


def operations(writer: Writer, fill: Fill) -> Plan:
    work = Work(writer.fetch)
    fill(work)
    return plan(work, mark(), done_row(mark(), at=NOON), fence=None, table=writer.table, encode=writer.codec.encode)


def test_an_item_is_read_as_it_is_now(writer: Writer, store: Store, faults: Faults) -> None:
    """Strongly consistent, numbers exact, bytes plain."""
    store.put("Weights", parcel="p", grams=Decimal("2.50"), seal=b"\x00\x01")

    item = writer.fetch(THERE)

    assert item == {"parcel": "p", "grams": Decimal("2.5"), "seal": b"\x00\x01"}
    assert type(item["seal"]) is bytes
    assert faults.requests[-1][1]["ConsistentRead"] is True


def test_an_item_that_is_not_there_is_none(writer: Writer) -> None:
    """And not an empty one."""
    assert writer.fetch(THERE) is None


def test_items_are_read_in_one_call(writer: Writer, store: Store, faults: Faults) -> None:
    """As they are now; what isn't there is left out."""
    store.put("Weights", parcel="p", grams=1)
    store.put("Weights", parcel="q", grams=2)
    faults.calls.clear()

    items = writer.fetch_all("Weights", [{"parcel": "p"}, {"parcel": "q"}, {"parcel": "r"}])

    assert sorted(item["grams"] for item in items) == [1, 2]
    assert faults.calls == ["BatchGetItem"]
    assert faults.requests[-1][1]["RequestItems"]["post-Weights"]["ConsistentRead"] is True


def held_back(*kept: str) -> wire.Fault:
    """Answer for all but some parcels, as DynamoDB does when it is busy or the answer would be too large.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    """

    def fault(request: Any, send: Any) -> Any:
        return wire.edited(request, send, lambda answer: _without(answer, set(kept)))

    return fault


def _without(answer: dict[str, Any], kept: set[str]) -> dict[str, Any]:
    (table,) = answer["Responses"]
    items = [item for item in answer["Responses"][table] if item["parcel"]["S"] not in kept]
    keys = [{"parcel": {"S": parcel}} for parcel in sorted(kept)]
    answered = {table: items} if items else {}
    return {"Responses": answered, "UnprocessedKeys": {table: {"Keys": keys, "ConsistentRead": True}}}


def test_what_was_held_back_is_asked_for_again(office: Office, store: Store, faults: Faults) -> None:
    """Only that, after a nap, and nothing comes twice."""
    for parcel in "pqr":
        store.put("Weights", parcel=parcel, grams=1)
    faults.requests.clear()
    faults.next("BatchGetItem", held_back("q", "r"))
    faults.next("BatchGetItem", held_back("r"))

    items = office.writer.fetch_all("Weights", [{"parcel": parcel} for parcel in "pqr"])

    assert sorted(item["parcel"] for item in items) == ["p", "q", "r"]
    asked = [request["RequestItems"]["post-Weights"]["Keys"] for _, request in faults.requests]
    assert [len(keys) for keys in asked] == [3, 2, 1]
    assert office.naps == [0.02, 0.04]


def test_what_stays_held_back_is_no_answer(office: Office, faults: Faults) -> None:
    """Five tries, the naps between them, and no word that would blame the event."""
    faults.next("BatchGetItem", held_back("p"), times=5)

    with pytest.raises(Retry, match="busy") as raised:
        office.writer.fetch_all("Weights", [{"parcel": "p"}])

    assert raised.value.counted is False
    assert office.naps == [0.02, 0.04, 0.08, 0.16]


def unsigned(request: Any, send: Any) -> Any:
    """Fail as botocore does where there is nothing to sign a request with."""
    raise NoCredentialsError


ASKING: dict[str, Callable[[Writer], object]] = {
    "GetItem": lambda writer: writer.fetch(THERE),
    "BatchGetItem": lambda writer: writer.fetch_all("Weights", [P]),
    "UpdateItem": lambda writer: writer.write(operations(writer, see)),
    "PutItem": lambda writer: writer.write(operations(writer, publish)),
    "TransactWriteItems": lambda writer: writer.write(operations(writer, weigh)),
}


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (wire.never_sent, "ConnectionClosedError", "AWS did not do as it was asked"),
        (wire.answer_lost, "ReadTimeoutError", "AWS did not do as it was asked"),
        (wire.refused("Throttling"), "Throttling", "AWS did not do as it was asked"),
        (wire.refused("Unheard", status=503), "Unheard", "AWS did not do as it was asked"),
        (wire.refused("SlowDown", status=429), "SlowDown", "AWS did not do as it was asked"),
        (unsigned, "NoCredentialsError", "whatever the event: NoCredentialsError"),
        (wire.refused("AccessDeniedException"), "AccessDeniedException", "the event: AccessDeniedException"),
        (wire.refused("ResourceNotFoundException"), "ResourceNotFoundException", "ResourceNotFoundException"),
        (wire.refused("UnrecognizedClientException"), "UnrecognizedClientException", "UnrecognizedClientException"),
        (wire.refused("KMSDisabledException"), "KMSDisabledException", "KMSDisabledException"),
        (wire.refused("Unheard", status=403), "Unheard", "whatever the event: Unheard"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("operation", ASKING)
def test_what_aws_does_not_do_is_no_fault_of_the_works(
    writer: Writer, faults: Faults, operation: str, fault: wire.Fault, code: str, words: str
) -> None:
    """Busy, unreachable, or a matter of rights and names: each call of the layer's says so, with the code."""
    faults.next(operation, fault)

    with pytest.raises(AwsError, match=words) as raised:
        ASKING[operation](writer)

    assert raised.value.code == code


@pytest.mark.parametrize(
    "fault",
    [
        wire.refused("ValidationException"),
        wire.refused("SerializationException"),
        wire.refused("ItemCollectionSizeLimitExceededException"),
        wire.refused("RequestEntityTooLargeException", status=413),
    ],
    ids=["invalid", "unreadable", "full", "too large"],
)
@pytest.mark.parametrize("operation", ASKING)
def test_what_dynamodb_can_never_do_is_the_works_fault(
    writer: Writer, faults: Faults, operation: str, fault: wire.Fault
) -> None:
    """No try will do it, and DynamoDB's words say why."""
    faults.next(operation, fault)

    with pytest.raises(WorkError, match=r"DynamoDB refuses the .*Exception of a test"):
        ASKING[operation](writer)


def test_a_request_that_botocore_itself_refuses_is_told_without_its_values(writer: Writer) -> None:
    """Its own check, where it is switched on, repeats them."""
    with pytest.raises(WorkError, match="DynamoDB refuses the read of Weights: ParamValidationError"):
        writer.fetch(Address.of("Weights", {5: "a secret"}))  # type: ignore[dict-item]


def test_what_is_passing_is_what_awss_sdks_try_again() -> None:
    """Every code, status and exception on the list that botocore goes by."""
    transient = TransientRetryableChecker
    codes = {*transient._TRANSIENT_ERROR_CODES, *ThrottledRetryableChecker._THROTTLED_ERROR_CODES}

    assert all(is_passing(answered(code, 400)) for code in codes)
    assert all(is_passing(answered("Unheard", status)) for status in transient._TRANSIENT_STATUS_CODES)
    assert all(issubclass(error, transient._TRANSIENT_EXCEPTION_CLS) for error in SILENT)
    assert all(is_passing(error(**FIELDS)) for error in SILENT)
    assert not is_passing(answered("Unheard", 400))
    assert not is_passing(NoCredentialsError())


SILENT = (ConnectionClosedError, EndpointConnectionError, ReadTimeoutError)
FIELDS = {"endpoint_url": "https://scales.example", "error": "none"}


def answered(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Weigh")


def test_naps_are_spread(store: Store, faults: Faults) -> None:
    """Two workers that met don't meet again."""
    naps: list[float] = []
    writer = Writer(store.aws, store.settings, sleep=naps.append, jitter=iter([0.5, 0.25]).__next__)
    faults.next("PutItem", wire.refused("ThrottlingException"), times=2)

    writer.write(operations(writer, create))

    assert naps == [0.01, 0.01]


@pytest.mark.parametrize("fill", [create, weigh], ids=["a write", "a transaction"])
def test_a_table_that_stays_busy_does_not_count_against_the_event(office: Office, faults: Faults, fill: Fill) -> None:
    """It is nobody's failure."""
    faults.next("PutItem" if fill is create else "TransactWriteItems", wire.refused("ThrottlingException"), times=5)

    with pytest.raises(Retry, match="ThrottlingException") as raised:
        office.writer.write(operations(office.writer, fill))

    assert raised.value.counted is False
    assert len(office.naps) == 4


def test_a_jam_of_several_kinds_is_told_by_all_of_them(office: Office, faults: Faults) -> None:
    """Each once, in one order."""
    codes = ("TransactionConflict", "ThrottlingError", "TransactionConflict")
    faults.next("TransactWriteItems", wire.canceled(*codes), times=5)

    with pytest.raises(Retry, match=r"busy: ThrottlingError, TransactionConflict$"):
        office.writer.write(operations(office.writer, both(weigh, see)))


def test_a_transactions_reason_without_words_is_told_by_its_code(writer: Writer, faults: Faults) -> None:
    """And by the table of the item that it is of."""
    reasons = [{"Code": "None"}, {"Code": "ItemCollectionSizeLimitExceeded"}]
    faults.next("TransactWriteItems", wire.refused("TransactionCanceledException", CancellationReasons=reasons))

    with pytest.raises(WorkError, match=r"the work at Weights: ItemCollectionSizeLimitExceeded$"):
        writer.write(operations(writer, weigh))


def test_reasons_are_one_an_operation(writer: Writer, faults: Faults) -> None:
    """With one too few nobody knows whose they are, and no event is accused."""
    faults.next("TransactWriteItems", wire.canceled("ConditionalCheckFailed"))

    with pytest.raises(ValueError, match="shorter"):
        writer.write(operations(writer, weigh))


def test_a_refusal_shows_what_was_found(writer: Writer, store: Store) -> None:
    """So that nobody has to ask for it."""
    store.put("Parcels", parcel="p", sender="Bob")

    with pytest.raises(RefusedError, match="1 conditions did not hold") as raised:
        writer.write(operations(writer, create))

    assert raised.value.found == {"parcel": "p", "sender": "Bob"}


def test_a_refusal_may_have_found_nothing(writer: Writer, faults: Faults) -> None:
    """Then it is an empty item."""
    faults.next("PutItem", wire.refused("ConditionalCheckFailedException"))

    with pytest.raises(RefusedError) as raised:
        writer.write(operations(writer, create))

    assert raised.value.found == {}


def test_a_refusal_is_no_matter_of_other_conflicts(writer: Writer, faults: Faults) -> None:
    """A condition that did not hold is an answer, whatever else stood in the way."""
    faults.next("TransactWriteItems", wire.canceled("TransactionConflict", "ConditionalCheckFailed"))

    with pytest.raises(RefusedError) as raised:
        writer.write(operations(writer, weigh))

    assert [refusal.operation.address.table for refusal in raised.value.refusals] == ["Weights"]
