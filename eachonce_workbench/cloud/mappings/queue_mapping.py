"""Lambda's poller of an SQS queue: messages in batches to a function, and what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from eachonce_workbench.cloud.mappings.batch_response import BatchResponseError, failed_items
from eachonce_workbench.cloud.mappings.batches import Record, events
from eachonce_workbench.cloud.mappings.scaling import Scaling
from eachonce_workbench.cloud.mappings.wakeup import Wakeup

if TYPE_CHECKING:
    from eachonce_workbench.cloud.functions.runtime import Invocation, Runtime
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.cloud.store.queues.queues import Queues
    from eachonce_workbench.template.topology import Queue, QueueMapping

# A hidden message's time may be changed meanwhile, and the clock be moved: look again before it is due.
_RECHECK_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0


class QueuePoller:
    """Moves the messages of one queue through one function, as its event source mapping says.

    A message is deleted when its batch succeeded and didn't report it, or when the filters don't admit it. Any other
    stays hidden until its visibility ends, whether the queue's or what the function made of it, and then comes again.
    At most `concurrency` invocations run at once; while that many do, nothing is received, so that no message waits
    unseen. The rules: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and the pages below it.
    """

    def __init__(
        self,
        mapping: QueueMapping,
        *,
        queue: Queue,
        queues: Queues,
        runtime: Runtime,
        history: History,
        concurrency: int,
    ) -> None:
        self._mapping = mapping
        self._queue = queue
        self._queues = queues
        self._runtime = runtime
        self._history = history
        ceiling = concurrency if mapping.max_concurrency is None else min(concurrency, mapping.max_concurrency)
        self._scaling = Scaling(ceiling, clock=asyncio.get_running_loop().time)
        # A window isn't supported for FIFO queues; .../dg/services-sqs-parameters.html.
        self._window_seconds = 0 if queue.fifo else mapping.window_seconds
        self._wakeup = Wakeup()
        self._listens = False
        self._halted = False
        self.running = 0

    async def run(self) -> None:
        """Poll until `halt`, and return when the batches under way have ended; cancelled, they are cancelled, too."""
        self._halted = False
        self._listen()
        async with asyncio.TaskGroup() as batches:
            while not self._halted:
                await self._slot()
                if records := await self._collect():
                    self.running += 1
                    batches.create_task(self._process(records))

    def halt(self) -> None:
        """Receive nothing more: what has been received goes to the function, and `run` ends."""
        self._halted = True
        self._wakeup.ring()

    def _listen(self) -> None:
        if not self._listens:
            self._listens = True
            self._queues.on_send(self._queue.arn, self._wakeup.ring)

    async def _slot(self) -> None:
        """Wait until one more batch may be worked on."""
        while not self._halted and self._full():
            await self._wakeup.sleep(self._scaling.step_seconds)

    def _full(self) -> bool:
        if self.running < self._scaling.limit:
            return False
        self._scaling.backlog()
        return self.running >= self._scaling.limit

    async def _collect(self) -> list[Record]:
        """Return a batch: full, or as much as came within the window that its first record opened, or until `halt`."""
        records: list[Record] = []
        closes: float | None = None
        while not self._halted:
            received = self._queues.receive(self._queue.arn, max_messages=self._mapping.batch_size - len(records))
            records += filter(self._admits, received)
            if records and closes is None:
                closes = self._now() + self._window_seconds
            if len(records) == self._mapping.batch_size or (closes is not None and closes <= self._now()):
                return records
            if not received:
                self._scaling.calm()
                await self._wakeup.sleep(self._idle_seconds(closes))
        return records

    def _idle_seconds(self, closes: float | None) -> float | None:
        """Return how long there can be nothing to receive, unless something is sent; None for ever."""
        hidden = self._queues.next_visible_seconds(self._queue.arn)
        waits = [] if hidden is None else [min(hidden, _RECHECK_SECONDS)]
        return min(waits if closes is None else [*waits, closes - self._now()], default=None)

    def _admits(self, record: Record) -> bool:
        """Return whether the function is to see a message; one that it isn't is deleted.

        https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
        """
        if self._mapping.filters.admit_sqs(record):
            return True
        self._delete(record, filtered=True)
        return False

    async def _process(self, records: Sequence[Record]) -> None:
        try:
            for part, event in events(records):
                self._conclude(part, await self._invoke(event))
        finally:
            self.running -= 1
            self._wakeup.ring()

    async def _invoke(self, event: bytes) -> Invocation:
        """Invoke the function; when it is throttled, again and again until the messages' visibility is over.

        A throttle costs a message one more receive and nothing else.
        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
        """
        gives_up = self._now() + self._queue.visibility_timeout_seconds
        pause = _FIRST_PAUSE_SECONDS
        while (invocation := await self._runtime.invoke(self._mapping.function, event)).status == "throttled":
            self._scaling.failed()
            if self._now() + pause >= gives_up:
                break
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        return invocation

    def _conclude(self, records: Sequence[Record], invocation: Invocation) -> None:
        failed = self._failed(records, invocation)
        for record in records:
            if record["messageId"] in failed:
                self._tell("returned", record, status=invocation.status, request_id=invocation.request_id)
            else:
                self._delete(record, request_id=invocation.request_id)

    def _failed(self, records: Sequence[Record], invocation: Invocation) -> set[str]:
        identifiers = {record["messageId"] for record in records}
        if not self._mapping.report_failures:
            if not invocation.ok:
                self._scaling.failed()
            return set() if invocation.ok else identifiers
        if not invocation.ok:
            return identifiers
        try:
            return failed_items(invocation.payload, identifiers)
        except BatchResponseError:
            return identifiers

    def _delete(self, record: Record, **fields: str | bool) -> None:
        self._queues.delete(self._queue.arn, record["receiptHandle"])
        self._tell("acknowledged", record, **fields)

    def _tell(self, kind: Literal["acknowledged", "returned"], record: Record, **fields: str | bool) -> None:
        self._history.record(
            kind, function=self._mapping.function, queue_arn=self._queue.arn, message_id=record["messageId"], **fields
        )

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
