"""What every system of the bench is given: orders of a few lines, as a queue's mapping hands them over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.records import batch, cloud_event, on_the_bus, record

DISTINCT, HOT = "distinct", "hot"
KEYS = (DISTINCT, HOT)
"""Whether each event is another customer's, or all of them are one customer's."""

TYPE = "OrderPlaced"

_LINES = 5


def batches(size: int, keys: str) -> Iterator[dict[str, Any]]:
    """Return batches of so many messages without end, each event once."""
    number = 0
    while True:
        numbers = range(number, number + size)
        yield batch(*[record(_on_the_bus(one, keys), message_id=f"m-{one}") for one in numbers])
        number += size


def _on_the_bus(number: int, keys: str) -> dict[str, Any]:
    customer = "c-hot" if keys == HOT else f"c-{number}"
    return on_the_bus(
        cloud_event(
            TYPE,
            {
                "order_id": f"o-{number}",
                "customer": customer,
                "placed_at": number,
                "country": "United Kingdom",
                "lines": [{"sku": f"85123-{line}", "quantity": 6 + line, "pence": 255} for line in range(_LINES)],
            },
            event_id=f"e-{number:08}",
            subject=customer,
            time="2010-12-01T08:26:00Z",
        )
    )
