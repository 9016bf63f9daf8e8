"""Consumers of described contracts and of a bundle's own classes are certified like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pydantic
import pytest
from eachonce import Consumer, Contract, Event, Work, describe

from eachonce_workbench.certify import assert_independent
from eachonce_workbench.certify.examination import Bounds, examine
from eachonce_workbench.certify.shape import shape_of
from eachonce_workbench.certify.subject import Subject
from eachonce_workbench.certify.witness import Cause


@describe(type="order.placed", source="com.example.shop", identity="order_id")
class Placed(Contract, frozen=True, kw_only=True):
    order_id: str
    units: int = 1


@dataclass(frozen=True)
class Paid:
    order_id: str
    units: int = 1


class Part(pydantic.BaseModel):
    sku: Annotated[str, pydantic.Field(min_length=2, pattern="^[A-Z]+$")]


class Returned(pydantic.BaseModel):
    order_id: str = pydantic.Field(alias="orderId")
    units: int = pydantic.Field(default=1, ge=1, le=9)
    parts: list[Part] = pydantic.Field(default_factory=list, max_length=3)
    by: str | None = None


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


def put(event: Event[Returned], work: Work) -> None:
    work.read("Units", {"order_id": event.data.order_id})
    work.put("Units", {"order_id": event.data.order_id}, units=event.data.units)


def test_models_of_pydantics_are_made_up_within_their_limits() -> None:
    """So a consumer of theirs is found out, or certified, without events of one's own."""
    right, wrong = Consumer("units"), Consumer("units")
    right.on(Returned)(add)
    wrong.on(Returned)(put)

    assert examine(Subject.of(right), Bounds(events=2, crowds=2)).passes
    (pair,) = examine(Subject.of(wrong), Bounds(events=2, crowds=2)).pairs
    assert pair.witness is not None
    assert pair.witness.cause is Cause.ORDER


def test_a_model_has_the_shape_of_its_fields() -> None:
    """Under the names and within the limits that pydantic knows."""
    units, parts = ({"orderId": "a", "units": 9}, {"orderId": "a", "units": 1, "parts": [{"sku": "A"}]})

    for told, fits in (
        (units, True),
        (units | {"units": 10}, False),
        (parts, False),
        (parts | {"parts": [{"sku": "AB"}]}, True),
    ):
        whole = {"parts": [], "by": None} | told
        try:
            msgspec.convert(whole, shape_of(Returned))
        except msgspec.ValidationError:
            assert not fits
        else:
            assert fits
