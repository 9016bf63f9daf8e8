"""Lambda's reader of a DynamoDB stream: records in order and in batches to a function, and what becomes of them."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from eachonce_workbench.cloud.mappings.batches import Record, events
from eachonce_workbench.cloud.mappings.stream_batch import Batch, created_at
from eachonce_workbench.cloud.mappings.stream_failure import Condition, failure_record
from eachonce_workbench.cloud.mappings.wakeup import Wakeup

if TYPE_CHECKING:
    from eachonce_workbench.cloud.functions.runtime import Runtime
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.cloud.store.queues.queues import Queues
    from eachonce_workbench.cloud.store.tables.streams import Streams
    from eachonce_workbench.template.topology import StreamMapping

# A stream keeps its records for a day: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html.
_RETENTION_SECONDS = 86_400


class StreamReader:
    """Moves the records of one table's stream through one function, as its event source mapping says.

    Records of one item are handed over in the order of their writes, and none before those ahead of it are done with:
    processed, not admitted by the filters, or given up and told to the on-failure destination. The rules:
    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html and the pages below it.
    """

    def __init__(
        self,
        mapping: StreamMapping,
        *,
        function_arn: str,
        streams: Streams,
        queues: Queues,
        runtime: Runtime,
        history: History,
        clock: Callable[[], float],
        passed: Callable[[], None],
    ) -> None:
        self._mapping = mapping
        self._function_arn = function_arn
        self._streams = streams
        self._queues = queues
        self._runtime = runtime
        self._history = history
        self._clock = clock
        self._passed = passed
        self._wakeup = Wakeup()
        self._listens = False
        self._halted = False
        self._undone = False
        latest = mapping.starting_position == "LATEST"
        self.position = streams.end(mapping.table_name) if latest else 0

    @property
    def table_name(self) -> str:
        """The table whose stream this reads."""
        return self._mapping.table_name

    @property
    def function(self) -> str:
        """The function, by its logical id, that gets the records."""
        return self._mapping.function

    @property
    def behind(self) -> bool:
        """Whether there are records that aren't done with."""
        return self.left > 0

    @property
    def left(self) -> int:
        """How many records aren't done with."""
        return self._streams.end(self.table_name) - self.position

    def unread(self, most: int) -> list[Record]:
        """Return up to `most` of the records that aren't done with, the oldest first."""
        return self._streams.read(self.table_name, self.position, most)[0]

    async def run(self) -> None:
        """Read until `halt`, and return when the invocations under way have ended; cancelled, they are cancelled, too.

        What was not done with by then comes again, from the first record that wasn't.
        """
        self._halted = False
        self._listen()
        while not self._halted:
            records, position = await self._collect()
            await self._process([record for record in records if self._mapping.filters.admit_dynamodb(record)])
            if not self._undone:
                self.position = position
                self._passed()

    def halt(self) -> None:
        """Read nothing more, and try nothing again: `run` ends."""
        self._halted = True
        self._wakeup.ring()

    def _listen(self) -> None:
        if not self._listens:
            self._listens = True
            self._streams.on_write(self.table_name, self._wakeup.ring)

    async def _collect(self) -> tuple[list[Record], int]:
        """Return a batch for each lane, full or as much as came within the window that its first record opened."""
        wanted = self._mapping.batch_size * self._mapping.parallelization
        while not self.behind:
            await self._wakeup.sleep(None)
            if self._halted:
                return [], self.position
        closes = self._now() + self._mapping.window_seconds
        while self.left < wanted and (seconds := closes - self._now()) > 0:
            await self._wakeup.sleep(seconds)
        return self._streams.read(self.table_name, self.position, wanted)

    async def _process(self, records: Sequence[Record]) -> None:
        """Hand over the lanes side by side; a record's item decides its lane."""
        self._undone = False
        lanes: dict[int, list[Record]] = {}
        for record in records:
            lanes.setdefault(_item_hash(record) % self._mapping.parallelization, []).append(record)
        async with asyncio.TaskGroup() as group:
            for lane in lanes.values():
                group.create_task(self._lane(lane))

    async def _lane(self, records: Sequence[Record]) -> None:
        size = self._mapping.batch_size
        pending = [Batch(records=records[start : start + size]) for start in range(0, len(records), size)]
        while pending and not self._halted:
            batch = self._unexpired(pending.pop(0))
            if batch.records:
                pending[:0] = await self._attempt(batch)
        self._undone |= bool(pending)

    async def _attempt(self, batch: Batch) -> list[Batch]:
        """Hand over a batch, or its parts where it is too large, and return what is still to be done."""
        (_, event), *others = parts = list(events(batch.records))
        if others:
            return [replace(batch, records=records) for records, _ in parts]
        await asyncio.sleep(batch.pause_seconds)
        rest = batch.after(await self._runtime.invoke(self._mapping.function, event), self._mapping)
        given_up = [part for part in rest if part.exhausted(self._mapping)]
        for part in given_up:
            self._give_up(part, "RetryAttemptsExhausted")
        return [part for part in rest if part not in given_up]

    def _unexpired(self, batch: Batch) -> Batch:
        """Give up the records that are too old, and return the others."""
        oldest = self._clock() - (self._mapping.max_age_seconds or _RETENTION_SECONDS)
        expired = sum(created_at(record) < oldest for record in batch.records)
        if expired:
            self._give_up(replace(batch, records=batch.records[:expired]), "RecordAgeExceeded")
        return replace(batch, records=batch.records[expired:])

    def _give_up(self, batch: Batch, condition: Condition) -> None:
        destination = self._mapping.on_failure_arn
        if destination is not None:
            message = failure_record(
                batch, condition, mapping=self._mapping, function_arn=self._function_arn, now=self._clock()
            )
            self._queues.send(destination, message)
        self._history.record(
            "undelivered",
            function=self._mapping.function,
            table=self.table_name,
            records=len(batch.records),
            condition=condition,
            destination=destination,
        )

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _item_hash(record: Record) -> int:
    return zlib.crc32(json.dumps(record["dynamodb"]["Keys"], sort_keys=True).encode())
