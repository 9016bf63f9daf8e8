"""The whole way on the local cloud: from PutEvents to the acknowledgement of every consumer, for so many orders.

Another process publishes the orders, ten a call, as fast as the bus takes them; the shop's four consumers run as they
are deployed, without signatures and personal fields, which have rows of their own. An event's latency is from its
publishing to the deletion of its message, so that in a burst it is mostly the wait for the events before it.

    python -m bench.end_to_end --orders N
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.quantiles import percentile
from bench.tables import ENVIRONMENT

CONSUMERS = 4
_PARAMETERS = {"Signatures": "none", "PersonalFields": "clear", "FormerJournalRows": "none"}
_ENTRIES = 10  # of a PutEvents call


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How so many orders went: acknowledged messages a second, from the first publishing to the last of them."""

    system: str
    orders: int
    messages_per_second: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    cpu_ms_per_message: float


@dataclass(slots=True)
class Watch:
    """Notes when events were published and their messages acknowledged, by what the local cloud tells."""

    published: dict[str, float] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)  # by message
    took: list[float] = field(default_factory=list)
    last: float = 0.0

    def __call__(self, happening: Any) -> None:
        """Take one happening."""
        fields = happening.fields
        if happening.kind == "published":
            self.published[fields["event"]["detail"]["id"]] = time.perf_counter()
        elif happening.kind == "log" and '"message_id"' in fields["line"]:
            line = json.loads(fields["line"])
            self.events[line["message_id"]] = line["event_id"]
        elif happening.kind == "acknowledged":
            self.last = time.perf_counter()
            self.took.append(self.last - self.published[self.events.pop(fields["message_id"])])


async def way(orders: int) -> Way:
    """Send so many orders through the shop on the local cloud."""
    from bench.processor_time import processor_seconds
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.cloud.local_cloud import LocalCloud
    from shop.books import FOLDER

    history = History()
    with tempfile.TemporaryDirectory() as mail:
        parameters = {**_PARAMETERS, "MailDirectory": mail}
        async with LocalCloud(FOLDER / "template.yaml", parameters=parameters, history=history) as cloud:
            bus = cloud.topology.buses[-1].name
            await _publish(cloud.endpoint, bus, 40, prefix="warm")  # so that every function has its workers
            await cloud.settle()
            watch = Watch()
            history.subscribe(watch)
            cpu = processor_seconds()
            await _publish(cloud.endpoint, bus, orders, prefix="o")
            await cloud.settle()
            cpu = processor_seconds() - cpu
    assert len(watch.took) == orders * CONSUMERS, f"{len(watch.took)} of {orders * CONSUMERS} were acknowledged"
    seconds = watch.last - min(watch.published.values())
    p50, p90, p99 = (round(percentile(watch.took, share) * 1000, 1) for share in (0.5, 0.9, 0.99))
    return Way(
        system="eachonce serve",
        orders=orders,
        messages_per_second=round(len(watch.took) / seconds, 1),
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        cpu_ms_per_message=round(cpu / len(watch.took) * 1000, 3),
    )


def measured(orders: int) -> Way:
    """Send them in a process of its own: a process has one local cloud."""
    command = [sys.executable, "-m", "bench.end_to_end", "--orders", str(orders)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return Way(**json.loads(ended.stdout.splitlines()[-1]))


async def _publish(endpoint: str, bus: str, orders: int, *, prefix: str) -> None:
    command = [sys.executable, "-m", "bench.end_to_end", "--orders", str(orders), "--to", endpoint, bus, prefix]
    publisher = await asyncio.create_subprocess_exec(*command, env={**os.environ, **ENVIRONMENT})
    assert await publisher.wait() == 0, "the publisher failed"


def _send(endpoint: str, bus: str, orders: int, prefix: str) -> None:
    import boto3

    client = boto3.client("events", endpoint_url=endpoint)
    entries = list(_entries(bus, orders, prefix))
    for start in range(0, orders, _ENTRIES):
        answer = client.put_events(Entries=entries[start : start + _ENTRIES])
        assert answer["FailedEntryCount"] == 0, answer


def _entries(bus: str, orders: int, prefix: str) -> Iterator[dict[str, str]]:
    lines = [{"sku": f"85123-{line}", "quantity": 6, "unit_price": "2.55"} for line in range(5)]
    for number in range(orders):
        data = {
            "order_id": f"{prefix}-{number}",
            "placed_at": f"2010-12-{1 + number % 28:02}T08:26:00",
            "country": "United Kingdom",
            "customer": f"c-{number % 500}",
            "lines": lines,
        }
        detail = {
            "specversion": "1.0",
            "id": f"{prefix}-{number}",
            "source": "shop",
            "type": "OrderPlaced",
            "subject": data["order_id"],
            "time": "2010-12-01T08:26:00Z",
            "tenant": "shop",
            "data": data,
        }
        yield {"EventBusName": bus, "Source": "shop", "DetailType": "OrderPlaced", "Detail": json.dumps(detail)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=100, help="how many")
    parser.add_argument("--to", nargs=3, metavar=("URL", "BUS", "PREFIX"), help="only publish them, to this bus")
    arguments = parser.parse_args()
    if arguments.to is not None:
        endpoint, bus, prefix = arguments.to
        _send(endpoint, bus, arguments.orders, prefix)
        return
    import uvloop

    print(json.dumps(asdict(uvloop.run(way(arguments.orders)))))


if __name__ == "__main__":
    main()
