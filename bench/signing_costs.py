"""What a signature costs, an event: processor time of an event of the shop's usual size and of one of 100 KB.

python -m bench.signing_costs
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from eachonce import Event, SigningKey, VerifyingKeys
from eachonce.event import decode

from bench.processor_time import microseconds
from bench.rows import Row, protection

KEY = SigningKey.from_secret("long and random")
KEYS = VerifyingKeys(KEY.verifying("shop"))
ROUNDS = 500


def event(lines: int) -> Event[Any]:
    line = {"sku": "85123A", "quantity": 6, "unit_price": "2.55"}
    data = {"order_id": "536365", "part": 1, "parts": 1, "country": "United Kingdom", "lines": [line] * lines}
    return Event(id="e-1", source="shop", type="OrderPlaced", data=data, time=datetime.now(UTC), subject="536365")


def rows() -> Iterator[Row]:
    """Return what an event's signature costs, to make and to verify, with keys that are at hand."""
    now = datetime.now(UTC)
    for name, lines in (("15 lines", 15), ("100 KB", 1800)):
        plain = event(lines)
        sent = decode(KEY.sign(plain).encode())
        yield protection(f"signing, {name}", cpu_us=microseconds(partial(KEY.sign, plain), ROUNDS))
        verify = partial(KEYS.verify, sent, received=now)
        yield protection(f"verifying, {name}", cpu_us=microseconds(verify, ROUNDS))


if __name__ == "__main__":
    for row in rows():
        print(f"{row.case:<24}{row.cpu_us_per_event:>8.0f} µs")
