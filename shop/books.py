"""The shop's final state: rows that can be compared, and written to files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]

# Each table of the state, and the columns that tell its rows apart.
KEYS: Mapping[str, tuple[str, ...]] = {
    "sales": ("day", "country"),
    "stock": ("sku",),
    "customers": ("customer",),
    "notifications": ("order_id",),
    "refused": ("invoice",),
}

# A refusal's reason is the shop's own words, which the oracle does not know.
_UNCOMPARED = frozenset({"reason"})


@dataclass(frozen=True, slots=True)
class State:
    """Rows by table; `orders` are the invoices that were accepted."""

    orders: frozenset[str]
    tables: Mapping[str, list[Row]]

    def write(self, directory: Path) -> None:
        """Write each table as <name>.jsonl, a JSON object a line, in the order of its keys."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, key in KEYS.items():
            rows = sorted(self.tables[name], key=lambda row: tuple(row[column] for column in key))
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (directory / f"{name}.jsonl").write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """How a found state differs from the expected one: a sentence for each row that does."""

    orders: int
    refused: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    different: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the states are equal, to the penny."""
        return not (self.lost or self.doubled or self.different)

    def __str__(self) -> str:
        return (
            f"{self.orders} orders, {len(self.lost)} lost, {len(self.doubled)} doubled, "
            f"{len(self.different)} different, {self.refused} refused"
        )


def reconcile(expected: State, found: State) -> Reconciliation:
    """Compare every row: one that is missing is lost, one too many is doubled, one with other values is different."""
    lost = [f"order {order}" for order in sorted(expected.orders - found.orders)]
    doubled = [f"order {order}" for order in sorted(found.orders - expected.orders)]
    different: list[str] = []
    for name, key in KEYS.items():
        wanted, there = _by_key(expected.tables[name], key), _by_key(found.tables[name], key)
        lost += [f"{name} {_said(row)}" for row in wanted.keys() - there.keys()]
        doubled += [f"{name} {_said(row)}" for row in _too_many(wanted, found.tables[name], key)]
        different += [
            f"{name} {_said(row)}: {'; '.join(changes)}"
            for row in wanted.keys() & there.keys()
            if (changes := list(_changes(wanted[row], there[row])))
        ]
    return Reconciliation(
        orders=len(found.orders),
        refused=len(found.tables["refused"]),
        lost=tuple(sorted(lost)),
        doubled=tuple(sorted(doubled)),
        different=tuple(sorted(different)),
    )


def money(amount: Decimal) -> str:
    """Return pounds as a decimal string: all the digits there are, and at least the pence."""
    pence = amount.quantize(Decimal("0.01"))
    exact = pence if pence == amount else amount.normalize()
    return f"{exact:f}"


def _by_key(rows: Iterable[Row], key: tuple[str, ...]) -> dict[tuple[str, ...], Row]:
    return {tuple(row[column] for column in key): row for row in rows}


def _too_many(
    wanted: Mapping[tuple[str, ...], Row], rows: Iterable[Row], key: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    counts = Counter(tuple(row[column] for column in key) for row in rows)
    for row, count in counts.items():
        if count > 1 or row not in wanted:
            yield row


def _changes(wanted: Row, there: Row) -> Iterator[str]:
    for column in sorted((wanted.keys() | there.keys()) - _UNCOMPARED):
        if wanted.get(column) != there.get(column):
            yield f"{column} is {there.get(column)}, expected {wanted.get(column)}"


def _said(row: tuple[str, ...]) -> str:
    return " ".join(row)
