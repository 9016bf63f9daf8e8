"""Laboratory: counts parts of orders by reading and writing, and notes a reservation only after its order.

It goes no faster than a rate, which it meets whenever events come together, and needs a ledger, which may be down.
"""

from datetime import timedelta

from contracts import OrderPlaced, StockReserved
from eachonce import Breaker, Consumer, Event, Rate, Wait, Work

TABLE = "Laboratory"

# Longer than any outage of a simulation.
_PATIENCE = timedelta(hours=48)

# What always fails is alone in the end, and is nobody's fault but its own when every outage is over.
LEDGER = Breaker("ledger", patience=timedelta(hours=1))

consumer = Consumer("laboratory", rate=Rate(1000))


@consumer.on(OrderPlaced, needs=LEDGER)
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


@consumer.on(StockReserved, needs=LEDGER)
def reserve(event: Event[StockReserved], work: Work) -> None:
    """Note the reservation on the part, which may not be there yet."""
    if work.read(TABLE, _part(event.data)) is None:
        raise Wait("the order", up_to=_PATIENCE)
    work.put(TABLE, _part(event.data), reserved=1)


def _part(of: OrderPlaced | StockReserved) -> dict[str, str]:
    return {"row": f"part {of.order_id}/{of.part}"}


handler = consumer
