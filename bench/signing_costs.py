"""What a signature costs, an event: `python bench/signing_costs.py`.

Processor time of this process, of an event of the shop's usual size and of one of 100 KB.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "eachonce"))

from eachonce import Event, SigningKey, VerifyingKeys
from eachonce.event import decode

KEY = SigningKey.from_secret("long and random")
KEYS = VerifyingKeys(KEY.verifying("shop"))
ROUNDS = 500


def event(lines: int) -> Event[Any]:
    line = {"sku": "85123A", "quantity": 6, "unit_price": "2.55"}
    data = {"order_id": "536365", "part": 1, "parts": 1, "country": "United Kingdom", "lines": [line] * lines}
    return Event(id="e-1", source="shop", type="OrderPlaced", data=data, time=datetime.now(UTC), subject="536365")


def microseconds(work: Callable[[], object]) -> float:
    work()
    started = time.process_time()
    for _ in range(ROUNDS):
        work()
    return (time.process_time() - started) / ROUNDS * 1e6


def main() -> None:
    now = datetime.now(UTC)
    for name, lines in (("15 lines", 15), ("100 KB", 1800)):
        plain = event(lines)
        sent = decode(KEY.sign(plain).encode())
        signs, verifies = microseconds(partial(KEY.sign, plain)), microseconds(partial(KEYS.verify, sent, received=now))
        print(f"{name:>10}: {signs:6.0f} us to sign, {verifies:6.0f} us to verify, {len(plain.encode()):,} bytes")


if __name__ == "__main__":
    main()
