"""The laboratory's books: what its table must hold in the end."""

from __future__ import annotations

from collections import Counter
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
