"""One run: a till's orders through the whole shop on this machine, and the books compared."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from eachonce_workbench.cloud.confinement.cell import closed_cells
from eachonce_workbench.cloud.confinement.refusals import Refusals
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.sdk import DIRECT, local_session
from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.run.tally import Tally
from eachonce_workbench.template.topology import Topology
from shop.books import Reconciliation, State, reconcile
from shop.oracle import expect
from shop.orders import Row
from shop.till import place_all, read_state

# More requests at once than PlaceOrder has workers, so that none of them ever waits for this process.
_PLACING_AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Disarray:
    """How much worse than on a quiet day deliveries are; the same seed draws the same disarray."""

    seed: int = 0
    duplicates: float = 0.0
    shuffle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run came to; `refused` says which function tried to reach beyond the local cloud, and how."""

    state: State
    reconciliation: Reconciliation
    consumers: Mapping[str, Mapping[str, int]]
    seconds: float
    refused: Sequence[str] = ()


class Progress:
    """What a run tells while it is under way; this one tells nobody."""

    def __enter__(self) -> Self:
        """Begin to tell."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell no more."""

    def started(self, topology: Topology) -> None:
        """The local cloud is there."""

    def about(self, what: str) -> None:
        """What follows is about this."""

    def placed(self, done: int, total: int) -> None:
        """So many of the orders have been answered."""

    def settling(self) -> None:
        """All orders are placed, and events are still on their way."""


async def run(
    invoices: Mapping[str, list[Row]],
    *,
    template: Path,
    disarray: Disarray,
    progress: Progress,
    history: History | None = None,
) -> Result:
    """Start the shop in a local cloud, place the invoices, wait until all is quiet, and compare the books.

    Functions reach nothing but that cloud, and write to nothing but the mail folder and temporary ones of their own.
    Raises PlacingError when PlaceOrder fails for good, and what LocalCloud raises.
    """
    started = time.perf_counter()
    history = History() if history is None else history
    tally, refusals = Tally(), Refusals()
    history.subscribe(tally)
    history.subscribe(refusals)
    with tempfile.TemporaryDirectory(prefix="eachonce-") as mail:
        async with LocalCloud(
            template,
            parameters={"MailDirectory": mail},
            disorder=Disorder(disarray.seed, disarray.duplicates, shuffle=disarray.shuffle),
            history=history,
            cells=closed_cells(Path(mail)),
        ) as cloud:
            progress.started(cloud.topology)
            refused = await _place(cloud, invoices, disarray, progress)
            progress.settling()
            await cloud.settle()
            state = await asyncio.to_thread(read_state, _scanner(cloud), Path(mail), refused)
            consumers = {mapping.function: tally.of(mapping.function) for mapping in cloud.topology.queue_mappings}
    return Result(
        state=state,
        reconciliation=reconcile(expect(invoices), state),
        consumers=consumers,
        seconds=time.perf_counter() - started,
        refused=refusals.lines(),
    )


async def _place(
    cloud: LocalCloud, invoices: Mapping[str, list[Row]], disarray: Disarray, progress: Progress
) -> dict[str, str]:
    """Place all invoices; return the refused ones with their reasons."""
    order = list(invoices.items())
    if disarray.shuffle:
        random.Random(disarray.seed).shuffle(order)  # noqa: S311 - a reproducible disorder, no secret
    refused: dict[str, str] = {}
    done = 0
    async for number, reason in place_all(cloud.invoke, order, at_once=_PLACING_AT_ONCE):
        done += 1
        progress.placed(done, len(order))
        if reason is not None:
            refused[number] = reason
    return refused


def _scanner(cloud: LocalCloud) -> Callable[[str], Iterable[Mapping[str, Any]]]:
    """Return what reads a whole table as any program would, through AWS's protocol."""
    session = local_session(cloud.topology.region)
    resource = session.resource("dynamodb", endpoint_url=cloud.endpoint, config=DIRECT)

    def scan(table: str) -> Iterable[Mapping[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            page = resource.Table(cloud.topology.table(table).name).scan(ConsistentRead=True, **start)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    return scan
