"""One function's process: AWS's own runtime client, running one invocation at a time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from eachonce_workbench.cloud.confinement.cell import Cell, Cells, OpenCell, open_cells
from eachonce_workbench.cloud.faults import naming
from eachonce_workbench.cloud.functions.ending import (
    Ending,
    error_type,
    exited,
    failed_to_start,
    out_of_memory,
    timed_out,
)
from eachonce_workbench.cloud.functions.environment import function_environment
from eachonce_workbench.cloud.functions.log import FunctionLog
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.functions.runtime_api import Call, Connection
from eachonce_workbench.cloud.functions.warden import Warden

if TYPE_CHECKING:
    from eachonce_workbench.cloud.faults.roster import Roster
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.template.topology import Function

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: a start that takes longer is begun again
# within the first invocation, under the function's own time-out. Here it simply goes on for that much longer.
_INIT_SECONDS = 10
_MEMORY_CHECK_SECONDS = 0.05
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB, and room for an envelope.
_MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100

_BOOTSTRAP = str(Path(__file__).with_name("bootstrap.py"))


class Worker:
    """A process of `function`, from its start to its end.

    `start` it once, `run` it any number of times, one invocation at a time and only after `ready` was true; `stop` it
    in any state. Everything happens on one loop's thread.
    """

    def __init__(
        self,
        function: Function,
        *,
        endpoint: str,
        history: History,
        warden: Warden,
        cells: Cells = open_cells,
        roster: Roster | None = None,
    ) -> None:
        """`roster` is where the process is known by its access key, if anybody wants to know who makes a call."""
        self.function = function.logical_id
        self.ending: Ending | None = None
        self.log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        self._function = function
        self._endpoint = endpoint
        self._warden = warden
        self._history = history
        self._log = FunctionLog(function.logical_id, self.log_stream, history)
        self._cells = cells
        self._roster = roster
        self._key = "local"
        self._cell: Cell = OpenCell()
        self._connections: set[Connection] = set()
        self._asking: Connection | None = None
        self._changed = asyncio.Event()
        self._request_id: str | None = None
        self._answer: asyncio.Future[Invocation] | None = None
        self._began = 0.0
        self._process: asyncio.subprocess.Process | None = None
        self._life: asyncio.Task[None] | None = None

    def start(self) -> asyncio.Task[None]:
        """Begin to start the process; the task lasts until nothing is left of it."""
        self._life = asyncio.create_task(self._live(), name=f"worker of {self._function.logical_id}")
        return self._life

    async def ready(self) -> bool:
        """Wait until the process asks for work; False when it has ended instead, and `ending` says how."""
        limit = _INIT_SECONDS + self._function.timeout_seconds
        try:
            async with asyncio.timeout(limit):
                while self._asking is None and self.ending is None:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self._end(timed_out(limit))
        return self.ending is None

    async def run(self, request_id: str, payload: bytes) -> Invocation:
        """Hand the process one invocation and wait for its end, whichever it is.

        When the wait is cancelled the process is killed, since nobody could tell what it would still do.
        """
        assert self._asking is not None  # noqa: S101 - the contract of `ready`
        connection, self._asking = self._asking, None
        self._log.begin(request_id)
        self._request_id, self._answer = request_id, asyncio.get_running_loop().create_future()
        self._began = time.perf_counter()
        timer = asyncio.get_running_loop().call_later(self._function.timeout_seconds, self._time_out)
        connection.hand_over(self._call(request_id, payload))
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.kill()
            raise
        finally:
            timer.cancel()
            self._request_id = self._answer = None

    @property
    def request_id(self) -> str | None:
        """The invocation that the process is at."""
        return self._request_id

    def kill(self) -> None:
        """End the process, and what it is at, as a crash does."""
        self._end(exited(-signal.SIGKILL))

    async def gone(self) -> None:
        """Wait until nothing is left of the process."""
        if self._life is not None:
            await asyncio.wait([self._life])

    async def stop(self) -> None:
        """Kill the process and its children, and wait until it is gone."""
        if self._life is not None:
            self._life.cancel()
            await self.gone()

    def asked(self, connection: Connection) -> None:
        """Take the process's question for work; `run` answers it."""
        self._asking = connection
        self._changed.set()

    def hung_up(self, connection: Connection) -> None:
        """Forget the question of a process that doesn't wait for its answer."""
        if self._asking is connection:
            self._asking = None

    def answered(self, request_id: str, payload: bytes, *, failed: bool) -> bool:
        """Take the function's result or error."""
        if request_id != self._request_id or self._answer is None or self._answer.done():
            return False
        if len(payload) > _MAX_RESPONSE_BYTES:
            self._settle(_too_large(len(payload)))
        elif failed:
            self._settle(Ending(status="error", error_type=error_type(payload), document=payload))
        else:
            self._answer.set_result(self._returned(payload))
        return True

    def failed_to_start(self, error: bytes) -> None:
        """Take the process's account of why it could not load the function."""
        self._end(failed_to_start(error))

    async def _live(self) -> None:
        server = await asyncio.get_running_loop().create_server(self._connect, "127.0.0.1", 0)
        self._cell = self._cells(self._refused)
        if self._roster is not None:
            self._key = self._roster.enter(self)
        try:
            port = server.sockets[0].getsockname()[1]
            self._warden.start()
            self._process = await self._spawn(port)
            self._warden.watch(self._process.pid)
            self._log.close_sink()
            self._cell.started()
            self._check_memory()
            self._end(exited(await self._process.wait()))
        except OSError as error:
            self._end(Ending(status="error", error_type="Runtime.InvalidEntrypoint", message=str(error)))
        finally:
            self._end(exited(-signal.SIGKILL))
            if self._process is not None:
                await self._process.wait()
                self._warden.release(self._process.pid)
            if self._roster is not None:
                self._roster.leave(self._key)
            server.close()
            for connection in self._connections:
                connection.close()
            self._cell.close()
            self._log.close()

    def _connect(self) -> Connection:
        connection = Connection(self)
        self._connections.add(connection)
        return connection

    async def _spawn(self, port: int) -> asyncio.subprocess.Process:
        environment = function_environment(
            self._function,
            endpoint=self._endpoint,
            runtime_api=f"127.0.0.1:{port}",
            log_stream=self.log_stream,
            key=self._key,
        )
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *self._cell.before(port, urlsplit(self._endpoint).port or 80),
            _BOOTSTRAP,
            str(os.getpid()),
            self._function.handler,
            *([] if self._roster is None else [naming.__file__]),
            cwd=self._function.code,
            env={**environment, **self._cell.environment},
            pass_fds=self._cell.descriptors,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._log.sink,
            stderr=self._log.sink,
            # Ctrl-C reaches the whole foreground group of a terminal; a worker is stopped by its owner alone.
            start_new_session=True,
        )

    def _drain(self) -> None:
        """Tell all that the process has printed and tried, before its invocation ends."""
        self._cell.hear()
        self._log.end()

    def _refused(self, what: str) -> None:
        """Tell what the process has tried beyond its cell."""
        function = self._function.logical_id
        self._history.record("refused", function=function, request_id=self._request_id, what=what)

    def _call(self, request_id: str, payload: bytes) -> Call:
        deadline_ms = int((time.time() + self._function.timeout_seconds) * 1000)
        return Call(request_id=request_id, function_arn=self._function.arn, deadline_ms=deadline_ms, payload=payload)

    def _time_out(self) -> None:
        self._end(timed_out(self._function.timeout_seconds))

    def _check_memory(self) -> None:
        """Kill the process once it holds more memory than it may, and look again in a moment.

        A limit set in the process itself would differ from Lambda's: RLIMIT_AS and RLIMIT_DATA count address space that
        threads and allocators merely reserve, and reaching one raises MemoryError, which a function can catch.
        """
        if self.ending is not None or self._process is None:
            return
        if _resident_bytes(self._process.pid) > self._function.memory_mb * 1024 * 1024:
            self._end(out_of_memory())
        else:
            asyncio.get_running_loop().call_later(_MEMORY_CHECK_SECONDS, self._check_memory)

    def _end(self, ending: Ending) -> None:
        if self.ending is None:
            self.ending = ending
            self._changed.set()
            self._settle(ending)
        self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            # The process leads a group of its own: a function's children go with it, as with Lambda's sandbox.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _settle(self, ending: Ending) -> None:
        if self._answer is None or self._answer.done() or self._request_id is None:
            return
        self._drain()
        self._answer.set_result(
            ending.invocation(self._request_id, duration_ms=self._elapsed_ms(), log_tail=self._log.tail())
        )

    def _returned(self, payload: bytes) -> Invocation:
        self._drain()
        return Invocation(
            status="ok",
            payload=payload,
            duration_ms=self._elapsed_ms(),
            request_id=self._request_id or "",
            log_tail=self._log.tail(),
        )

    def _elapsed_ms(self) -> float:
        return (time.perf_counter() - self._began) * 1000


def _too_large(size_bytes: int) -> Ending:
    limit = f"maximum allowed payload size ({_MAX_RESPONSE_BYTES} bytes)"
    message = f"Response payload size ({size_bytes} bytes) exceeded {limit}."
    return Ending(status="error", error_type="Function.ResponseSizeTooLarge", message=message)


def _resident_bytes(pid: int) -> int:
    """Return the memory that a process holds; 0 where there is no /proc to tell: the limit isn't watched there."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
