"""A Runtime whose one function is a coroutine of this process."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.mappings.batches import Record

Handler = Callable[[list[Record]], Awaitable[Any]]


async def succeed(records: list[Record]) -> None:
    """Be done with all records."""


async def fail(records: list[Record]) -> None:
    """Be done with none."""
    raise ValueError("no")


THROTTLED = Invocation(status="throttled", payload=b"{}", error_type="TooManyRequestsException")


class ScriptedRuntime:
    """Calls `handler` with the records of each batch, and keeps the batches with the loop's time."""

    def __init__(self, handler: Handler = succeed) -> None:
        self.handler = handler
        self.batches: list[list[Record]] = []
        self.times: list[float] = []
        self.running = 0
        self.most_running = 0

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        records = json.loads(payload)["Records"]
        self.batches.append(records)
        self.times.append(round(asyncio.get_running_loop().time(), 3))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            result = await self.handler(records)
        except ValueError as error:
            document = json.dumps({"errorMessage": str(error), "errorType": "ValueError"}).encode()
            return Invocation(status="error", payload=document, error_type="ValueError", request_id="r")
        finally:
            self.running -= 1
        if isinstance(result, Invocation):
            return result
        return Invocation(status="ok", payload=json.dumps(result).encode(), request_id="r")

    async def stop(self) -> None:
        """Nothing was started."""
