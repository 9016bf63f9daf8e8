"""Reading dead-letter queues: everything that they hold, without keeping it from anybody for long.

A receive hides what it returns, so a reading hides the queue until it ends, and shows it again then. One that is killed
leaves its messages hidden for about a minute, and for as long as it would have taken where it was told to go slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from eachonce_workbench.operations.dead_letter import DeadLetter, Selection
from eachonce_workbench.operations.stack import ConsumerQueues

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
MAX_BATCH = 10

# A receive that waits asks all of SQS's servers, so that an empty answer means an empty queue.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
_WAIT_SECONDS = 1

# Messages are hidden for as long as a slow reading takes: half a minute, and a second for ten of them.
_HIDDEN_SECONDS = 30
_SLOWEST_PER_SECOND = 10
_LONGEST_HIDDEN_SECONDS = 12 * 60 * 60

# A standard queue may deliver a message twice: one answer without anything new isn't the end yet.
_STALE_ANSWERS = 3


class Reading:
    """All messages of one dead-letter queue, each once, in rounds of up to ten; hidden while the context is open.

    A FIFO queue gives the first ten of each group and holds the others back until those are deleted or shown again.
    """

    def __init__(
        self, sqs: Any, queues: ConsumerQueues, *, stop: Event | None = None, per_second: float | None = None
    ) -> None:
        """Take the queue; the end of a round after `stop` is set is the end of all.

        `per_second` is how fast it is read at the slowest, where that is slower than a reading by itself is.
        """
        self._sqs = sqs
        self._url = queues.dead_letters_url
        self._consumer = queues.consumer
        self._stop = Event() if stop is None else stop
        self._receipts: dict[str, str] = {}
        self._held: set[str] = set()
        self._expected = 0
        self._per_second = min(_SLOWEST_PER_SECOND, per_second or _SLOWEST_PER_SECOND)

    def __enter__(self) -> Self:
        """Ask how much there is."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
        self._expected = sum(int(counts[name]) for name in names)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show again what was not deleted; what can't be shown comes back by itself."""
        with suppress(ClientError, BotoCoreError):
            for some in _tens(sorted(self._held)):
                entries = [{**self._entry(place, each), "VisibilityTimeout": 0} for place, each in enumerate(some)]
                self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    @property
    def count(self) -> int:
        """How many messages it got."""
        return len(self._receipts)

    @property
    def out_of_sight(self) -> int:
        """About how many messages were there that the reading did not get: hidden by others, or by FIFO order."""
        return max(0, self._expected - len(self._receipts))

    def __iter__(self) -> Iterator[list[DeadLetter]]:
        """Yield what is new, until nothing new comes."""
        stale = 0
        while stale < _STALE_ANSWERS and not self._stop.is_set():
            messages = self._receive()
            if not messages:
                return
            new = [message for message in messages if message["MessageId"] not in self._receipts]
            for message in messages:
                self._receipts[message["MessageId"]] = message["ReceiptHandle"]
                self._held.add(message["MessageId"])
            stale = 0 if new else stale + 1
            if new:
                yield [DeadLetter.of(self._consumer, message) for message in new]

    def delete(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Delete letters that were read; return those that were deleted."""
        deleted: list[DeadLetter] = []
        for some in _tens(letters):
            entries = [self._entry(place, letter.message_id) for place, letter in enumerate(some)]
            answer = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            deleted += [some[int(success["Id"])] for success in answer.get("Successful", [])]
        self._held -= {letter.message_id for letter in deleted}
        return deleted

    def _receive(self) -> list[dict[str, Any]]:
        hidden = _HIDDEN_SECONDS + int(self._expected / self._per_second)
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=MAX_BATCH,
            WaitTimeSeconds=_WAIT_SECONDS,
            VisibilityTimeout=min(hidden, _LONGEST_HIDDEN_SECONDS),
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _entry(self, place: int, message_id: str) -> dict[str, Any]:
        return {"Id": str(place), "ReceiptHandle": self._receipts[message_id]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look into dead-letter queues came to: headlines, oldest first, and about how many nobody could see."""

    letters: tuple[DeadLetter, ...]
    out_of_sight: int


def look(
    sqs: Any,
    queues: Sequence[ConsumerQueues],
    selection: Selection,
    *,
    seen: Callable[[int], None] = lambda _: None,
    with_bodies: bool = False,
    most: int | None = None,
) -> Found:
    """Read the dead-letter queues side by side, and leave them as they are.

    `seen` is called with the number of messages of each round, from several threads. `most` ends the reading of a queue
    once so many came, or a few more; the others count as out of sight.
    """
    stop = Event()

    def read(each: ConsumerQueues) -> tuple[list[DeadLetter], int]:
        chosen: list[DeadLetter] = []
        with Reading(sqs, each, stop=stop) as reading:
            for letters in reading:
                seen(len(letters))
                chosen += [letter if with_bodies else letter.headline() for letter in letters if letter in selection]
                if most is not None and reading.count >= most:
                    break
        return chosen, reading.out_of_sight

    with ThreadPoolExecutor(max(1, len(queues))) as pool:
        parts = _results([pool.submit(read, each) for each in queues], stop)
    letters = sorted((letter for chosen, _ in parts for letter in chosen), key=lambda letter: letter.sent_at)
    return Found(letters=tuple(letters), out_of_sight=sum(hidden for _, hidden in parts))


def _results(reads: Sequence[Future[tuple[list[DeadLetter], int]]], stop: Event) -> list[tuple[list[DeadLetter], int]]:
    try:
        return [read.result() for read in reads]
    finally:
        stop.set()  # one has failed, or a person has had enough: the others need not go on


def _tens(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), MAX_BATCH):
        yield items[start : start + MAX_BATCH]
