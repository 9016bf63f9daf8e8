"""The laboratory's books: what its table must hold in the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

Part = tuple[str, int]


def misbooked(rows: Iterable[Mapping[str, Any]], placed: Set[Part]) -> Iterator[str]:
    """Yield what differs between the table and the parts of orders (order_id, part) that were placed."""
    there = {str(row["row"]): row for row in rows}
    counts = Counter(f"count {order[-1]}" for order, _ in placed)
    for name, count in sorted(counts.items()):
        found = there.get(name, {}).get("parts", 0)
        if found != count:
            yield f"laboratory: {name} has {found} parts, expected {count}"
    for order, part in sorted(placed):
        if there.get(f"part {order}/{part}", {}).get("reserved") != 1:
            yield f"laboratory: part {part} of order {order} is not reserved"
    yield from _out_of_order(there, placed)


def _out_of_order(there: Mapping[str, Mapping[str, Any]], placed: Set[Part]) -> Iterator[str]:
    """Yield the parts that no order of the events, one after the other, explains.

    A part was counted when as many reservations had been made as it found: those that saw a place before its own.
    """
    followed = {(order, part): there.get(f"part {order}/{part}", {}) for order, part in sorted(placed)}
    afters: dict[str, list[int]] = defaultdict(list)
    for (order, _), row in followed.items():
        if "after" in row:
            afters[order[-1]].append(row["after"])
    for (order, part), row in followed.items():
        before = sum(after < row.get("place", 0) for after in afters[order[-1]])
        if row.get("found", before) != before:
            yield f"laboratory: part {part} of order {order} found {row['found']} reservations of {before}"
