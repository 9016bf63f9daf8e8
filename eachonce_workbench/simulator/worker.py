"""One worker: a function's code in this process, as if it were a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, MutableMapping
from typing import Any, TypeVar

from eachonce_workbench.cloud.confinement import process
from eachonce_workbench.cloud.functions.code import imported
from eachonce_workbench.simulator import strand
from eachonce_workbench.template.topology import Function

T = TypeVar("T")


class Killed(BaseException):
    """The worker ended here: nothing of it goes on, and nothing is said."""


class Worker:
    """The code of one function, loaded anew, running one invocation at a time until it is killed.

    Only where it is `mortal` may a fault kill it, and where it is `spared`, no call of it meets one. Where it was
    `hindered` by a fault that lasts, it may have ended without a word, as if it had been killed.
    """

    def __init__(
        self,
        function: Function,
        environment: MutableMapping[str, str],
        *,
        refused: Callable[[str], object] = lambda _: None,
    ) -> None:
        """`refused` is told what the code has tried that nobody may."""
        self.function = function.logical_id
        self.request_id = ""
        self.mortal = True
        self.spared = False
        self.hindered = False
        self.refused = refused
        self._definition = function
        self._environment = environment
        self._handler: Callable[[Any, Any], Any] | None = None
        self._dead = asyncio.Event()
        self._strands: set[asyncio.Task[Any]] = set()

    @property
    def alive(self) -> bool:
        """Whether the worker can go on."""
        return not self._dead.is_set()

    async def run(self, request_id: str, event: Any, context: Any) -> Any:
        """Run the function once, and return what it returns.

        Raises Killed when the worker is killed meanwhile, and what the function raises.
        """
        self.request_id = request_id
        root = self.begin(lambda: self._handle(event, context))
        dead = asyncio.ensure_future(self._dead.wait())
        try:
            await asyncio.wait({root, dead}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # the time is up
            self.kill()
            raise
        finally:
            dead.cancel()
            if not self.alive:
                await self._end()
        if not self.alive:
            raise Killed
        return root.result()

    def begin(self, function: Callable[[], T]) -> asyncio.Task[T]:
        """Begin a strand of this worker."""
        running = strand.run(function, owner=self, environment=self._environment, paused=self._hear)
        task = asyncio.ensure_future(running)
        self._strands.add(task)
        task.add_done_callback(self._ended)
        return task

    def outlived_by(self, sent: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin something that goes on when the worker is dead."""
        task = asyncio.ensure_future(sent)
        _UNDER_WAY.add(task)
        task.add_done_callback(_UNDER_WAY.discard)
        return task

    def kill(self) -> None:
        """End the worker: no strand of it gets any further."""
        self._dead.set()

    def require_alive(self) -> None:
        """Raise Killed when the worker is dead."""
        if not self.alive:
            raise Killed

    def _hear(self) -> None:
        """Tell what the kernel has refused while a strand of this worker ran: nobody else ran meanwhile."""
        for what in process.refused():
            self.refused(what)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._strands.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited for it knows, and a dead worker's strands tell nobody

    async def _end(self) -> None:
        strands = list(self._strands)
        for task in strands:
            task.cancel()
        await asyncio.gather(*strands, return_exceptions=True)

    def _handle(self, event: Any, context: Any) -> Any:
        if self._handler is None:
            self._handler = _load(self._definition)
        return self._handler(event, context)


# Calls that are on their way; asyncio itself forgets a task that nobody holds.
_UNDER_WAY: set[asyncio.Task[Any]] = set()


def _load(function: Function) -> Callable[[Any, Any], Any]:
    with imported(function) as handler:
        found: Callable[[Any, Any], Any] = handler
    return found
