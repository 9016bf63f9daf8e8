"""Laboratory: counts parts of orders by reading and writing, and notes a reservation only after its order.

It goes no faster than a rate, which it meets whenever events come together, and needs a ledger, which may be down.
"""

from datetime import timedelta
from typing import Any

from contracts import OrderPlaced, StockReserved
from eachonce import Breaker, Consumer, Event, Rate, Wait, Work

TABLE = "Laboratory"

FOLLOWED = "5"
"""How the numbers of those orders end of which the laboratory notes what came before what."""

# Longer than any outage of a simulation.
_PATIENCE = timedelta(hours=48)

# What always fails is alone in the end, and is nobody's fault but its own when every outage is over.
LEDGER = Breaker("ledger", patience=timedelta(hours=1))

consumer = Consumer("laboratory", rate=Rate(1000))


@consumer.on(OrderPlaced, needs=LEDGER)
def count(event: Event[OrderPlaced], work: Work) -> None:
    """Count the part in one of ten rows, so that others come between the reading and the writing.

    Of some orders the part has its place, and how many were reserved before it: of a row that is only read.
    """
    order = event.data
    counted = work.read(TABLE, _count(order))
    place = 1 if counted is None else int(counted["parts"]) + 1
    noted = dict[str, int]()
    if _is_followed(order):
        reserved = work.read(TABLE, _reserved(order))
        noted = {"place": place, "found": 0 if reserved is None else int(reserved["parts"])}
    if counted is None:
        work.create(TABLE, _count(order), parts=place)
    else:
        work.put(TABLE, _count(order), parts=place)
    work.create(TABLE, _part(order), **noted)


@consumer.on(StockReserved, needs=LEDGER)
def reserve(event: Event[StockReserved], work: Work) -> None:
    """Note the reservation on the part, which may not be there yet; of some orders, how many parts were counted before.

    The row of counts is only read, and the one of reservations only added to.
    """
    part, noted = event.data, dict[str, Any](reserved=1)
    if work.read(TABLE, _part(part)) is None:
        raise Wait("the order", up_to=_PATIENCE)
    if _is_followed(part):
        counted = work.read(TABLE, _count(part))
        noted |= {"after": 0 if counted is None else int(counted["parts"])}
        work.add(TABLE, _reserved(part), parts=1)
    work.put(TABLE, _part(part), **noted)


def _is_followed(of: OrderPlaced | StockReserved) -> bool:
    """Whether the order of its events is to be told from their rows: of a tenth of them, since it takes reads."""
    return of.order_id.endswith(FOLLOWED)


def _count(of: OrderPlaced | StockReserved) -> dict[str, str]:
    return {"row": f"count {of.order_id[-1]}"}


def _reserved(of: OrderPlaced | StockReserved) -> dict[str, str]:
    return {"row": f"reserved {of.order_id[-1]}"}


def _part(of: OrderPlaced | StockReserved) -> dict[str, str]:
    return {"row": f"part {of.order_id}/{of.part}"}


handler = consumer
