"""The systems of the bench do the same works: what they cost is compared, and not what they leave out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from bench import works
from bench.measuring import Task, measure
from bench.orders import batches
from bench.stand_in import StandIn
from bench.systems import FLOOR, SYSTEMS
from bench.tables import CUSTOMERS, ENVIRONMENT, ORDERS
from tests.records import Context, batch

EVENTS = 4
OWN = {"written_by", "created_by", "placed_at_by"}
WITH_EVENTS = {works.STATE_AND_EVENT, works.READ_STATE_AND_EVENT, works.ONLY_EVENTS}
CASES = [(work, keys) for work, kind in works.WORKS.items() for keys in kind.keys]


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    """One that answers the clients of every system, which are imported anew."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in ENVIRONMENT.items():
            patched.setenv(name, value)
        patched.setattr(boto3, "DEFAULT_SESSION", boto3.Session())
        for system in SYSTEMS.values():
            patched.delitem(sys.modules, system.module, raising=False)
        made = StandIn()
        made.stand(boto3.DEFAULT_SESSION)
        yield made


def left(stand_in: StandIn) -> dict[str, list[Any]]:
    """Return what the tables hold, without what the layer notes for itself."""
    held = {}
    for name in (CUSTOMERS, ORDERS):
        items = boto3.client("dynamodb").scan(TableName=name)["Items"]
        shown = [{at: value for at, value in item.items() if at not in OWN} for item in items]
        held[name] = sorted(shown, key=str)
    return held


@pytest.mark.parametrize(("work", "keys"), CASES)
def test_every_system_leaves_the_same(stand_in: StandIn, work: str, keys: str) -> None:
    """Item for item, and an event of each event where the work publishes."""
    ends = []
    for system in SYSTEMS.values():
        measured = measure(stand_in, system.build(work), Task(work=work, keys=keys, batch=EVENTS, batches=1))
        ends.append(left(stand_in))
        assert 0 < measured.boto3_seconds < measured.cpu_seconds
        assert (measured.logs_seconds > 0) is (system is not SYSTEMS[FLOOR])
        assert stand_in.published == (EVENTS if work in WITH_EVENTS else 0)

    assert all(end == ends[0] for end in ends)
    assert any(ends[0].values()) or work == works.ONLY_EVENTS


@pytest.mark.parametrize("system", [name for name in SYSTEMS if name != FLOOR])
@pytest.mark.parametrize(("work", "keys"), CASES)
def test_a_copy_changes_nothing(stand_in: StandIn, system: str, work: str, keys: str) -> None:
    """Neither in the tables nor on the bus: what is compared is safe."""
    built = SYSTEMS[system].build(work)
    stand_in.begin()
    records, ends = next(batches(EVENTS, keys))["Records"], []

    for delivered in (records, [*records, *records]):
        assert built.consumer(batch(*delivered), Context())["batchItemFailures"] == []
        if built.relay is not None:
            built.relay(batch(*stand_in.outboxes()), Context())
        ends.append(left(stand_in))

    assert ends[0] == ends[1]
    assert stand_in.published == (EVENTS if work in WITH_EVENTS else 0)
