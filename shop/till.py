"""The shop in a cloud: placing orders, and reading what became of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from shop.books import State, money
from shop.orders import Row, request

# PlaceOrder says so itself when it could not handle a request now, and that the same request again is safe.
_PLACING_TRIES = 20

Invoke = Callable[[str, bytes], Awaitable[Any]]


class PlacingError(RuntimeError):
    """PlaceOrder failed on an invoice, again and again; the message has its last error."""


async def place(invoke: Invoke, number: str, lines: list[Row]) -> str | None:
    """Send one invoice through PlaceOrder; return the reason if it was refused. Raises PlacingError."""
    payload = json.dumps(request(number, lines)).encode()
    for _ in range(_PLACING_TRIES):
        invocation = await invoke("PlaceOrder", payload)
        if invocation.ok:
            answer = json.loads(invocation.payload)
            return answer["reason"] if answer["outcome"] == "reject" else None
    raise PlacingError(
        f"invoice {number}: {invocation.error_type}: {invocation.payload.decode(errors='replace')[:500]}"
    )


async def place_all(
    invoke: Invoke, invoices: Iterable[tuple[str, list[Row]]], *, at_once: int
) -> AsyncIterator[tuple[str, str | None]]:
    """Send invoices through PlaceOrder, several at once; yield each number, with the reason if it was refused."""
    waiting = iter(invoices)
    placing: set[asyncio.Task[tuple[str, str | None]]] = set()

    async def one(number: str, lines: list[Row]) -> tuple[str, str | None]:
        return number, await place(invoke, number, lines)

    try:
        while True:
            while len(placing) < at_once and (following := next(waiting, None)) is not None:
                placing.add(asyncio.create_task(one(*following)))
            if not placing:
                return
            placed, placing = await asyncio.wait(placing, return_when=asyncio.FIRST_COMPLETED)
            for task in placed:
                yield task.result()
    finally:
        for task in placing:
            task.cancel()


def read_state(scan: Callable[[str], Iterable[Mapping[str, Any]]], mail: Path, refused: Mapping[str, str]) -> State:
    """Return the state that the shop's tables and mail folder hold; `scan` gives the items of a table.

    `refused` are the invoices that PlaceOrder refused, with its reasons.
    """
    return State(
        orders=frozenset(item["order_id"] for item in scan("Orders")),
        tables={
            "sales": [_sales_row(item) for item in scan("Sales")],
            "stock": [_stock_row(item) for item in scan("Stock")],
            "customers": [_customer_row(item) for item in scan("Customers")],
            "notifications": [{"order_id": json.loads(path.read_text())["order_id"]} for path in mail.glob("*.json")],
            "refused": [{"invoice": number, "reason": reason} for number, reason in refused.items()],
        },
    )


def _sales_row(item: Mapping[str, Any]) -> dict[str, Any]:
    revenue = money(Decimal(item["revenue"]))
    return {"day": item["day"], "country": item["country"], "units": int(item["units"]), "revenue": revenue}


def _stock_row(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"sku": item["sku"], **{name: int(item.get(name, 0)) for name in ("sold", "returned", "adjusted")}}


def _customer_row(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("customer", "last_order", "last_order_at", "country")}
