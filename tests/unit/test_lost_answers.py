"""Every call of a consumer's way may fail, before or after it happened: the effect is there once in the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from botocore.retries.standard import ExponentialBackoff
from eachonce import Aws, Consumer
from eachonce.event import decode
from eachonce.journal import unpack_outbox
from moto import mock_aws

from tests import faults as wire
from tests.parcels import (
    TABLES,
    Registered,
    Seen,
    Weighed,
    announce,
    heaviest,
    register,
    registered,
    see,
    seen,
    weigh,
    weigh_and_announce,
    weighed,
)
from tests.records import Context, batch, record, returned
from tests.store import Store

# plan: handler, event, and the calls of its happy path
WAYS: dict[str, tuple[Any, dict[str, Any], list[str], bool]] = {
    "create": ((Registered, register), registered(), ["PutItem"], False),
    "newer": ((Seen, see), seen(), ["UpdateItem"], False),
    "events": ((Weighed, announce), weighed(), ["PutItem"], False),
    "add": ((Weighed, weigh), weighed(), ["TransactWriteItems"], False),
    "add and events": ((Weighed, weigh_and_announce), weighed(), ["TransactWriteItems"], False),
    "read and put": ((Weighed, heaviest), weighed(), ["GetItem", "TransactWriteItems"], False),
    "external": ((Weighed, announce), weighed(), ["UpdateItem", "PutItem"], True),
    "rejected": ((Weighed, weigh), weighed(grams="heavy"), ["SendMessageBatch"], False),
}

CALLS = [(way, place) for way, (_, _, calls, _) in WAYS.items() for place in range(len(calls))]

FAULTS = {
    "answer lost": wire.answer_lost,
    "connection closed after": wire.connection_closed_after,
    "never sent": wire.never_sent,
    "throttled": wire.refused("ThrottlingException"),
    "internal error after": wire.refused_after("InternalServerError"),
    "unavailable": wire.refused("ServiceUnavailable", status=503),
}


def worker(store: Store, way: str) -> Consumer:
    (contract, handle), _, _, external = WAYS[way]
    consumer = Consumer("post", aws=store.aws, settings=store.settings)
    consumer.on(contract, external=external)(handle)
    return consumer


# When it was, and that a claim ended without a word, is all that may differ in the journal.
VARIES = ("done_at", "rejected_at", "expires_at", "first_seen", "uncertain")


def final_state(store: Store) -> dict[str, Any]:
    state = {table: store.items(table) for table in TABLES}
    for row in state["Journal"]:
        for varies in VARIES:
            row.pop(varies, None)
        row["outbox"] = [decode(event).id for event in unpack_outbox(row["outbox"])] if "outbox" in row else []
    return state


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(dt.datetime(2010, 12, 1, 12, tzinfo=dt.UTC), tick=False) as clock:
        yield clock


@pytest.fixture(scope="module")
def undisturbed(aws_clients: Aws) -> dict[str, dict[str, Any]]:
    """The tables after each way, when nothing goes wrong."""
    states = {}
    for way, (_, event, _, _) in WAYS.items():
        with mock_aws():
            store = Store.create(aws_clients, TABLES)
            worker(store, way)(batch(record(event)), Context())
            states[way] = final_state(store)
    return states


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("way", "place"), CALLS)
def test_a_fault_at_any_call_ends_in_the_effect_once(
    way: str, place: int, fault: str, aws_clients: Aws, undisturbed: dict[str, Any], clock: Any
) -> None:
    """The message comes again until it is done, and the tables are as if nothing had happened."""
    _, event, calls, _ = WAYS[way]
    with mock_aws(), wire.between(aws_clients) as faults:
        store = Store.create(aws_clients, TABLES)
        for call in calls[:place]:
            if call == calls[place]:
                faults.next(call, lambda request, send: send())
        faults.next(calls[place], FAULTS[fault])

        deliver_until_done(store, way, event, clock)

        assert not faults.waiting
        assert final_state(store) == undisturbed[way]
        assert len(store.dead_letters()) in ({1, 2} if way == "rejected" else {0})


def deliver_until_done(store: Store, way: str, event: dict[str, Any], clock: Any) -> None:
    """Deliver as the queue does, to a new worker each time, when every claim of the last one has ended."""
    for _ in range(4):
        if not returned(worker(store, way)(batch(record(event)), Context(remaining_ms=30_000))):
            return
        clock.shift(36)
    raise AssertionError("the message never left its queue")


@pytest.fixture
def sdk_in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK's own retries come at once."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0)


@pytest.mark.usefixtures("sdk_in_a_hurry")
@pytest.mark.parametrize(("way", "place"), CALLS)
def test_the_sdks_own_second_try_is_no_second_effect(
    way: str, place: int, patient_clients: Aws, context: Context, undisturbed: dict[str, Any]
) -> None:
    """The SDK sends a lost call again by itself: the layer finds its own mark, and the message is done."""
    _, event, calls, _ = WAYS[way]
    with mock_aws(), wire.between(patient_clients) as faults:
        store = Store.create(patient_clients, TABLES)
        for call in calls[:place]:
            if call == calls[place]:
                faults.next(call, lambda request, send: send())
        faults.next(calls[place], wire.answer_lost)

        response = worker(store, way)(batch(record(event)), context)

        assert not faults.waiting
        assert returned(response) == []
        assert final_state(store) == undisturbed[way]
