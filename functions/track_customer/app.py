"""TrackCustomer: the newest order of each customer, and the country that it went to."""

from contracts import OrderPlaced
from eachonce import ERASED, Consumer, Event, Keyring, Work

consumer = Consumer("track-customer", decrypt_with=Keyring())


@consumer.on(OrderPlaced)
def track(event: Event[OrderPlaced], work: Work) -> None:
    """Remember the order if none is newer: by time, then by number.

    A sale without a customer is nobody's, and so is one whose customer was erased. The table has customers in clear, as
    its key: who is erased is to be deleted there, too.
    """
    order = event.data
    if order.customer is None or order.customer is ERASED:
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
