"""TallySales: net units and revenue, by day and country."""

from contracts import OrderCancelled, OrderPlaced
from eachonce import Consumer, Event, Work

consumer = Consumer("tally-sales")


@consumer.on(OrderPlaced)
def add(event: Event[OrderPlaced], work: Work) -> None:
    """Add a part of an order to its day."""
    tally(event.data, work, sign=1)


@consumer.on(OrderCancelled)
def subtract(event: Event[OrderCancelled], work: Work) -> None:
    """Subtract a part of a return from its own day."""
    tally(event.data, work, sign=-1)


def tally(order: OrderPlaced | OrderCancelled, work: Work, *, sign: int) -> None:
    """Move a day's totals by an order's."""
    key = {"day": order.placed_at.date().isoformat(), "country": order.country}
    work.add("Sales", key, units=sign * order.units, revenue=sign * order.amount)


handler = consumer
