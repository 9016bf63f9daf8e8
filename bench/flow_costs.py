"""What a rate and a breaker cost an event.

Processor time of a consumer whose handler does nothing, with AWS answering at once, and the calls that it makes of AWS.

    python -m bench.flow_costs
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from eachonce import Aws, Breaker, Consumer, Event, Rate, Settings, Work

from bench.processor_time import microseconds
from bench.rows import Row, protection
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
    """Return microseconds and calls an event, in batches of ten."""
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
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        consumer(given, context)
        cloud.calls.clear()
        used = microseconds(lambda: consumer(given, context), BATCHES)
    return used / EVENTS, cloud.calls.total() / (BATCHES + 1) / EVENTS


CASES: dict[str, dict[str, Any]] = {
    "neither": {},
    "a rate, and within it": {"rate": Rate(1_000_000, workers=1)},
    "a rate by tenant, and within it": {"rate": Rate(1_000_000, by="tenant", workers=1)},
    "a breaker, and closed": {"needs": Breaker("mail")},
    "both": {"rate": Rate(1_000_000, workers=1), "needs": Breaker("mail")},
    "over a rate": {"rate": Rate(1, per="hour", workers=1)},
    "a breaker, and open": {"needs": Breaker("mail"), "is_open": True},
}


def rows() -> Iterator[Row]:
    """Return the least of three tries of each case: other work only adds."""
    os.environ["POWERTOOLS_LOG_LEVEL"] = "ERROR"
    for name, case in CASES.items():
        used, calls = min(measured(**case) for _ in range(3))
        yield protection(f"flow: {name}", cpu_us=used, calls=calls, batch=EVENTS)


if __name__ == "__main__":
    for row in rows():
        print(f"{row.case:<44}{row.cpu_us_per_event:>9.0f} µs{row.calls_per_event:>12.4f}", flush=True)
