"""A Runtime that knows how many invocations are under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eachonce_workbench.cloud.functions.runtime import Invocation, Runtime


class WatchedRuntime:
    """Passes everything on to another Runtime, and calls `ended` after each invocation."""

    def __init__(self, runtime: Runtime, ended: Callable[[], None]) -> None:
        self._runtime = runtime
        self._ended = ended
        self.running = 0

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        """Invoke, and count it meanwhile."""
        self.running += 1
        try:
            return await self._runtime.invoke(function, payload, request_id=request_id)
        finally:
            self.running -= 1
            self._ended()

    async def stop(self) -> None:
        """Stop the other."""
        await self._runtime.stop()
