"""Grouped or not, a batch ends alike: each event's outcome, and each item."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, cast

import pytest
from eachonce import Aws, Consumer, Contract, Event, Work
from eachonce.outcome import Outcome, Verdict
from eachonce.report import Report
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests import faults as wire
from tests.faults import Fault
from tests.parcels import TABLES, Arrived
from tests.records import Context, batch, cloud_event, record
from tests.store import Store

# It does over and over what other tests do once: to measure its coverage would take as long as the test.
pytestmark = pytest.mark.no_cover

Action = dict[str, Any]


class Wanted(Contract, frozen=True, kw_only=True):
    """What its handler is to do."""

    run: str  # keeps the items of one run from those of the others
    actions: list[dict[str, Any]]


def do(event: Event[Wanted], work: Work) -> None:
    """Do each action, unless the work has written its item already."""
    written = set()
    for action in event.data.actions:
        key = {"parcel": f"{event.data.run}/{action.get('item')}"}
        match action["what"]:
            case "publish":
                work.publish(Arrived(parcel=event.data.run))
            case "read" if key["parcel"] not in written:
                work.read("Places", key)
            case "add" if key["parcel"] not in written:
                work.add("Places", key, n=action["n"])
                continue
            case "create" if key["parcel"] not in written:
                work.create("Places", key, by=event.id)
            case "newer" if key["parcel"] not in written:
                more = {"more": event.id} if action["more"] else {}
                work.put("Places", key, newer_than="at", at=action["at"], by=event.id, **more)
            case "change" if key["parcel"] not in written:
                found = work.read("Places", key) or {}
                work.put("Places", key, n=found.get("n", 0) * 2 + 1)
        if action["what"] not in {"publish", "read"}:
            written.add(key["parcel"])


items = st.sampled_from("abc")
small = st.integers(1, 4)
actions = st.one_of(
    st.just({"what": "publish"}),
    st.builds(lambda item: {"what": "read", "item": item}, items),
    st.builds(lambda item, n: {"what": "add", "item": item, "n": n}, items, small),
    st.builds(lambda item: {"what": "create", "item": item}, items),
    st.builds(
        lambda item, at, more: {"what": "newer", "item": item, "at": at, "more": more}, items, small, st.booleans()
    ),
    st.builds(lambda item: {"what": "change", "item": item}, items),
)
works = st.lists(st.tuples(st.integers(1, 6), st.lists(actions, max_size=3)), min_size=2, max_size=6)

FAULTS: dict[str, Fault | None] = {
    "none": None,
    "answer lost": wire.answer_lost,
    "never sent": wire.never_sent,
    "error after": wire.refused_after("InternalServerError"),
}


class Heard:
    """A report that keeps the outcomes."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[str, Outcome]] = []

    def log(self, outcome: Outcome, event: Any, **_: object) -> None:
        self.outcomes.append((event.id, outcome))

    def count(self, outcomes: object) -> None:
        """Count nothing."""


runs = count(1)


class Office:
    def __init__(self, store: Store) -> None:
        self.store = store

    def handle(self, wanted: list[tuple[int, list[Action]]], group_commit: str, fault: Fault | None) -> Any:
        """Deliver the events in two batches; return their outcomes, and the items that are there in the end."""
        run = f"run-{next(runs)}"
        consumer = Consumer(
            "post",
            aws=self.store.aws,
            settings=self.store.settings,
            concurrency=1,
            group_commit=cast("Any", group_commit),
        )
        consumer.on(Wanted)(do)
        consumer.report = cast("Report", heard := Heard())
        events = [
            record(cloud_event("Wanted", {"run": run, "actions": done}, event_id=f"{run}/{name}"))
            for name, done in wanted
        ]
        with wire.between(self.store.aws) as faults:
            if fault is not None:
                faults.next("TransactWriteItems", on_groups(fault), times=20)
            consumer(batch(*events[:4]), cast("Any", Context()))
            consumer(batch(*events[4:]), cast("Any", Context()))
        ended = [(name.partition("/")[2], ending(outcome)) for name, outcome in heard.outcomes]
        return ended, {item.pop("parcel"): plain(item, run) for item in self.items(run)}

    def items(self, run: str) -> Iterator[dict[str, Any]]:
        for item in "abc":
            found = self.store.item("Places", parcel=f"{run}/{item}")
            if found is not None:
                yield found | {"parcel": item}


def on_groups(fault: Fault) -> Fault:
    """Let a fault happen to transactions of several works, and to no other."""

    def happen(request: Any, send: Any) -> Any:
        several = request.body.count(b'"fingerprint"') > 1
        return fault(request, send) if several else send()

    return happen


def ending(outcome: Outcome) -> tuple[str, str | None]:
    """Return what became of an event; an answer that was lost makes a duplicate of what is done."""
    verdict = Verdict.DONE if outcome.verdict is Verdict.DUPLICATE else outcome.verdict
    return verdict, outcome.reason


def plain(item: dict[str, Any], run: str) -> dict[str, Any]:
    """Return an item but for who wrote it last, with the run's name taken out of its marks."""
    del item["written_by"]
    return {name: short(value, run) for name, value in item.items()}


def short(value: Any, run: str) -> Any:
    """A mark ends with a fingerprint, which the run's name is a part of."""
    return (
        value.replace(run, "run").rpartition("#")[0] or value.replace(run, "run") if isinstance(value, str) else value
    )


@pytest.fixture(scope="module")
def office(aws_clients: Aws) -> Iterator[Office]:
    with mock_aws():
        yield Office(Store.create(aws_clients, TABLES))


ADD = {"what": "add", "item": "a", "n": 1}
CHANGE = {"what": "change", "item": "a"}
CREATE = {"what": "create", "item": "a"}
READ = {"what": "read", "item": "a"}
PUBLISH = {"what": "publish"}


@pytest.mark.usefixtures("no_naps")
@pytest.mark.parametrize("fault", FAULTS)
@given(wanted=works)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(wanted=[(1, [ADD]), (2, [READ, PUBLISH])])
@example(wanted=[(1, [CHANGE]), (2, [CHANGE])])
@example(wanted=[(1, [CREATE, PUBLISH]), (2, [CREATE])])
@example(wanted=[(1, [PUBLISH, READ]), (1, [PUBLISH])])
def test_a_group_ends_as_its_works_would_alone(
    office: Office, fault: str, wanted: list[tuple[int, list[Action]]]
) -> None:
    """In the same order, and whatever becomes of the group itself."""
    alone = office.handle(wanted, "off", None)

    together = office.handle(wanted, "write units", FAULTS[fault])

    assert together == alone
