"""NotifyCustomer: one confirmation an order."""

import os

from contracts import OrderPlaced
from eachonce import Consumer, Event, Work
from mail import Confirmation, mailer

consumer = Consumer("notify-customer")
send = mailer(os.environ)


@consumer.on(OrderPlaced, external=True)
def confirm(event: Event[OrderPlaced], work: Work) -> None:
    """Confirm the order by its first part; the other parts belong to the same confirmation."""
    order = event.data
    if order.part == 1:
        send(Confirmation(key=work.idempotency_key, order_id=order.order_id, customer=order.customer))


handler = consumer
