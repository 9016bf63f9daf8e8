"""Redrive: dead letters go back to their consumer's queue, with the event's id and body as they were.

For each letter, in this order: the journal lets the event count afresh, a copy is sent, the letter is deleted. Whatever
is killed after any of these leaves the letter where it was, or a copy beside it, and a copy changes nothing: the same
command again goes on. A letter whose very event has been done since is only deleted; one whose id another event has
used is kept, since its consumer would only reject it again.

Whoever is interrupted ends the round that is under way, so that the tally says what was done.

A pace says how many go a second, and is told how many are dead again: those that the journal says were rejected since.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from eachonce.chunks import chunks
from eachonce.listener import MAX_BODY_BYTES

from eachonce_workbench.operations.dead_letter import DeadLetter
from eachonce_workbench.operations.dead_letters import MAX_BATCH, Reading
from eachonce_workbench.operations.journal import Journal, NoJournal, Renewal, Sought
from eachonce_workbench.operations.pace import Pace
from eachonce_workbench.operations.stack import ConsumerQueues

# An UpdateItem takes some milliseconds, most of them on the way: a round's are asked for together.
_AT_ONCE = 10

# Of the letters that went last, whose end is looked for: a read each, at the end of each step of a rising pace.
_WATCHED = 100

# One message that a queue never takes (too large for it, say) can make it refuse its whole batch.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
_BLAMES_A_MESSAGE = frozenset(
    {"AWS.SimpleQueueService.BatchRequestTooLong", "InvalidMessageContents", "InvalidParameterValue"}
)


Keep = Callable[[Sequence[DeadLetter]], object]
"""Keeps letters, and returns once no power cut can lose them."""

_SHARED = "several consumers share the dead-letter queue, and it doesn't say whose a letter is"

_FREE = frozenset({Renewal.RENEWED, Renewal.NOTHING, Renewal.BUSY})
_KEPT = frozenset({Renewal.REUSED, Renewal.UNPROVEN})


@dataclass(slots=True, kw_only=True)
class Tally:
    """Of the chosen letters: how many were redriven (or dropped), had been done since, or are kept, by the reason.

    `dead_again` is how many of the redriven were seen to have been given up on anew, as far as somebody looked.
    """

    chosen: int
    moved: int = 0
    done_since: int = 0
    dead_again: int = 0
    kept: Counter[str] = field(default_factory=Counter)

    @property
    def left(self) -> int:
        """How many lie where they lay."""
        return self.chosen - self.moved - self.done_since

    def told(self, did: str, *, goes_on: str) -> str:
        """Say what became of them, in a line; `goes_on` is what to do about those that nobody came to.

        >>> Tally(chosen=3, moved=2).told("redrove", goes_on="again")
        'redrove 2 dead letters; 1 left: again'
        """
        parts = [f"{did} {self.moved:,} dead letter{'' if self.moved == 1 else 's'}"]
        if self.done_since:
            parts.append(f"{self.done_since:,} had been done since")
        if self.dead_again:
            parts.append(f"{self.dead_again:,} dead again")
        parts += [f"{count:,} kept: {reason}" for reason, count in self.kept.most_common()]
        if left := self.left - self.kept.total():
            parts.append(f"{left:,} left: {goes_on}")
        return "; ".join(parts)


class Redrive:
    """Redrives letters of one stack, as fast as it can or at a pace."""

    def __init__(self, sqs: Any, journal: Journal | NoJournal, *, pace: Pace | None = None) -> None:
        self._sqs = sqs
        self._journal = journal
        self._pace = pace
        self._sent: deque[Sought] = deque(maxlen=_WATCHED)

    def __call__(
        self, queues: ConsumerQueues, message_ids: Collection[str], tally: Tally
    ) -> Generator[int, None, None]:
        """Redrive these letters of a consumer; count what becomes of them, and yield how many of them each round took.

        Only these: a letter that comes to lie here meanwhile may be one that has just been redriven, and failed again.
        """
        if queues.url is None:
            tally.kept[_SHARED] += len(message_ids)
            yield len(message_ids)
            return
        slowest = None if self._pace is None else self._pace.slowest
        with (
            Reading(self._sqs, queues, per_second=slowest) as reading,
            ThreadPoolExecutor(_AT_ONCE) as pool,
            _rounds() as rounds,
        ):
            for read in _chosen(reading, message_ids):
                for letters in self._paced(read, tally, pool):
                    renewals = list(pool.map(self._renew, letters))
                    rounds.submit(self._move, reading, queues, letters, renewals, tally).result()
                    yield len(letters)

    def _move(
        self,
        reading: Reading,
        queues: ConsumerQueues,
        letters: Sequence[DeadLetter],
        renewals: Sequence[Renewal],
        tally: Tally,
    ) -> None:
        """Send copies of those that may go, delete them and what has been done since, and count."""
        done = [each for each, renewal in zip(letters, renewals, strict=True) if renewal is Renewal.DONE]
        free = [each for each, renewal in zip(letters, renewals, strict=True) if renewal in _FREE]
        deleted = reading.delete([*done, *self._send(queues, free)])
        tally.kept.update(renewal.value for renewal in renewals if renewal in _KEPT)
        _count(tally, done, deleted)

    def _paced(self, letters: list[DeadLetter], tally: Tally, pool: ThreadPoolExecutor) -> Iterator[list[DeadLetter]]:
        """Yield letters as they may go."""
        while self._pace is not None and letters:
            self._pace.watch(lambda: self._dead_again(tally, pool))
            count = self._pace.take(len(letters))
            yield letters[:count]
            letters = letters[count:]
        if letters:
            yield letters

    def _dead_again(self, tally: Tally, pool: ThreadPoolExecutor) -> int:
        """Return how many of those that went last are dead again, each once."""
        sent = list(self._sent)
        dead = {event for event, rejected in zip(sent, pool.map(self._journal.rejected, sent), strict=True) if rejected}
        self._sent = deque((event for event in sent if event not in dead), maxlen=_WATCHED)
        tally.dead_again += len(dead)
        return len(dead)

    def foresee(
        self, letters: Sequence[DeadLetter], seen: Callable[[int], None], *, shared: Collection[str] = ()
    ) -> Tally:
        """Return what redriving these letters would come to now; changes nothing.

        Letters of the consumers that share a dead-letter queue would be kept.
        """
        tally = Tally(chosen=len(letters))
        tally.kept.update(_SHARED for letter in letters if letter.consumer in shared)
        seen(tally.kept.total())
        letters = [letter for letter in letters if letter.consumer not in shared]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for renewal in pool.map(self._foresee, letters):
                tally.done_since += renewal is Renewal.DONE
                tally.moved += renewal in _FREE
                tally.kept.update([renewal.value] if renewal in _KEPT else [])
                seen(1)
        return tally

    def _renew(self, letter: DeadLetter) -> Renewal:
        return Renewal.NOTHING if letter.event is None else self._journal.renew(letter.event)

    def _foresee(self, letter: DeadLetter) -> Renewal:
        return Renewal.NOTHING if letter.event is None else self._journal.foresee(letter.event)

    def _send(self, queues: ConsumerQueues, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Return those that the queue took."""
        sent: list[DeadLetter] = []
        for some in chunks(letters, size_bytes=_size_bytes, max_items=MAX_BATCH, max_bytes=MAX_BODY_BYTES):
            sent += self._send_together(queues, some)
        self._sent.extend(letter.event for letter in sent if letter.event is not None)
        return sent

    def _send_together(self, queues: ConsumerQueues, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        entries = [_entry(str(place), letter, fifo=queues.fifo) for place, letter in enumerate(letters)]
        try:
            answer = self._sqs.send_message_batch(QueueUrl=queues.url, Entries=entries)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _BLAMES_A_MESSAGE:
                raise
            alone = [self._send_together(queues, [letter]) for letter in letters] if len(letters) > 1 else []
            return [letter for sent in alone for letter in sent]
        return [letters[int(success["Id"])] for success in answer.get("Successful", [])]


def drop(sqs: Any, queues: ConsumerQueues, message_ids: Collection[str], tally: Tally) -> Generator[int, None, None]:
    """Delete these letters of a consumer for good; count, and yield how many of them each round took."""
    with Reading(sqs, queues) as reading, _rounds() as rounds:
        for letters in _chosen(reading, message_ids):
            rounds.submit(lambda these: _count(tally, [], reading.delete(these)), letters).result()
            yield len(letters)


def archive(
    sqs: Any, queues: ConsumerQueues, message_ids: Collection[str], tally: Tally, *, keep: Keep
) -> Generator[int, None, None]:
    """Give these letters of a consumer to `keep`, whole, and delete what it has returned from; count, and yield.

    A round is kept before it is deleted: whatever is killed in between leaves it in both places.
    """
    with Reading(sqs, queues) as reading, _rounds() as rounds:

        def kept_and_deleted(letters: Sequence[DeadLetter]) -> None:
            keep(letters)
            _count(tally, [], reading.delete(letters))

        for letters in _chosen(reading, message_ids):
            rounds.submit(kept_and_deleted, letters).result()
            yield len(letters)


def _rounds() -> ThreadPoolExecutor:
    """Return what does one round at a time, to its end: Ctrl-C reaches the main thread alone, and leaving waits."""
    return ThreadPoolExecutor(1)


def _chosen(reading: Reading, message_ids: Collection[str]) -> Iterator[list[DeadLetter]]:
    """Yield those letters of a reading that have these ids, until all of them came."""
    missing = set(message_ids)
    for letters in reading:
        if chosen := [letter for letter in letters if letter.message_id in missing]:
            missing -= {letter.message_id for letter in chosen}
            yield chosen
        if not missing:
            return


def _count(tally: Tally, done: Sequence[DeadLetter], deleted: Sequence[DeadLetter]) -> None:
    done_since = sum(letter in done for letter in deleted)
    tally.done_since += done_since
    tally.moved += len(deleted) - done_since


def _entry(entry_id: str, letter: DeadLetter, *, fifo: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"Id": entry_id, "MessageBody": letter.body}
    if letter.group_id is not None:
        entry["MessageGroupId"] = letter.group_id
    if letter.trace_header is not None:
        entry["MessageSystemAttributes"] = {
            "AWSTraceHeader": {"DataType": "String", "StringValue": letter.trace_header}
        }
    if fifo:
        # The letter's own id: a second try within five minutes sends nothing, and no earlier send of the event counts.
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
        entry["MessageDeduplicationId"] = letter.message_id
    return entry


def _size_bytes(letter: DeadLetter) -> int:
    return len(letter.body.encode(errors="surrogatepass"))
