"""Functions as processes: a pool of workers a function."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from eachonce_workbench.cloud.confinement.cell import Cells, open_cells
from eachonce_workbench.cloud.functions.ending import exited
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.functions.warden import Warden
from eachonce_workbench.cloud.functions.worker import Worker

if TYPE_CHECKING:
    from eachonce_workbench.cloud.faults.roster import Roster
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.template.topology import Function


class ProcessRuntime:
    """The Runtime that starts real processes, on demand and up to `workers_per_function`, and uses them again."""

    def __init__(
        self,
        functions: Iterable[Function],
        *,
        endpoint: str,
        history: History,
        workers_per_function: int = 2,
        cells: Cells = open_cells,
        roster: Roster | None = None,
    ) -> None:
        """`cells` give what each process is confined by; nothing does by default. `roster` is where each is known."""
        self._pools: dict[str, Pool] = {}
        self._warden = Warden()
        for function in functions:
            pool = Pool(
                function,
                endpoint=endpoint,
                history=history,
                warden=self._warden,
                cells=cells,
                roster=roster,
                limit=workers_per_function,
            )
            self._pools |= dict.fromkeys((function.logical_id, function.name, function.arn), pool)

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        """Run `function` on `payload` in a worker of its pool."""
        return await self._pools[function].invoke(payload, request_id)

    async def renew(self, functions: Iterable[str]) -> None:
        """Let no later invocation of these functions run in a process that there is now."""
        await asyncio.gather(*(self._pools[name].renew() for name in functions))

    async def stop(self) -> None:
        """End every process, and wait until they are gone."""
        await asyncio.gather(*(pool.stop() for pool in set(self._pools.values())))
        self._warden.stop()


class Pool:
    """The workers of one function.

    An invocation over the function's reserved concurrency is throttled; one over the number of workers only waits,
    since that limit is this machine's and not Lambda's.
    """

    def __init__(
        self,
        function: Function,
        *,
        endpoint: str,
        history: History,
        warden: Warden,
        cells: Cells,
        roster: Roster | None,
        limit: int,
    ) -> None:
        self._function = function
        self._endpoint = endpoint
        self._history = history
        self._warden = warden
        self._cells = cells
        self._roster = roster
        self._slots = asyncio.Semaphore(limit)
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._stale: set[Worker] = set()
        self._wanted = 0
        self._stopped = False

    async def invoke(self, payload: bytes, request_id: str | None) -> Invocation:
        """Run the function in the worker that was used last, or in a new one."""
        if self._exhausted():
            return self._told(_throttled())
        self._wanted += 1
        try:
            async with self._slots:
                return await self._run(str(uuid.uuid4()) if request_id is None else request_id, payload)
        finally:
            self._wanted -= 1

    async def renew(self) -> None:
        """End the workers that are idle now, and the others after the invocation that they are at."""
        self._stale |= self._workers
        idle, self._idle = self._idle, []
        await asyncio.gather(*(worker.stop() for worker in idle))

    async def stop(self) -> None:
        """End every worker; whoever waits for one is told of a crash."""
        self._stopped = True
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        self._workers.clear()
        self._idle.clear()

    def _exhausted(self) -> bool:
        reserved = self._function.reserved_concurrency
        return reserved is not None and self._wanted >= reserved

    async def _run(self, request_id: str, payload: bytes) -> Invocation:
        if self._stopped:
            return self._told(exited(-signal.SIGKILL).invocation(request_id, duration_ms=0.0, log_tail=""))
        self._history.record("invoked", function=self._function.logical_id, request_id=request_id)
        worker = await self._take()
        if worker.ending is not None:
            invocation = worker.ending.invocation(request_id, duration_ms=0.0, log_tail="")
            return self._told(invocation, worker.log_stream, at_start=True)
        try:
            return self._told(await worker.run(request_id, payload), worker.log_stream)
        finally:
            if worker in self._stale:
                await worker.stop()
            elif worker.ending is None:
                self._idle.append(worker)

    async def _take(self) -> Worker:
        """Return a worker that is ready, or a new one that failed to become so."""
        while self._idle:
            worker = self._idle.pop()
            if await worker.ready() or self._stopped:
                return worker
        worker = Worker(
            self._function,
            endpoint=self._endpoint,
            history=self._history,
            warden=self._warden,
            cells=self._cells,
            roster=self._roster,
        )
        self._workers.add(worker)
        worker.start().add_done_callback(lambda _: self._forget(worker))
        await worker.ready()
        return worker

    def _forget(self, worker: Worker) -> None:
        self._workers.discard(worker)
        self._stale.discard(worker)

    def _told(self, invocation: Invocation, log_stream: str | None = None, *, at_start: bool = False) -> Invocation:
        self._history.record(
            "attempted",
            function=self._function.logical_id,
            request_id=invocation.request_id,
            status=invocation.status,
            error_type=invocation.error_type,
            error_message=invocation.error_message,
            duration_ms=invocation.duration_ms,
            stream=log_stream,
            at_start=at_start,
            document=b"" if invocation.ok else invocation.payload,
        )
        return invocation


def _throttled() -> Invocation:
    """Return the refusal that https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html describes."""
    error = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "Type": "User", "message": "Rate Exceeded."}
    return Invocation(status="throttled", payload=msgspec.json.encode(error), error_type="TooManyRequestsException")
