"""Orders, returns and stock corrections.

An event carries at most 40 lines: what is larger is published in parts, each independent of the others. Money is in
pounds, exact, and written as a decimal string. Times are the shop's local time, without a zone.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from eachonce import Contract, Personal, describe

MAX_LINES = 40

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Customer = Annotated[Text, Personal]
LocalTime = Annotated[datetime, msgspec.Meta(tz=False)]
Units = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Correction = Annotated[int, msgspec.Meta(ge=-1_000_000_000, le=0)]
Part = Annotated[int, msgspec.Meta(ge=1)]

_HIGHEST_PRICE = Decimal(1_000_000_000)


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an invoice as the till wrote it: `quantity` is signed, `unit_price` in pounds."""

    sku: Text
    quantity: Annotated[int, msgspec.Meta(ge=-1_000_000_000, le=1_000_000_000)]
    unit_price: Decimal

    def __post_init__(self) -> None:
        _check_price(self.unit_price)


@describe(person="customer")
class Invoice(Contract, frozen=True, kw_only=True):
    """What is asked of the shop: an invoice of the till, of whatever kind.

    Digits number an order, whose lines of 0 or fewer units are stock corrections; `C` and digits number a return.
    """

    invoice: Text
    invoiced_at: LocalTime
    country: Text
    lines: Annotated[tuple[InvoiceLine, ...], msgspec.Meta(min_length=1)]
    customer: Customer | None = None

    @property
    def subject(self) -> str:
        """The invoice."""
        return self.invoice


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """So many units of a thing at a price, in pounds a unit."""

    sku: Text
    quantity: Units
    unit_price: Decimal

    def __post_init__(self) -> None:
        _check_price(self.unit_price)


class AdjustedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A correction of a thing's stock: no or fewer units."""

    sku: Text
    quantity: Correction


Lines = Annotated[tuple[Line, ...], msgspec.Meta(min_length=1, max_length=MAX_LINES)]
AdjustedLines = Annotated[tuple[AdjustedLine, ...], msgspec.Meta(min_length=1, max_length=MAX_LINES)]


@describe(person="customer")
class _Order(Contract, frozen=True, kw_only=True):
    """What orders and returns have in common: who, where, when, and which part of the whole this is."""

    order_id: Text
    part: Part = 1
    parts: Part = 1
    placed_at: LocalTime
    country: Text
    customer: Customer | None = None
    lines: Lines

    @property
    def subject(self) -> str:
        """The order."""
        return self.order_id

    @property
    def units(self) -> int:
        """The units of all lines."""
        return sum(line.quantity for line in self.lines)

    @property
    def amount(self) -> Decimal:
        """The price of all lines, in pounds."""
        return sum((line.quantity * line.unit_price for line in self.lines), Decimal())


class OrderPlaced(_Order, frozen=True, kw_only=True):
    """An order was placed; quantities are what was sold."""


class OrderCancelled(_Order, frozen=True, kw_only=True):
    """Goods were returned; quantities are what came back. It does not name the order that it returns."""


class StockAdjusted(Contract, frozen=True, kw_only=True):
    """The stock was corrected: breakage, loss, or a count."""

    order_id: Text
    part: Part = 1
    parts: Part = 1
    placed_at: LocalTime
    lines: AdjustedLines

    @property
    def subject(self) -> str:
        """The invoice that noted it."""
        return self.order_id


class StockReserved(Contract, frozen=True, kw_only=True):
    """The stock of one part of an order was set aside."""

    order_id: Text
    part: Part
    parts: Part

    @property
    def subject(self) -> str:
        """The order."""
        return self.order_id


def _check_price(price: Decimal) -> None:
    if not price.is_finite():
        raise ValueError("a price is a number")
    if price < 0:
        raise ValueError("a price is not negative")
    if price > _HIGHEST_PRICE or price.as_tuple().exponent < -6:  # type: ignore[operator]
        raise ValueError("a price is below a thousand million pounds, with at most 6 decimals")
