"""A town in the local cloud, whose errands are run by a real process, and all that can be seen of it from outside."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
from eachonce import Event, Publisher
from eachonce.aws import Codec
from eachonce.journal import row_key

from eachonce_workbench.cloud.history import Happening, History, Kind
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.mappings.wakeup import Wakeup
from eachonce_workbench.cloud.store.protocol import AwsError, Response
from eachonce_workbench.template.topology import Topology
from tests.ending import DeadLetter, Ending, Run
from tests.records import on_the_bus, record

ROOT = Path(__file__).parents[1]
TEMPLATE = Path(__file__).parent / "integration" / "fates" / "template.yaml"

# No scenario takes a tenth of it; what would wait for ever fails instead.
_LIMIT_SECONDS = 300
# What nobody tells (a process that was stopped) is looked for this often.
_LOOK_AGAIN_SECONDS = 0.02

_DEATHS = frozenset({"crash", "timeout"})

Json = dict[str, Any]


def errand(
    name: str, does: str = "nothing", *, kind: str = "Errand", subject: str | None = None, **data: Any
) -> Event[Any]:
    """Return an event whose handling comes to what it `does`: see the function under test."""
    return Event(id=name, source="town", type=kind, subject=subject, data={"does": does, **data})


# The rest of a batch of ten, whatever becomes of the tenth.
NINE = tuple(errand(f"neighbour-{number}") for number in range(9))
NINE_ONCE = {neighbour.id: 1 for neighbour in NINE}


def batch(*events: Event[Any]) -> Callable[[Town], Awaitable[None]]:
    """Return the story of events that are published together and left to their fates."""

    async def story(town: Town) -> None:
        await town.publish(*events)
        await town.cloud.settle()

    return story


def deadly(*events: Event[Any]) -> Callable[[Town], Awaitable[None]]:
    """Return the same story where workers die: nobody waits until each of them can't be alive any more."""

    async def story(town: Town) -> None:
        await town.publish(*events)
        outlived = 0
        while not town.cloud.quiet():
            if town.deaths() > outlived:
                outlived = town.deaths()
                await town.outlive_the_dead()
            await town.news()
        await town.cloud.settle()

    return story


def play(story: Callable[[Town], Awaitable[None]], folder: Path, **options: Any) -> Ending:
    """Open a town (`options` are those of `opened`), let the story happen, and return how it ended."""

    async def limited() -> Ending:
        async with asyncio.timeout(_LIMIT_SECONDS), opened(folder, **options) as town:
            await story(town)
            return await town.ending()

    return asyncio.run(limited())


@asynccontextmanager
async def opened(
    folder: Path, *, workers: int = 1, visibility_seconds: int | None = None, **parameters: Any
) -> AsyncIterator[Town]:
    """Open a town; `parameters` are the template's, in Python's words.

    `visibility_seconds` may be shorter than Lambda takes, so that a lease ends while a test waits. With one worker
    nothing is received while it works, so that no message comes again too early, however short its visibility timeout
    is.
    """

    def adapt(topology: Topology) -> Topology:
        return topology if visibility_seconds is None else _hidden_for(visibility_seconds, topology)

    given = {name.title().replace("_", ""): str(value) for name, value in parameters.items()}
    history = History()
    cloud = LocalCloud(
        TEMPLATE,
        parameters={"Folder": str(folder), **given},
        workers_per_function=workers,
        history=history,
        adapt=adapt,
    )
    async with cloud:
        town = Town(cloud, history, folder)
        try:
            yield town
        finally:
            town.close()


def _hidden_for(seconds: int, topology: Topology) -> Topology:
    """Give a topology whose queues hide a message for that long."""
    queues = tuple(replace(queue, visibility_timeout_seconds=seconds) for queue in topology.queues)
    return replace(topology, queues=queues)


@dataclass(slots=True)
class Wire:
    """Stands between the store and whoever speaks to it: hears every request before it is answered.

    Requests to the queue with the URL `unreachable` are refused. Listeners get an operation's name and its request.
    """

    answer: Callable[..., Response]
    listeners: list[Callable[[str, Json], None]]
    refused: int = 0
    unreachable: str | None = None

    def __call__(self, service: str, headers: Mapping[str, str], body: bytes, path: str = "/") -> Response:
        operation, request = headers.get("x-amz-target", "").rpartition(".")[2], json.loads(body)
        for listener in self.listeners:
            listener(operation, request)
        if self.unreachable is not None and request.get("QueueUrl") == self.unreachable:
            self.refused += 1
            return AwsError("AccessDenied", "Access to the queue is denied.", status=403).response()
        return self.answer(service, headers, body, path)


