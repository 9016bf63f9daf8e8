"""Every call of a consumer's way may fail, before or after it happened: the effect is there once in the end."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.retries.standard import ExponentialBackoff
from eachonce import Aws, Consumer
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
    "create": ((Registered, register), registered(), ["UpdateItem"], False),
    "newer": ((Seen, see), seen(), ["UpdateItem"], False),
    "events": ((Weighed, announce), weighed(), ["PutItem"], False),
    "add": ((Weighed, weigh), weighed(), ["TransactWriteItems"], False),
    "add and events": ((Weighed, weigh_and_announce), weighed(), ["TransactWriteItems"], False),
    "read and put": ((Weighed, heaviest), weighed(), ["GetItem", "TransactWriteItems"], False),
    "external": ((Weighed, announce), weighed(), ["PutItem", "PutItem"], True),
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


def final_state(store: Store) -> dict[str, Any]:
    state = {table: store.items(table) for table in TABLES}
    for row in state["Journal"]:
        for varies in ("done_at", "expires_at"):
            del row[varies]
        row["outbox"] = len(row.get("outbox", b""))
    return state


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
    way: str, place: int, fault: str, aws_clients: Aws, undisturbed: dict[str, Any]
) -> None:
    """The message comes again until it is done, and the tables are as if nothing had happened."""
    _, event, calls, _ = WAYS[way]
    with mock_aws(), wire.between(aws_clients) as faults:
        store = Store.create(aws_clients, TABLES)
        for call in calls[:place]:
            if call == calls[place]:
                faults.next(call, lambda request, send: send())
        faults.next(calls[place], FAULTS[fault])

        deliver_until_done(store, way, event)

        assert not faults.waiting
        assert final_state(store) == undisturbed[way]
        assert len(store.dead_letters()) in ({1, 2} if way == "rejected" else {0})


def deliver_until_done(store: Store, way: str, event: dict[str, Any]) -> None:
    """Deliver as the queue does, to a new worker each time, whose invocation may take no time at all."""
    for _ in range(4):
        if not returned(worker(store, way)(batch(record(event)), Context(remaining_ms=-5_001))):
            return
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
