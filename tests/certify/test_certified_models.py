"""Consumers of described contracts and of a bundle's own classes are certified like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from eachonce import Consumer, Contract, Event, Work, describe

from eachonce_workbench.certify import assert_independent


@describe(type="order.placed", source="com.example.shop", identity="order_id")
class Placed(Contract, frozen=True, kw_only=True):
    order_id: str
    units: int = 1


@dataclass(frozen=True)
class Paid:
    order_id: str
    units: int = 1


def add(event: Event[Any], work: Work) -> None:
    work.add("Units", {"order_id": event.data.order_id}, units=event.data.units)


@pytest.mark.parametrize(
    ("contract", "said"),
    [(Placed, {}), (Paid, {}), (Paid, {"type": "order.paid", "source": "com.example.bank", "identity": "order_id"})],
    ids=["described", "a dataclass", "described where it is registered"],
)
def test_a_consumer_of_anybodys_events_is_certified(contract: Any, said: dict[str, Any]) -> None:
    """Its events come from where its contract says."""
    consumer = Consumer("units")
    consumer.on(contract, **said)(add)

    assert_independent(consumer, [contract(order_id="1"), contract(order_id="1", units=2)])
