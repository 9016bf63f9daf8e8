"""NotifyCustomer: one confirmation an order."""

import os

from contracts import OrderPlaced
from eachonce import ERASED, Consumer, Event, Keyring, Work
from mail import Confirmation, mailer

consumer = Consumer("notify-customer", decrypt_with=Keyring())
send = mailer(os.environ)


@consumer.on(OrderPlaced, external=True)
def confirm(event: Event[OrderPlaced], work: Work) -> None:
    """Confirm the order by its first part; the other parts belong to the same confirmation.

    A customer who was erased is as unknown as one who was never named.
    """
    order = event.data
    customer = None if order.customer is ERASED else order.customer
    if order.part == 1:
        send(Confirmation(key=work.idempotency_key, order_id=order.order_id, customer=customer))


handler = consumer
