"""A consumer that keeps tenants apart is certified as it is: with tenants, and with the keys that it may use."""

from __future__ import annotations

import pytest
from eachonce import Consumer, Event, Work

from eachonce_workbench.certify.examination import Bounds, examine
from eachonce_workbench.certify.independence import assert_independent
from eachonce_workbench.certify.subject import Subject
from eachonce_workbench.certify.verdict import Verdict
from eachonce_workbench.certify.witness import Cause
from tests.certify.stall import Priced, Sold, priced, sold

BOUNDS = Bounds(crowds=4)


@pytest.fixture
def stall() -> Consumer:
    return Consumer("stall", isolated_by="tenant")


def row(event: Event[Priced] | Event[Sold]) -> dict[str, str]:
    return {"tenant": str(event.tenant), "item": event.data.item}


def only(stall: Consumer) -> tuple[Verdict, Cause | None]:
    (pair,) = examine(Subject.of(stall), BOUNDS).pairs
    return pair.verdict, None if pair.witness is None else pair.witness.cause


def test_what_depends_on_order_within_a_tenant_is_found_out(stall: Consumer) -> None:
    """Its events have a tenant: without one each would be rejected, and nothing seen."""

    @stall.on(Priced)
    def last_one_wins(event: Event[Priced], work: Work) -> None:
        work.read("Prices", row(event))
        work.put("Prices", row(event), price=event.data.price)

    assert only(stall) == (Verdict.ORDER, Cause.ORDER)


def test_what_is_each_tenants_own_is_not_accused(stall: Consumer) -> None:
    """It has its effect, in every order and with every fault."""

    @stall.on(Sold)
    def count(event: Event[Sold], work: Work) -> None:
        work.add("Stock", row(event), sold=event.data.pieces)

    assert only(stall) == (Verdict.COMMUTES, None)
    assert_independent(stall, [sold(), sold()])


def test_a_key_that_is_no_tenants_has_no_effect(stall: Consumer) -> None:
    """As where it runs: every event is rejected, whatever its handler would do, so that nothing is known of any."""

    @stall.on(Priced)
    def in_one_row_of_all(event: Event[Priced], work: Work) -> None:
        work.read("Prices", {"item": event.data.item})
        work.put("Prices", {"item": event.data.item}, price=event.data.price)

    examined = examine(Subject.of(stall), BOUNDS)

    (pair,) = examined.pairs
    assert pair.verdict is Verdict.INCONCLUSIVE
    assert pair.why is not None
    assert pair.why.startswith("no Priced was ever done: its handler raises WorkError")


def test_data_of_a_test_are_one_tenants(stall: Consumer) -> None:
    """Whole events say whose they are."""

    @stall.on(Priced)
    def last_one_wins(event: Event[Priced], work: Work) -> None:
        work.read("Prices", row(event))
        work.put("Prices", row(event), price=event.data.price)

    with pytest.raises(AssertionError, match="Prices"):
        assert_independent(stall, [priced(1, "1"), priced(2, "2")])
    of_two = [
        Event(id=tenant, source="certified", type="Priced", data=priced(version), tenant=tenant)
        for version, tenant in enumerate(("acme", "beta"))
    ]
    assert_independent(stall, of_two)
