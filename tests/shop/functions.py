"""The shop's functions as Lambda imports them, and what goes in."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from eachonce.journal import unpack_outbox

from tests.store import Store

FUNCTIONS = Path(__file__).parents[2] / "functions"

TABLES = {
    "Journal": ("pk",),
    "Orders": ("order_id",),
    "Stock": ("sku",),
    "Sales": ("day", "country"),
    "Customers": ("customer",),
}


@contextmanager
def imported(function: str) -> Iterator[ModuleType]:
    """Import a function's app.py from its own folder, as Lambda does, and forget it afterwards."""
    folder = FUNCTIONS / function
    modules = {path.stem for path in folder.glob("*.py")}
    _forget(modules)
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("app")
    finally:
        sys.path.remove(str(folder))
        _forget(modules)


def _forget(modules: set[str]) -> None:
    for module in modules:
        sys.modules.pop(module, None)


def environment(store: Store) -> dict[str, str]:
    """Return what template.yaml tells the functions."""
    settings = store.settings
    return {
        **{f"TABLE_{name}": table for name, table in settings.tables.items()},
        "EVENT_SOURCE": "shop",
        "PERSONAL_KEY": "none",  # what handlers do doesn't depend on how a value came to them
        "EVENT_BUS": str(settings.bus),
        "DEAD_LETTER_QUEUE_URL": str(settings.dead_letter_queue_url),
    }


def line(sku: str = "85123A", quantity: int = 6, unit_price: str = "2.55") -> dict[str, Any]:
    """Return a line of an invoice."""
    return {"sku": sku, "quantity": quantity, "unit_price": unit_price}


def invoice(number: str = "536365", *lines: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return an invoice as the till writes it."""
    return {
        "invoice": number,
        "invoiced_at": "2010-12-01T08:26:00",
        "country": "United Kingdom",
        "customer": "17850",
        "lines": list(lines) or [line()],
        **changes,
    }


def published(store: Store, pk: str) -> list[dict[str, Any]]:
    """Return the events in a journal row's outbox, as CloudEvents objects, in order."""
    row = store.item("Journal", pk=pk)
    return [] if row is None or "outbox" not in row else [json.loads(bytes(e)) for e in unpack_outbox(row["outbox"])]
