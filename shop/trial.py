"""What the shop's books add to a simulation: a model of poison, and eyes for the event that must follow another."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from typing import Any

from eachonce_workbench.run.books import Input, Scan
from shop.laboratory.app import TABLE
from shop.laboratory.books import misbooked

# The one event of the shop that another one must follow, whoever wrote the consumer between them.
_CAUSE, _EFFECT = "OrderPlaced", "StockReserved"

_DATA = {
    "order_id": "a model",
    "part": 1,
    "parts": 1,
    "placed_at": "2010-12-01T08:26:00",
    "country": "Nowhere",
    "customer": "nobody",
    "lines": [{"sku": "POISON", "quantity": 1, "unit_price": "1.00"}],
}
_EVENT = {"specversion": "1.0", "id": "a-model", "source": "shop", "type": _CAUSE, "data": _DATA}

MODEL = Input(
    name="a model",
    kind="bus",
    target="Bus",
    payload=json.dumps({"Source": "shop", "DetailType": _CAUSE, "Detail": json.dumps(_EVENT)}).encode(),
)


class Announcements:
    """The parts of orders that were placed, and those of which stock was said to be reserved."""

    def __init__(self) -> None:
        self._parts: dict[str, set[tuple[str, int]]] = defaultdict(set)

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Note the part that an event is about."""
        if event["type"] in {_CAUSE, _EFFECT}:
            self._parts[event["type"]].add((event["data"]["order_id"], event["data"]["part"]))

    @property
    def placed(self) -> Set[tuple[str, int]]:
        """The parts of orders that were placed."""
        return self._parts[_CAUSE]

    def missing(self) -> Iterator[str]:
        """Yield the parts that were placed and of which no stock was said to be reserved."""
        for order, part in sorted(self._parts[_CAUSE] - self._parts[_EFFECT]):
            yield f"{_EFFECT} of order {order} part {part}"

    def misbooked(self, scan: Scan) -> Iterator[str]:
        """Yield what is wrong in the laboratory's table."""
        return misbooked(scan(TABLE), self.placed)
