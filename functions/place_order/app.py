"""PlaceOrder: an invoice of the till becomes an order, a return or a stock correction, and the shop hears of it."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

from contracts import MAX_LINES, AdjustedLine, Invoice, Line, OrderCancelled, OrderPlaced, StockAdjusted
from eachonce import Contract, Endpoint, Event, Reject, Work

T = TypeVar("T")

place_order = Endpoint("place-order")


@place_order.on(Invoice)
def place(event: Event[Invoice], work: Work) -> None:
    """Record the invoice, once, and publish it in parts."""
    invoice = event.data
    parts = list(returned(invoice) if invoice.invoice.startswith("C") else ordered(invoice))
    work.create("Orders", {"order_id": invoice.invoice}, placed_at=invoice.invoiced_at.isoformat(), parts=len(parts))
    for part in parts:
        work.publish(part)
    work.result = {"order_id": invoice.invoice, "parts": len(parts)}


def ordered(invoice: Invoice) -> Iterator[Contract]:
    """Say what was sold, and which lines correct the stock."""
    order_id, at = number(invoice.invoice), invoice.invoiced_at
    sold = [
        Line(sku=line.sku, quantity=line.quantity, unit_price=line.unit_price)
        for line in invoice.lines
        if line.quantity > 0
    ]
    for part, parts, lines in in_parts(sold):
        yield OrderPlaced(
            order_id=order_id,
            part=part,
            parts=parts,
            placed_at=at,
            country=invoice.country,
            customer=invoice.customer,
            lines=lines,
        )
    corrected = [AdjustedLine(sku=line.sku, quantity=line.quantity) for line in invoice.lines if line.quantity <= 0]
    for part, parts, lines in in_parts(corrected):
        yield StockAdjusted(order_id=order_id, part=part, parts=parts, placed_at=at, lines=lines)


def returned(invoice: Invoice) -> Iterator[Contract]:
    """Say what came back: the till writes it as negative quantities."""
    number(invoice.invoice[1:])
    if any(line.quantity >= 0 for line in invoice.lines):
        raise Reject("a return has negative quantities only")
    back = [Line(sku=line.sku, quantity=-line.quantity, unit_price=line.unit_price) for line in invoice.lines]
    for part, parts, lines in in_parts(back):
        yield OrderCancelled(
            order_id=invoice.invoice,
            part=part,
            parts=parts,
            placed_at=invoice.invoiced_at,
            country=invoice.country,
            customer=invoice.customer,
            lines=lines,
        )


def number(text: str) -> str:
    """Return an invoice number's digits, or reject the invoice."""
    if not (text.isascii() and text.isdigit()):
        raise Reject("an invoice number is digits for an order, or C and digits for a return")
    return text


def in_parts(lines: Sequence[T]) -> Iterator[tuple[int, int, tuple[T, ...]]]:
    """Cut lines into (part, parts, lines), each small enough for one event."""
    parts = -(-len(lines) // MAX_LINES)
    rest = iter(lines)
    for part in range(1, parts + 1):
        yield part, parts, tuple(islice(rest, MAX_LINES))


handler = place_order
