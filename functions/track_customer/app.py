"""TrackCustomer: the newest order of each customer, and the country that it went to."""

from contracts import OrderPlaced
from eachonce import Consumer, Event, Work

consumer = Consumer("track-customer")


@consumer.on(OrderPlaced)
def track(event: Event[OrderPlaced], work: Work) -> None:
    """Remember the order if none is newer: by time, then by number. A sale without a customer is nobody's."""
    order = event.data
    if order.customer is None:
        return
    at = order.placed_at.isoformat()
    work.put(
        "Customers",
        {"customer": order.customer},
        newer_than="newest",
        newest=f"{at}#{order.order_id:0>20}",
        last_order=order.order_id,
        last_order_at=at,
        country=order.country,
    )


handler = consumer
