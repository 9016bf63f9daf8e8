"""Orders: a till's CSV as the requests that PlaceOrder takes."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

COLUMNS = ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")

Row = dict[str, str]


class OrdersError(ValueError):
    """The file can't be read as orders; the message says why."""


def read_invoices(path: Path, *, limit: int | None = None) -> dict[str, list[Row]]:
    """Return the lines of the first `limit` invoices by invoice number, both in the file's order.

    The lines of one invoice need not stand together. A name ending in .gz is decompressed. Raises OrdersError.
    """
    try:
        with _opened(path) as file:
            invoices = _grouped(_rows(file, path))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise OrdersError(f"{path}: {reason}") from error
    return dict(islice(invoices.items(), limit))


def request(number: str, lines: list[Row]) -> dict[str, Any]:
    """Return what PlaceOrder is asked for an invoice: the values as they stand, for it to judge.

    The invoice's time is the earliest of its lines'; customer and country are its first line's.
    """
    return {
        "invoice": number,
        "invoiced_at": _earliest([line["InvoiceDate"] for line in lines]),
        "customer": lines[0]["CustomerID"] or None,
        "country": lines[0]["Country"],
        "lines": [
            {"sku": line["StockCode"], "quantity": _number(line["Quantity"]), "unit_price": line["UnitPrice"]}
            for line in lines
        ],
    }


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(file: Iterable[str], path: Path) -> Iterator[Row]:
    reader = csv.DictReader(file, restval="")
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise OrdersError(f"{path}: the first line lacks {', '.join(missing)}; it must name {', '.join(COLUMNS)}")
    return reader


def _grouped(rows: Iterable[Row]) -> dict[str, list[Row]]:
    invoices: dict[str, list[Row]] = {}
    for row in rows:
        invoices.setdefault(row["InvoiceNo"], []).append(row)
    return invoices


def _earliest(times: list[str]) -> str:
    try:
        return min(datetime.fromisoformat(time) for time in times).isoformat()
    except (ValueError, TypeError):  # not a time, or times with and without a zone: PlaceOrder says what is wrong
        return next((time for time in times if not _is_local(time)), times[0])


def _is_local(time: str) -> bool:
    try:
        return datetime.fromisoformat(time).tzinfo is None
    except ValueError:
        return False


def _number(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text
