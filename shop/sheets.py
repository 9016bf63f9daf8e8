"""The sheets of the shop's state: rows that can be compared, and written to files."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from eachonce_workbench.run.reconciliation import Row, Sheet, State

# Each sheet of the state, and the columns that tell its rows apart.
KEYS: Mapping[str, tuple[str, ...]] = {
    "orders": ("order_id",),
    "sales": ("day", "country"),
    "stock": ("sku",),
    "customers": ("customer",),
    "notifications": ("order_id",),
    "refused": ("invoice",),
}

COUNTED = ("orders", "refused")

# A refusal's reason is the shop's own words, which the oracle does not know.
_UNCOMPARED = frozenset({"reason"})


def sheets(rows: Mapping[str, list[Row]]) -> State:
    """Return rows as the sheets of the shop's state."""
    return {name: Sheet(key=key, rows=rows[name], uncompared=_UNCOMPARED) for name, key in KEYS.items()}


def money(amount: Decimal) -> str:
    """Return pounds as a decimal string: all the digits there are, and at least the pence."""
    pence = amount.quantize(Decimal("0.01"))
    exact = pence if pence == amount else amount.normalize()
    return f"{exact:f}"
