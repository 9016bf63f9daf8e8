"""The oracle: the final state computed from the CSV alone.

It shares no code with the shop, so that the two can only agree by being right, or by both being wrong in the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from eachonce_workbench.run.reconciliation import State
from shop.orders import Row
from shop.sheets import money, sheets

_MOST_UNITS = 1_000_000_000
_HIGHEST_PRICE = Decimal(1_000_000_000)
_MOST_DECIMALS = 6
_LONGEST_TEXT = 256


class _BrokenError(Exception):
    """The invoice breaks the shop's contract."""


class _Line:
    def __init__(self, row: Row) -> None:
        self.sku = _text(row["StockCode"])
        self.at = _time(row["InvoiceDate"])
        self.price = _price(row["UnitPrice"])
        try:
            self.quantity = int(row["Quantity"])
        except ValueError:
            raise _BrokenError from None
        if abs(self.quantity) > _MOST_UNITS:
            raise _BrokenError


def expect(invoices: Mapping[str, list[Row]]) -> State:
    """Return the state that these invoices must lead to, in whatever order they are placed and delivered."""
    books = _Books()
    for number, rows in invoices.items():
        try:
            books.enter(number, rows)
        except _BrokenError:
            books.refused.append(number)
    return books.state()


class _Books:
    def __init__(self) -> None:
        self.orders: set[str] = set()
        self.refused: list[str] = []
        self.confirmed: list[str] = []
        self.units: dict[tuple[str, str], int] = defaultdict(int)
        self.revenue: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.stock: dict[str, dict[str, int]] = defaultdict(lambda: {"sold": 0, "returned": 0, "adjusted": 0})
        self.newest: dict[str, tuple[datetime, int, str, str]] = {}

    def enter(self, number: str, rows: list[Row]) -> None:
        lines = [_Line(row) for row in rows]
        country, customer = _text(rows[0]["Country"]), rows[0]["CustomerID"]
        if len(customer) > _LONGEST_TEXT:
            raise _BrokenError
        at = min(line.at for line in lines)
        day = (at.date().isoformat(), country)
        if number.startswith("C"):
            self._enter_return(number, lines, day)
        else:
            self._enter_order(number, lines, day)
            if customer and any(line.quantity > 0 for line in lines):
                order = (at, int(number), number, country)
                self.newest[customer] = max(order, self.newest.get(customer, order))
        self.orders.add(number)

    def _enter_return(self, number: str, lines: list[_Line], day: tuple[str, str]) -> None:
        if not _is_digits(number[1:]) or any(line.quantity >= 0 for line in lines):
            raise _BrokenError
        for line in lines:
            self.stock[line.sku]["returned"] -= line.quantity
            self.units[day] += line.quantity
            self.revenue[day] += line.quantity * line.price

    def _enter_order(self, number: str, lines: list[_Line], day: tuple[str, str]) -> None:
        if not _is_digits(number):
            raise _BrokenError
        if any(line.quantity > 0 for line in lines):
            self.confirmed.append(number)
        for line in lines:
            if line.quantity <= 0:
                self.stock[line.sku]["adjusted"] += line.quantity
                continue
            self.stock[line.sku]["sold"] += line.quantity
            self.units[day] += line.quantity
            self.revenue[day] += line.quantity * line.price

    def state(self) -> State:
        return sheets(
            {
                "orders": [{"order_id": number} for number in self.orders],
                "sales": [
                    {"day": day, "country": country, "units": units, "revenue": money(self.revenue[day, country])}
                    for (day, country), units in self.units.items()
                ],
                "stock": [{"sku": sku, **counts} for sku, counts in self.stock.items()],
                "customers": [
                    {"customer": customer, "last_order": number, "last_order_at": at.isoformat(), "country": country}
                    for customer, (at, _, number, country) in self.newest.items()
                ],
                "notifications": [{"order_id": number} for number in self.confirmed],
                "refused": [{"invoice": number} for number in self.refused],
            }
        )


def _text(text: str) -> str:
    if not 1 <= len(text) <= _LONGEST_TEXT:
        raise _BrokenError
    return text


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise _BrokenError from None
    if time.tzinfo is not None:
        raise _BrokenError
    return time


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation:
        raise _BrokenError from None
    if not price.is_finite() or not 0 <= price <= _HIGHEST_PRICE or -price.as_tuple().exponent > _MOST_DECIMALS:  # type: ignore[operator]
        raise _BrokenError
    return price


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
