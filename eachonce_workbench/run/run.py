"""One run: a bundle's inputs through the whole bundle on this machine, and what came of them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from eachonce_workbench.cloud.confinement.cell import closed_cells
from eachonce_workbench.cloud.confinement.refusals import Refusals
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.sdk import DIRECT, local_session
from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.run.books import Books, Input, Outcome, Scan
from eachonce_workbench.run.folder import own_folder
from eachonce_workbench.run.progress import Progress
from eachonce_workbench.run.reconciliation import Reconciliation
from eachonce_workbench.run.samples import Samples
from eachonce_workbench.run.sending import SendingError, send_all
from eachonce_workbench.run.tally import Tally
from eachonce_workbench.run.trouble import BrokenFunctionError, Trouble
from eachonce_workbench.template.finding import bundle_folder
from eachonce_workbench.template.topology import Topology

T = TypeVar("T")

# More at once than a function has workers, so that none of them ever waits for this process.
_AT_ONCE = 4
# A function that is asked says so itself when it could not handle the request now: the books say that again is safe.
_TRIES = 20
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Disarray:
    """How much worse than on a quiet day deliveries are.

    The seed draws the order of the inputs, and the chances of each delivery. Functions run side by side, so that which
    deliveries meet, and how many of them are copies, may still differ from run to run.
    """

    seed: int = 0
    duplicates: float = 0.0
    shuffle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run came to.

    `reconciliation` is None where nobody can say what it had to come to. `failed` are the inputs whose function failed
    for good, and what was given up on its way; `failing` says which functions failed, and where. `quiet` is whether all
    was done in the end, and `refused` which function tried to reach beyond the local cloud, and how.
    """

    sent: int
    reconciliation: Reconciliation | None
    consumers: Mapping[str, Mapping[str, int]]
    failed: Sequence[str]
    failing: Sequence[str]
    quiet: bool
    seconds: float
    refused: Sequence[str] = ()

    @property
    def passes(self) -> bool:
        """Whether the books agree; where there are none, whether nothing failed."""
        if not self.quiet:
            return False
        if self.reconciliation is not None:
            return self.reconciliation.agrees
        return not self.failed


async def run(
    inputs: Sequence[Input],
    *,
    template: Path,
    books: Books,
    disarray: Disarray,
    progress: Progress,
    history: History | None = None,
    patience_seconds: float | None = None,
) -> Result:
    """Start the bundle in a local cloud, send the inputs, wait until all is quiet, and let the books compare.

    Functions reach nothing but that cloud, and write to nothing but the books' folder and temporary ones of their own.
    Raises BrokenFunctionError as soon as a function can't be imported, SendingError when one fails for good on an input
    of books, and what LocalCloud raises.
    """
    history = History() if history is None else history
    with own_folder() as folder:
        cloud = LocalCloud(
            template,
            parameters=books.parameters(folder),
            disorder=Disorder(disarray.seed, disarray.duplicates, shuffle=disarray.shuffle),
            history=history,
            cells=closed_cells(folder),
        )
        return await _Run(cloud, books, progress, history).through(
            _ordered(inputs, disarray), folder, bundle_folder(template), patience_seconds
        )


class _Run:
    def __init__(self, cloud: LocalCloud, books: Books, progress: Progress, history: History) -> None:
        self._cloud = cloud
        self._books = books
        self._progress = progress
        self._history = history
        self._tally, self._refusals = Tally(), Refusals()
        self._failed: list[str] = []

    async def through(self, inputs: Sequence[Input], folder: Path, root: Path, patience: float | None) -> Result:
        started = time.perf_counter()
        for listener in (self._tally, self._refusals):
            self._history.subscribe(listener)
        async with self._cloud as cloud:
            self._trouble = Trouble(cloud.topology, root=root)
            self._history.subscribe(self._trouble)
            self._progress.started(cloud.topology)
            answers = await self._unless_broken(self._send(inputs))
            self._progress.settling()
            quiet = await self._unless_broken(self._settle(patience))
            outcome = Outcome(scan=_scanner(cloud), folder=folder, answers=answers)
            reconciliation = await asyncio.to_thread(self._books.reconcile, inputs, outcome)
        return Result(
            sent=len(inputs),
            reconciliation=reconciliation,
            consumers=self._consumers(cloud.topology),
            failed=(*self._failed, *self._tally.failed),
            failing=self._trouble.lines(),
            quiet=quiet,
            seconds=time.perf_counter() - started,
            refused=self._refusals.lines(),
        )

    async def _send(self, inputs: Sequence[Input]) -> dict[str, bytes]:
        samples = isinstance(self._books, Samples)
        answers: dict[str, bytes] = {}
        done = 0
        async for given, answer in send_all(self._cloud, inputs, at_once=_AT_ONCE, tries=1 if samples else _TRIES):
            done += 1
            self._progress.sent(done, len(inputs))
            if isinstance(answer, bytes):
                answers[given.name] = answer
            elif isinstance(answer, SendingError):
                if not samples:
                    raise answer
                self._failed.append(str(answer))
        return answers

    async def _settle(self, patience: float | None) -> bool:
        try:
            await self._cloud.settle(patience)
        except TimeoutError:
            return False
        return True

    async def _unless_broken(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something, and tell who fails meanwhile. Raises BrokenFunctionError."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_LOOK_SECONDS)
                self._progress.failing(self._trouble.lines())
                if self._trouble.broken is not None:
                    raise BrokenFunctionError(self._trouble.broken)
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _consumers(self, topology: Topology) -> dict[str, Mapping[str, int]]:
        """Return what became of the deliveries of each function that reads a queue or that nobody knows books of."""
        reads = {mapping.function for mapping in topology.queue_mappings}
        if isinstance(self._books, Samples):
            reads |= {each.logical_id for each in topology.functions if self._tally.worked(each.logical_id)}
        names = [each.logical_id for each in topology.functions if each.logical_id in reads]
        return {name: self._tally.seen_of(name, topology) for name in names}


def _ordered(inputs: Sequence[Input], disarray: Disarray) -> Sequence[Input]:
    if not disarray.shuffle:
        return inputs
    shuffled = list(inputs)
    random.Random(disarray.seed).shuffle(shuffled)  # noqa: S311 - a reproducible disorder, no secret
    return shuffled


def _scanner(cloud: LocalCloud) -> Scan:
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
