"""The shop in a cloud: what PlaceOrder is asked and answers, and what its tables hold in the end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from eachonce_workbench.run.books import Input, Scan
from eachonce_workbench.run.reconciliation import State
from shop.orders import Row, request
from shop.sheets import money, sheets


def inputs(invoices: Mapping[str, list[Row]]) -> list[Input]:
    """Return invoices as requests of PlaceOrder, which answers the same request again as it answered it first."""
    return [
        Input(
            name=number,
            kind="function",
            target="PlaceOrder",
            payload=json.dumps(request(number, lines)).encode(),
            origin=lines,
        )
        for number, lines in invoices.items()
    ]


def invoices(inputs: Iterable[Input]) -> dict[str, Any]:
    """Return the invoices that inputs were made of."""
    return {each.name: each.origin for each in inputs}


def refused(answers: Mapping[str, bytes]) -> dict[str, str]:
    """Return the numbers of the invoices that PlaceOrder refused, with its reasons."""
    read = {number: json.loads(answer) for number, answer in answers.items()}
    return {number: answer["reason"] for number, answer in read.items() if answer["outcome"] == "reject"}


def read_state(scan: Scan, mail: Path, refused: Mapping[str, str]) -> State:
    """Return the state that the shop's tables and mail folder hold.

    `refused` are the invoices that PlaceOrder refused, with its reasons.
    """
    return sheets(
        {
            "orders": [{"order_id": item["order_id"]} for item in scan("Orders")],
            "sales": [_sales_row(item) for item in scan("Sales")],
            "stock": [_stock_row(item) for item in scan("Stock")],
            "customers": [_customer_row(item) for item in scan("Customers")],
            "notifications": [{"order_id": json.loads(path.read_text())["order_id"]} for path in mail.glob("*.json")],
            "refused": [{"invoice": number, "reason": reason} for number, reason in refused.items()],
        }
    )


def _sales_row(item: Mapping[str, Any]) -> dict[str, Any]:
    revenue = money(Decimal(item["revenue"]))
    return {"day": item["day"], "country": item["country"], "units": int(item["units"]), "revenue": revenue}


def _stock_row(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"sku": item["sku"], **{name: int(item.get(name, 0)) for name in ("sold", "returned", "adjusted")}}


def _customer_row(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("customer", "last_order", "last_order_at", "country")}