class Town:
    """A local cloud with the function under test, for as long as a scenario lasts."""

    def __init__(self, cloud: LocalCloud, history: History, folder: Path) -> None:
        self.cloud = cloud
        self.queue = cloud.topology.queue("ErrandsQueue")
        self.dead_letter_queue = cloud.topology.queue("ErrandsDeadLetterQueue")
        self.happenings: list[Happening] = []
        self._happened: Counter[tuple[Kind, str | None]] = Counter()
        self._folder = folder
        self._clients = {name: _client(name, cloud.endpoint) for name in ("dynamodb", "events")}
        self._codec = Codec()
        self._heard = Wakeup()
        self._pauses: list[int] = []
        self._left: list[int] = []
        self._requests: Counter[str] = Counter()
        self._handles: list[str] = []
        self._older = timedelta()
        self._receive = cloud.store.queues.receive
        cloud.store.queues.receive = self._received  # type: ignore[method-assign]
        self.wire = Wire(cloud.store.handle, [self._overhear])
        cloud.store.handle = self.wire  # type: ignore[method-assign]
        history.subscribe(self._notice)

    def close(self) -> None:
        """Close what was opened beside the cloud."""
        for client in self._clients.values():
            client.close()

    async def publish(self, *events: Event[Any]) -> None:
        """Publish events; up to ten come to the queue together."""
        publisher = Publisher(self._clients["events"], "town")
        await asyncio.to_thread(publisher.publish, events)

    def enqueue(self, group: str, *events: Event[Any]) -> None:
        """Put events into a FIFO queue, in this order."""
        for event in events:
            body = json.dumps(on_the_bus(json.loads(event.encode())))
            self.cloud.store.queues.send(self.queue.arn, body, group_id=group, deduplication_id=event.id)

    async def invoke(self, event: Event[Any]) -> None:
        """Invoke the function on an event beside its queue, and wait for its end."""
        payload = json.dumps({"Records": [record(on_the_bus(json.loads(event.encode())))]}).encode()
        await self.cloud.invoke("Errands", payload)

    async def eachonce(self, *arguments: str, killed_at: str | None = None) -> int:
        """Run a command of the CLI on this town, and return its exit status.

        It is killed at its first request of the operation `killed_at`, which is carried out: its answer comes too late.
        """
        command = (sys.executable, "-c", "from eachonce_workbench.cli.app import app; app()", *arguments)
        where = ("--stack", "town", "--endpoint-url", self.cloud.endpoint, "--json")
        process = await asyncio.create_subprocess_exec(*command, *where, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL)

        def kill(operation: str, _: Json) -> None:
            if operation == killed_at and process.returncode is None:
                process.kill()

        self.wire.listeners.append(kill)
        try:
            return await process.wait()
        finally:
            self.wire.listeners.remove(kill)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        while not holds():
            await self.news()

    async def news(self) -> None:
        """Wait until something may have happened."""
        await self._heard.sleep(_LOOK_AGAIN_SECONDS)

    def happened(self, kind: Kind, status: str | None = None) -> int:
        """How often something has happened, and with an invocation that ended so."""
        return self._happened[kind, status]

    def deaths(self) -> int:
        """How many invocations have ended without a word."""
        return len(self._left)

    def dead_letters(self) -> int:
        """How many messages the dead-letter queue holds, hidden ones included."""
        return self.cloud.store.queues.depth(self.dead_letter_queue.arn).total

    def runs(self) -> list[Run]:
        """Every time that the handler was begun, in order."""
        notes = self._folder / "runs.jsonl"
        lines = notes.read_text().splitlines() if notes.exists() else []
        return [Run(**json.loads(line)) for line in lines]

    async def end_lease(self, name: str) -> None:
        """Let the time pass in which whoever began an errand last can be alive."""
        key, began = row_key("errands", "town", name), (await self.items("Journal", "pk"))[name].get("begun", set())
        past = {f"0-{fence.partition('-')[2]}" for fence in began}
        await asyncio.to_thread(
            self._clients["dynamodb"].update_item,
            TableName=self.cloud.topology.table("Journal").name,
            Key={"pk": {"S": key}},
            UpdateExpression="SET lease_until = :past" + (", begun = :begun" if past else ""),
            ConditionExpression="attribute_exists(lease_until)",
            ExpressionAttributeValues={":past": {"N": "0"}} | ({":begun": {"SS": sorted(past)}} if past else {}),
        )

    def make_older(self, by: timedelta) -> None:
        """Let every message that is received from now on have come for the first time so much earlier."""
        self._older += by

    async def outlive_the_dead(self) -> None:
        """Let the time pass in which anybody could be alive: leases end, and what was received comes again."""
        for name, row in (await self.items("Journal", "pk")).items():
            if "lease_until" in row:
                await self.end_lease(name)
        handles, self._handles = self._handles, []
        for handle in handles:
            self.cloud.store.queues.change_visibility(self.queue.arn, handle, 0)

    async def items(self, table: str, key: str) -> dict[str, Json]:
        """Return a table's items by the last part of their key."""
        scan = self._clients["dynamodb"].scan
        found = await asyncio.to_thread(scan, TableName=self.cloud.topology.table(table).name, ConsistentRead=True)
        items = [self._codec.item(item) for item in found["Items"]]
        return {item[key].rpartition("#")[2]: item for item in items}

    async def ending(self) -> Ending:
        """Return all that there is to see; the dead letters are hidden then."""
        requests = Counter(self._requests)  # before this asks for anything itself
        attempts = [happening for happening in self.happenings if happening.kind == "attempted"]
        return Ending(
            effects={name: int(item["times"]) for name, item in (await self.items("Effects", "errand")).items()},
            journal=await self.items("Journal", "pk"),
            runs=self.runs(),
            dead_letters={letter.event["id"]: letter for letter in self._dead_letters()},
            invocations=[each.fields["status"] for each in attempts],
            deaths=[each.fields["error_type"] for each in attempts if each.fields["status"] in _DEATHS],
            left=self._left,
            requests=requests,
            pauses=self._pauses,
            outcomes=self._outcomes(),
        )

    def _dead_letters(self) -> list[DeadLetter]:
        letters = [
            DeadLetter(
                event=json.loads(message["body"])["detail"],
                notes={name: value["stringValue"] for name, value in message["messageAttributes"].items()},
            )
            for message in self.cloud.store.queues.receive(self.dead_letter_queue.arn, max_messages=10_000)
        ]
        assert len({letter.event["id"] for letter in letters}) == len(letters), "a dead letter came twice"
        assert len(letters) == self.dead_letters(), "some are hidden"
        return letters

    def _outcomes(self) -> dict[str, list[str]]:
        """What the function's log says of each event, each time."""
        outcomes: dict[str, list[str]] = {}
        for happening in self.happenings:
            if happening.kind == "log" and happening.fields["line"].startswith("{"):
                line = json.loads(happening.fields["line"])
                if "event_id" in line:
                    outcomes.setdefault(line["event_id"], []).append(line["message"])
        return outcomes

    def _received(self, queue_arn: str, **how: Any) -> list[Json]:
        records = self._receive(queue_arn, **how)
        if queue_arn == self.queue.arn:
            self._handles += [record["receiptHandle"] for record in records]
            for record in records:
                first = int(record["attributes"]["ApproximateFirstReceiveTimestamp"])
                older = first - self._older // timedelta(milliseconds=1)
                record["attributes"]["ApproximateFirstReceiveTimestamp"] = str(older)
        return records

    def _overhear(self, operation: str, request: Json) -> None:
        self._requests[operation] += 1
        if operation == "ChangeMessageVisibilityBatch" and request["QueueUrl"] == self.queue.url:
            self._pauses += [entry["VisibilityTimeout"] for entry in request["Entries"]]
        self._heard.ring()

    def _notice(self, happening: Happening) -> None:
        self.happenings.append(happening)
        self._happened[happening.kind, None] += 1
        if "status" in happening.fields:
            self._happened[happening.kind, happening.fields["status"]] += 1
        if happening.kind == "attempted" and happening.fields["status"] in _DEATHS:
            self._left.append(self.cloud.store.queues.depth(self.queue.arn).total)
        self._heard.ring()


def stopped(pid: int) -> bool:
    """Whether a process stands still."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _client(service: str, endpoint: str) -> Any:
    return boto3.client(service, endpoint_url=endpoint, region_name="eu-west-1")
