"""Whether an order costs the same after a month as on the first day.

The same hundred orders, under other numbers, are placed at the beginning and at the end of a month's orders; each time
it is measured how long the whole shop takes until it is quiet, and how much processor time the local cloud and its
functions use.

    python -m bench.flat [--orders N]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass

import uvloop

from bench.processor_time import processor_seconds
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.run.sending import SendingError, send_all
from shop.books import FOLDER, ORDERS
from shop.orders import Row, read_invoices
from shop.till import inputs

Invoices = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Cost:
    wall_seconds: float
    processor_seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=2025, help="how many orders lie between the two hundreds")
    invoices = read_invoices(ORDERS, limit=parser.parse_args().orders)
    first, last = uvloop.run(measure(invoices))
    print(f"first hundred: {first.wall_seconds:6.2f} s, {first.processor_seconds:6.2f} s of processor time")
    print(f"last hundred:  {last.wall_seconds:6.2f} s, {last.processor_seconds:6.2f} s of processor time")
    wall = last.wall_seconds / first.wall_seconds
    print(f"ratio:         {wall:6.2f}  , {last.processor_seconds / first.processor_seconds:6.2f}")


async def measure(invoices: Invoices) -> tuple[Cost, Cost]:
    hundred = dict(list(invoices.items())[:100])
    with tempfile.TemporaryDirectory() as mail:
        async with LocalCloud(FOLDER / "template.yaml", parameters={"MailDirectory": mail}) as cloud:
            await place(cloud, renumbered(hundred, "1"))  # so that every function has its workers
            first = await place(cloud, renumbered(hundred, "2"))
            await place(cloud, invoices)
            last = await place(cloud, renumbered(hundred, "3"))
    return first, last


def renumbered(invoices: Invoices, prefix: str) -> Invoices:
    """The same orders under numbers that none of the others has."""
    return {
        f"C{prefix}{number[1:]}" if number[0] == "C" else f"{prefix}{number}": rows for number, rows in invoices.items()
    }


async def place(cloud: LocalCloud, invoices: Invoices) -> Cost:
    wall, processor = time.perf_counter(), processor_seconds()
    async for _, answer in send_all(cloud, inputs(invoices), at_once=4, tries=20):
        if isinstance(answer, SendingError):
            raise answer
    await cloud.settle()
    return Cost(time.perf_counter() - wall, processor_seconds() - processor)


if __name__ == "__main__":
    main()
