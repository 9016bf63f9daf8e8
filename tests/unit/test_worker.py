"""A worker's side of the Runtime API, without a process."""

import asyncio
import os
from pathlib import Path

from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.functions.runtime_api import Connection
from eachonce_workbench.cloud.functions.warden import Warden
from eachonce_workbench.cloud.functions.worker import Worker
from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.template.topology import Function

FUNCTION = Function(
    logical_id="Fn",
    name="shop-Fn",
    arn="arn:aws:lambda:eu-west-1:123456789012:function:shop-Fn",
    handler="app.handler",
    runtime="python3.11",
    code=Path(),
    layers=(),
    timeout_seconds=3,
    memory_mb=128,
    environment={},
    reserved_concurrency=None,
)


class Process:
    """What a process does at its worker, without one: it has asked for work, and been given request "r"."""

    def __init__(self) -> None:
        self.happened: list[Happening] = []
        history = History()
        history.subscribe(self.happened.append)
        self.worker = Worker(FUNCTION, endpoint="http://127.0.0.1:4566", history=history, warden=Warden())

    async def take(self) -> asyncio.Task[Invocation]:
        self.worker.asked(Connection(self.worker))
        running = asyncio.create_task(self.worker.run("r", b"{}"))
        await asyncio.sleep(0)
        return running

    def print(self, line: str) -> None:
        os.write(self.worker._log.sink, line.encode() + b"\n")

    def close(self) -> None:
        self.worker._log.close()


def test_what_was_printed_is_told_before_the_answer_counts():
    """The line was written before the answer was sent, and it is told first even when the answer is read first."""

    async def main() -> list[str]:
        process = Process()
        running = await process.take()
        process.print("last words")
        process.worker.answered("r", b"1", failed=False)
        told = [happening.fields["line"] for happening in process.happened]
        assert (await running).log_tail == "last words\n"
        process.close()
        return told

    assert asyncio.run(main()) == ["last words"]


def test_an_answer_to_another_request_is_refused():
    """Neither an unknown request id nor a second answer changes anything."""

    async def main() -> tuple[list[bool], bytes]:
        process = Process()
        running = await process.take()
        known = [process.worker.answered(*answer, failed=False) for answer in (("x", b"0"), ("r", b"1"), ("r", b"2"))]
        invocation = await running
        process.close()
        return known, invocation.payload

    assert asyncio.run(main()) == ([False, True, False], b"1")


def test_a_process_that_hung_up_is_not_ready():
    """Its question is void: whoever waits for it goes on waiting until it asks again."""

    async def main() -> list[bool]:
        process = Process()
        connection = Connection(process.worker)
        process.worker.asked(connection)
        waiting = []
        for event in (process.worker.hung_up, process.worker.asked):
            event(connection)
            ready = asyncio.create_task(process.worker.ready())
            await asyncio.sleep(0)
            waiting.append(not ready.done())
            ready.cancel()
        process.close()
        return waiting

    assert asyncio.run(main()) == [True, False]
