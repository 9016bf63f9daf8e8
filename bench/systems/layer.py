"""The works as consumers of the layer; what they publish reaches the bus by the relay, as in the template."""

from __future__ import annotations

from eachonce import Consumer, Contract, Event, Relay, Work

from bench import works
from bench.systems import Built


class Line(Contract, frozen=True, kw_only=True):
    sku: str
    quantity: int
    pence: int


class OrderPlaced(Contract, frozen=True, kw_only=True):
    order_id: str
    customer: str
    placed_at: int
    country: str
    lines: tuple[Line, ...]

    @property
    def subject(self) -> str:
        return self.customer


class StockReserved(Contract, frozen=True, kw_only=True):
    order_id: str


def project(event: Event[OrderPlaced], work: Work) -> None:
    order = event.data
    key = {"customer": order.customer}
    at, country = order.placed_at, order.country
    work.put("Customers", key, newer_than="placed_at", placed_at=at, last_order=order.order_id, country=country)


def count(event: Event[OrderPlaced], work: Work) -> None:
    lines = event.data.lines
    units, pence = sum(line.quantity for line in lines), sum(line.quantity * line.pence for line in lines)
    work.add("Customers", {"customer": event.data.customer}, units=units, pence=pence)


def create_and_tell(event: Event[OrderPlaced], work: Work) -> None:
    order = event.data
    work.create("Orders", {"order_id": order.order_id}, customer=order.customer, country=order.country)
    work.publish(StockReserved(order_id=order.order_id))


def change_and_tell(event: Event[OrderPlaced], work: Work) -> None:
    order, key = event.data, {"customer": event.data.customer}
    known = work.read("Customers", key) or {"orders": 0}
    work.put("Customers", key, orders=known["orders"] + 1, last_order=order.order_id)
    work.publish(StockReserved(order_id=order.order_id))


def tell(event: Event[OrderPlaced], work: Work) -> None:
    work.publish(StockReserved(order_id=event.data.order_id))


HANDLERS = {
    works.PROJECTION: project,
    works.COUNTER: count,
    works.STATE_AND_EVENT: create_and_tell,
    works.READ_STATE_AND_EVENT: change_and_tell,
    works.ONLY_EVENTS: tell,
}


def build(work: str) -> Built:
    """Return a consumer of one handler, and the relay."""
    consumer = Consumer("bench")
    consumer.on(OrderPlaced)(HANDLERS[work])
    return Built(consumer=consumer, relay=Relay())
