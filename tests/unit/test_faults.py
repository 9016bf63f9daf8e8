"""Faults of calls: which call meets one, and what is answered then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from eachonce_workbench.cloud.faults.chaos import Chaos
from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.faults.faults import Fault, Faults
from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.request import Request
from eachonce_workbench.cloud.store.protocol import AwsError, Response, success

BEGIN = "ledger.begin UpdateItem"
LOST, CONFLICT, PARTIAL = CallFault.LOST, CallFault.CONFLICT, CallFault.PARTIAL


def met(faults: Faults, *, function: str = "Pack", site: str = BEGIN, body: bytes = b"{}") -> CallFault | None:
    """Let a call meet what it may."""
    return faults.meet(function, site, site.rpartition(" ")[2], body)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(kind=LOST), LOST),
        (Fault(kind=LOST, function="Pack"), LOST),
        (Fault(kind=LOST, function="Other"), None),
        (Fault(kind=LOST, sites=frozenset({BEGIN, "work.read GetItem"})), LOST),
        (Fault(kind=LOST, sites=frozenset({"work.read GetItem"})), None),
        (Fault(kind=LOST, holding=b"e-1"), LOST),
        (Fault(kind=LOST, holding=b"e-2"), None),
        (Fault(kind=PARTIAL), None),  # which no UpdateItem can be
    ],
)
def test_a_fault_is_met_by_the_calls_that_it_names(fault: Fault, expected: CallFault | None) -> None:
    """And by those alone that can have it."""
    faults = Faults()
    faults.turn_on(fault)

    assert met(faults, body=b'{"pk": "e-1"}') == expected
    assert fault.happened == (expected is not None)


def test_a_share_of_the_calls_meets_it() -> None:
    """As what is drawn says."""
    drawn: Iterator[float] = iter([0.2, 0.3, 0.9, 0.0])
    faults = Faults(draw=lambda: next(drawn))
    faults.turn_on(Fault(kind=LOST, share=0.25))

    assert [met(faults) for _ in range(4)] == [LOST, None, None, LOST]


def test_what_happens_so_often_ends_then() -> None:
    """Nobody has to be quick."""
    faults = Faults()
    fault = faults.turn_on(Fault(kind=LOST, left=2))

    assert [met(faults) for _ in range(3)] == [LOST, LOST, None]
    assert (fault.happened, bool(faults)) == (2, False)


def test_the_same_fault_is_on_once() -> None:
    """As it was turned on last; all end at once."""
    faults = Faults()
    for share in (0.5, 1.0):
        faults.turn_on(Fault(kind=LOST, share=share))
    faults.turn_on(Fault(kind=CONFLICT))

    assert [(each.kind, each.share) for each in faults.on] == [(LOST, 1.0), (CONFLICT, 1.0)]
    faults.turn_all_off()
    assert met(faults) is None


class Process:
    """A function's process, as far as chaos knows it."""

    function = "Pack"
    request_id = "r-1"

    def __init__(self, said: list[str]) -> None:
        self._said = said

    def kill(self) -> None:
        self._said.append("killed")

    async def gone(self) -> None:
        self._said.append("gone")


class Carried:
    """One call of a process through one fault: what was answered, and what happened in which order."""

    def __init__(self, kind: CallFault, operation: str, asked: Any, *, key: str | None = None) -> None:
        self.said: list[str] = []
        self.asked: Any = None
        self.told: list[Happening] = []
        history, faults = History(), Faults()
        history.subscribe(self.told.append)
        faults.turn_on(Fault(kind=kind))
        chaos = Chaos(faults, history)
        own = chaos.roster.enter(Process(self.said))
        credential = f"AWS4-HMAC-SHA256 Credential={own if key is None else key}/20260101/eu-west-1/any/aws4_request"
        headers = {"authorization": credential, "x-amz-target": f"Any_2026.{operation}"}
        request = Request(method="POST", path="/", query="", headers=headers, body=msgspec.json.encode(asked))
        try:
            self.answer = asyncio.run(chaos.carry("dynamodb", request, self._happened))
        except AwsError as error:
            self.answer = error.response()

    async def _happened(self, request: Request) -> Response:
        self.said.append("happened")
        self.asked = msgspec.json.decode(request.body)
        return success({"Entries": [{"EventId": "1"}], "Responses": {}})

    @property
    def body(self) -> Any:
        assert self.answer is not None
        return msgspec.json.decode(self.answer[2])


@pytest.mark.parametrize(
    ("kind", "happened"),
    [
        (CallFault.LOST, ["happened"]),
        (CallFault.KILLED_BEFORE, ["killed"]),
        (CallFault.KILLED_AFTER, ["happened", "killed"]),
        (CallFault.LATE, ["gone", "happened"]),
    ],
)
def test_nobody_hears_of_these(kind: CallFault, happened: list[str]) -> None:
    """The connection ends; what has happened before or after is what the fault says."""
    carried = Carried(kind, "UpdateItem", {})

    assert carried.answer is None
    assert carried.said == happened
    assert [each.fields["fault"] for each in carried.told] == [kind]


@pytest.mark.parametrize(
    ("kind", "operation", "status", "code"),
    [
        (CallFault.REFUSED, "UpdateItem", 500, "InternalServerError"),
        (CallFault.THROTTLED, "UpdateItem", 400, "ThrottlingException"),
        (CallFault.CONFLICT, "UpdateItem", 400, "TransactionConflictException"),
        (CallFault.CONFLICT, "TransactWriteItems", 400, "TransactionCanceledException"),
    ],
)
def test_aws_has_a_word_for_these(kind: CallFault, operation: str, status: int, code: str) -> None:
    """And nothing has happened."""
    carried = Carried(kind, operation, {"TransactItems": [{}, {}]})

    assert carried.answer is not None
    assert (carried.answer[0], carried.body["__type"], carried.said) == (status, code, [])
    reasons = carried.body.get("CancellationReasons", [{"Code": "TransactionConflict"}])
    assert reasons[0]["Code"] == "TransactionConflict"


def test_every_second_entry_of_a_batch_is_done() -> None:
    """The others are told as failed."""
    carried = Carried(PARTIAL, "PutEvents", {"Entries": [{"Detail": "a"}, {"Detail": "b"}, {"Detail": "c"}]})

    assert carried.asked == {"Entries": [{"Detail": "b"}]}
    assert carried.body["FailedEntryCount"] == 2
    assert [each.get("EventId") for each in carried.body["Entries"]] == [None, "1", None]


def test_every_second_key_is_left() -> None:
    """To be asked for again."""
    carried = Carried(PARTIAL, "BatchGetItem", {"RequestItems": {"T": {"Keys": [1, 2, 3]}}})

    assert carried.asked == {"RequestItems": {"T": {"Keys": [1, 3]}}}
    assert carried.body["UnprocessedKeys"] == {"T": {"Keys": [2]}}


def test_one_message_alone_is_not_sent() -> None:
    """There is no second one, and so nothing happens."""
    carried = Carried(PARTIAL, "SendMessageBatch", {"Entries": [{"Id": "m"}]})

    assert carried.said == []
    assert [each["Id"] for each in carried.body["Failed"]] == ["m"]


def test_who_is_no_worker_meets_nothing() -> None:
    """Neither a person's own program, nor the console, nor a command."""
    carried = Carried(CallFault.KILLED_BEFORE, "UpdateItem", {}, key="local")

    assert carried.said == ["happened"]
    assert carried.told == []
