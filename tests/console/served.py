"""The console by itself, served on a thread of its own, over what a test says has happened."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eachonce_workbench.cloud.history import History, Kind
from eachonce_workbench.cloud.serving import Server, endpoint_of, listen
from eachonce_workbench.console.app import console
from eachonce_workbench.console.door import ROOT
from eachonce_workbench.console.place import Place
from eachonce_workbench.console.record import Record
from eachonce_workbench.operations.account import Account
from eachonce_workbench.template.topology import Topology
from tests.topologies import topology

T = TypeVar("T")


@dataclass
class Served:
    """A console, the history that it listens to, and the loop that both are on."""

    loop: asyncio.AbstractEventLoop
    record: Record
    topology: Topology
    history: History = field(default_factory=History)
    endpoint: str = ""
    address: str = ""

    def at(self, screen: str) -> str:
        return f"{self.endpoint}{ROOT}{screen}"

    def on_loop(self, call: Callable[[], T]) -> T:
        """Call on the loop's thread, as the local cloud does."""
        done: Any = asyncio.run_coroutine_threadsafe(_called(call), self.loop)
        return done.result(60)  # type: ignore[no-any-return]

    def happens(self, kind: Kind, **fields: Any) -> None:
        self.on_loop(lambda: self.history.record(kind, **fields))

    def publish(self, event_id: str, **named: Any) -> None:
        """An event enters the bus `town`."""
        event = bus_event(event_id, **named)
        self.happens("published", event_id=event["id"], bus="town", event=event)


async def _called(call: Callable[[], T]) -> T:
    return call()


def bus_event(
    event_id: str,
    *,
    source: str = "till",
    event_type: str = "OrderPlaced",
    subject: str = "",
    data: Any = None,
    **others: Any,
) -> dict[str, Any]:
    """A CloudEvents event as the bus has it."""
    detail = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": event_type,
        "subject": subject,
        "data": {} if data is None else data,
    }
    return {
        "version": "0",
        "id": f"bus-{event_id}",
        "detail-type": event_type,
        "source": source,
        "account": "123456789012",
        "time": "2026-03-01T08:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail | others,
    }


def outcome(event_id: str, *, function: str, request_id: str, verdict: str = "done", **told: Any) -> dict[str, Any]:
    """The fields of a log line by which the layer tells an outcome."""
    line = json.dumps({"level": "INFO", "message": verdict, "event_id": event_id, "event_type": "OrderPlaced"} | told)
    return {"function": function, "stream": "stream", "request_id": request_id, "line": line}


@contextmanager
def served(
    described: Topology | None = None, *, port: int = 0, account: Account | None = None, **named: Any
) -> Iterator[Served]:
    """Serve a console over a record of its own, on any port by default; `named` is said of its place."""
    started = threading.Event()
    ended: list[asyncio.Event] = []
    found: list[Served] = []

    async def main() -> None:
        listening = listen(port)
        here = Served(asyncio.get_running_loop(), Record(), topology() if described is None else described)
        here.record.follow(here.topology)
        here.history.subscribe(here.record)
        here.endpoint = endpoint_of(listening)
        place = Place(
            account=Account(endpoint_url="http://127.0.0.1:1") if account is None else account,
            record=here.record,
            topology=lambda: here.topology,
            **named,
        )
        door = console(place, port=listening.getsockname()[1], token="sesame")
        here.address = door.address(here.endpoint)
        server = Server(door, listening)
        await server.start()
        end = asyncio.Event()
        found.append(here)
        ended.append(end)
        started.set()
        await end.wait()
        door.end()
        await server.stop()

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="console")
    thread.start()
    deadline = time.monotonic() + 60
    while not started.wait(0.05):
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the console did not start")
    try:
        yield found[0]
    finally:
        found[0].loop.call_soon_threadsafe(ended[0].set)
        thread.join(60)
