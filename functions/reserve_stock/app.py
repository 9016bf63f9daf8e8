"""ReserveStock: units sold, returned and corrected, by stock code."""

from contracts import OrderCancelled, OrderPlaced, StockAdjusted, StockReserved
from eachonce import Consumer, Event, Work

consumer = Consumer("reserve-stock")


@consumer.on(OrderPlaced)
def reserve(event: Event[OrderPlaced], work: Work) -> None:
    """Set the stock of an order's part aside."""
    order = event.data
    for line in order.lines:
        work.add("Stock", {"sku": line.sku}, sold=line.quantity)
    work.publish(StockReserved(order_id=order.order_id, part=order.part, parts=order.parts))


@consumer.on(OrderCancelled)
def take_back(event: Event[OrderCancelled], work: Work) -> None:
    """Count what came back."""
    for line in event.data.lines:
        work.add("Stock", {"sku": line.sku}, returned=line.quantity)


@consumer.on(StockAdjusted)
def adjust(event: Event[StockAdjusted], work: Work) -> None:
    """Correct the stock; corrections are negative or nothing."""
    for line in event.data.lines:
        work.add("Stock", {"sku": line.sku}, adjusted=line.quantity)


handler = consumer
