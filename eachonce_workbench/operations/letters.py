"""The dead letters of one stack, in all of its queues: looked at, redriven, archived, dropped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any

from eachonce_workbench.operations.dead_letter import DeadLetter, Selection
from eachonce_workbench.operations.dead_letters import Found, look
from eachonce_workbench.operations.journal import Journal, NoJournal
from eachonce_workbench.operations.pace import Pace
from eachonce_workbench.operations.redrive import Keep, Redrive, Tally, archive, drop
from eachonce_workbench.operations.stack import ConsumerQueues, Stack

Rounds = Generator[int, None, None]
"""Work in rounds, which yields how many letters each took; closing it ends the work after a round."""

_Work = Callable[[ConsumerQueues, Collection[str], Tally], Rounds]


class Letters:
    """What a stack's consumers gave up on.

    Thread-safe, as botocore's clients are; but who reads a queue hides it, for a while, from anybody else who does.
    """

    def __init__(self, stack: Stack, journal: Journal | NoJournal, sqs: Any) -> None:
        self.stack = stack
        self.journal = journal
        self._sqs = sqs

    def look(
        self,
        selection: Selection,
        *,
        consumer: str | None = None,
        with_bodies: bool = False,
        seen: Callable[[int], None] = lambda _: None,
        most: int | None = None,
    ) -> Found:
        """Find dead letters, of one consumer or of all. Raises UnknownConsumerError, NoDeadLetterQueueError."""
        queues = self.stack.chosen(consumer)
        return look(self._sqs, queues, selection, seen=seen, with_bodies=with_bodies, most=most)

    def foresee(self, letters: Sequence[DeadLetter], seen: Callable[[int], None] = lambda _: None) -> Tally:
        """Return what redriving the letters would come to now; changes nothing."""
        shared = [queues.consumer for queues in self.stack.consumers if queues.url is None]
        return Redrive(self._sqs, self.journal).foresee(letters, seen, shared=shared)

    def redrive(self, letters: Sequence[DeadLetter], tally: Tally, *, pace: Pace | None = None) -> Rounds:
        """Send letters back to their consumers, as fast as it goes or at a pace."""
        return self._work_through(letters, Redrive(self._sqs, self.journal, pace=pace), tally)

    def archive(self, letters: Sequence[DeadLetter], tally: Tally, *, keep: Keep) -> Rounds:
        """Delete letters once `keep` has them."""
        return self._work_through(
            letters,
            lambda queues, message_ids, tally: archive(self._sqs, queues, message_ids, tally, keep=keep),
            tally,
        )

    def drop(self, letters: Sequence[DeadLetter], tally: Tally) -> Rounds:
        """Delete letters for good."""
        return self._work_through(
            letters, lambda queues, message_ids, tally: drop(self._sqs, queues, message_ids, tally), tally
        )

    def _work_through(self, letters: Sequence[DeadLetter], work: _Work, tally: Tally) -> Rounds:
        for queues, message_ids in self._by_queue(letters):
            with closing(work(queues, message_ids, tally)) as rounds:
                yield from rounds

    def _by_queue(self, letters: Sequence[DeadLetter]) -> Iterator[tuple[ConsumerQueues, set[str]]]:
        for queues in self.stack.consumers:
            if ids := {letter.message_id for letter in letters if letter.consumer == queues.consumer}:
                yield queues, ids
