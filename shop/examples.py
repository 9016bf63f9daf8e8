"""The shop's examples: the first invoice of the month, a return and a correction, and what is published of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from contracts import (
    EVENTS,
    AdjustedLine,
    Invoice,
    InvoiceLine,
    Line,
    OrderCancelled,
    OrderPlaced,
    StockAdjusted,
    StockReserved,
)
from eachonce import Contract, Event

_WHEN = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
_LOCAL = datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001 - the shop's local time has no zone

INVOICE = Invoice(
    invoice="536365",
    invoiced_at=_LOCAL,
    country="United Kingdom",
    customer="17850",
    lines=(
        InvoiceLine(sku="85123A", quantity=6, unit_price=Decimal("2.55")),
        InvoiceLine(sku="71053", quantity=6, unit_price=Decimal("3.39")),
    ),
)
_LINES = tuple(Line(sku=line.sku, quantity=line.quantity, unit_price=line.unit_price) for line in INVOICE.lines)
_PLACED = OrderPlaced(order_id="536365", placed_at=_LOCAL, country="United Kingdom", customer="17850", lines=_LINES)
_CANCELLED = OrderCancelled(order_id="C536379", placed_at=_LOCAL, country="United Kingdom", lines=_LINES[:1])
_ADJUSTED = StockAdjusted(order_id="536589", placed_at=_LOCAL, lines=(AdjustedLine(sku="21777", quantity=-10),))
_RESERVED = StockReserved(order_id="536365", part=1, parts=1)


def published(*contracts: Contract) -> list[Event[Any]]:
    """Return contracts as PlaceOrder would publish them, of a request that nobody makes."""
    cause: Event[Any] = Event(id="example", source="shop", type="Invoice", tenant="shop", data=INVOICE)
    return [
        cause.causes(contract, by="place-order", place=EVENTS.index(type(contract)), source="shop", time=_WHEN)
        for contract in contracts
    ]


def events() -> list[Event[Any]]:
    """Return an event of each type."""
    return published(_PLACED, _CANCELLED, _ADJUSTED, _RESERVED)
