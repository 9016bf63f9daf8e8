"""Laboratory: counts parts of orders by reading and writing, and notes a reservation only after its order."""

from datetime import timedelta

from contracts import OrderPlaced, StockReserved
from eachonce import Consumer, Event, Wait, Work

TABLE = "Laboratory"

# Longer than any outage of a simulation.
_PATIENCE = timedelta(hours=48)

consumer = Consumer("laboratory")


@consumer.on(OrderPlaced)
def count(event: Event[OrderPlaced], work: Work) -> None:
    """Count the part in one of ten rows, so that others come between the reading and the writing."""
    order = event.data
    row = {"row": f"count {order.order_id[-1]}"}
    counted = work.read(TABLE, row)
    if counted is None:
        work.create(TABLE, row, parts=1)
    else:
        work.put(TABLE, row, parts=counted["parts"] + 1)
    work.create(TABLE, _part(order))


@consumer.on(StockReserved)
def reserve(event: Event[StockReserved], work: Work) -> None:
    """Note the reservation on the part, which may not be there yet."""
    if work.read(TABLE, _part(event.data)) is None:
        raise Wait("the order", up_to=_PATIENCE)
    work.put(TABLE, _part(event.data), reserved=1)


def _part(of: OrderPlaced | StockReserved) -> dict[str, str]:
    return {"row": f"part {of.order_id}/{of.part}"}


handler = consumer
