"""What a rate and a breaker cost an event: `python bench/flow_costs.py`.

Processor time of a consumer whose handler does nothing, with AWS answering at once, and the calls that it makes of AWS.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from eachonce import Aws, Breaker, Consumer, Event, Rate, Settings, Work

from tests.parcels import Weighed, weighed
from tests.records import Context, batch, on_the_bus, record

BATCHES = 400
EVENTS = 10  # of a batch
JOURNAL = "journal"


class Clouds:
    """Every client at once: it answers at once, and counts; its breaker is `open` or closed."""

    def __init__(self, *, is_open: bool) -> None:
        self.calls: Counter[str] = Counter()
        self._is_open = is_open

    def __getattr__(self, name: str) -> Any:
        def call(**_: Any) -> dict[str, Any]:
            self.calls[name] += 1
            return {"Responses": {JOURNAL: [self._row()] if self._is_open else []}}

        return call

    def _row(self) -> dict[str, Any]:
        now = int(time.time())
        return {
            "pk": {"S": "bench###breaker/mail"},
            "state": {"S": "OPEN"},
            "opened_at": {"N": str(now)},
            "expires_at": {"N": str(now + 3600)},
        }


def measured(*, needs: Breaker | None = None, rate: Rate | None = None, is_open: bool = False) -> tuple[float, float]:
    """Return microseconds and calls an event."""
    cloud = Clouds(is_open=is_open)
    settings = Settings(tables={"JOURNAL": JOURNAL}, queue_url="https://queue", former_rows=False)
    consumer = Consumer(
        "bench", aws=Aws(dynamodb=cloud, sqs=cloud, events=cloud), settings=settings, rate=rate, concurrency=1
    )

    @consumer.on(Weighed, needs=needs)
    def nothing(event: Event[Weighed], work: Work) -> None:
        pass

    events = [on_the_bus(weighed(f"p-{n}", event_id=f"e-{n}") | {"tenant": f"t-{n}"}) for n in range(EVENTS)]
    given, context = batch(*map(record, events)), Context()
    consumer(given, context)
    cloud.calls.clear()
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        began = time.process_time()
        for _ in range(BATCHES):
            consumer(given, context)
        microseconds = (time.process_time() - began) * 1e6
    return microseconds / BATCHES / EVENTS, cloud.calls.total() / BATCHES / EVENTS


CASES: dict[str, dict[str, Any]] = {
    "neither": {},
    "a rate, and within it": {"rate": Rate(1_000_000, workers=1)},
    "a rate by tenant, and within it": {"rate": Rate(1_000_000, by="tenant", workers=1)},
    "a breaker, and closed": {"needs": Breaker("mail")},
    "both": {"rate": Rate(1_000_000, workers=1), "needs": Breaker("mail")},
    "over a rate": {"rate": Rate(1, per="hour", workers=1)},
    "a breaker, and open": {"needs": Breaker("mail"), "is_open": True},
}


def main() -> None:
    os.environ["POWERTOOLS_LOG_LEVEL"] = "ERROR"
    print(f"{'an event':<36}{'processor':>12}{'AWS calls':>12}")
    for name, case in CASES.items():
        microseconds, calls = min(measured(**case) for _ in range(3))
        print(f"{name:<36}{microseconds:>9.0f} µs{calls:>12.4f}", flush=True)


if __name__ == "__main__":
    main()
