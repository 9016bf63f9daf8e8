"""Where dead letters are read and worked on: by one reader at a time, since who reads a queue hides it from others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from eachonce_workbench.console.dead_letters.job import Job, Verb
from eachonce_workbench.console.place import Place, aside
from eachonce_workbench.operations.dead_letter import DeadLetter, Selection
from eachonce_workbench.operations.journal import Journal, NoJournal, Standing
from eachonce_workbench.operations.letters import Letters, Rounds

MOST_LETTERS = 2_000
"""Letters of each queue that are read for a page; commands read all."""

MOST_STANDINGS = 300
"""Letters whose events the journal is asked about for a page: a read or two each."""

MOST_JOBS = 20
"""Jobs that are remembered, beside those that are under way."""

_AT_ONCE = 8


class BusyError(Exception):
    """Somebody is at work on that queue; the message says who."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What lay in the dead-letter queues at a moment (seconds since 1970), oldest first, without bodies.

    `out_of_sight` are about how many more there were. `standings` are what the journal says of some, by their messages.
    """

    at: float = 0.0
    letters: tuple[DeadLetter, ...] = ()
    out_of_sight: int = 0
    standings: Mapping[str, Standing] = field(default_factory=dict)


class Desk:
    """Reads the queues of one place, and works on them; all of its methods are the event loop's."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._reading = asyncio.Lock()
        self._numbers = 0
        self.seen = Seen()
        self.jobs: list[Job] = []

    @property
    def working(self) -> bool:
        """Whether a job is under way."""
        return any(job.running for job in self.jobs)

    @property
    def moves(self) -> tuple[int, int]:
        """What changes whenever there is progress to see."""
        return sum(job.passed for job in self.jobs), sum(job.running for job in self.jobs)

    async def look(self) -> Seen:
        """Read the queues, unless a job does, whose letters would be hidden from it: then what was read before."""
        asked = time.time()
        async with self._reading:
            if not self.working and self.seen.at < asked:
                self.seen = await aside(self._look)
        return self.seen

    async def whole(self, message_id: str) -> DeadLetter | None:
        """Return a letter with its body; None where it doesn't lie there, or a job has it."""
        async with self._reading:
            if self.working:
                return None
            found = await aside(
                lambda: self._letters().look(Selection(some_id=message_id), with_bodies=True, most=MOST_LETTERS)
            )
        return next((letter for letter in found.letters if letter.message_id == message_id), None)

    async def begin(
        self,
        verb: Verb,
        letters: Sequence[DeadLetter],
        work: Callable[[Letters, Job], Rounds],
        *,
        rate: float | None = None,
        file: str = "",
    ) -> Job:
        """Begin a job on letters that were seen. Raises BusyError, and what finding the stack raises."""
        consumers = frozenset(letter.consumer for letter in letters)
        async with self._reading:  # what a page reads just now would be missing
            for job in self.jobs:
                if job.running and job.consumers & consumers:
                    raise BusyError(f"job {job.number} is at work on letters of {', '.join(sorted(job.consumers))}")
            office = await aside(self._letters)
            self._numbers += 1
            job = Job(self._numbers, verb, letters=len(letters), consumers=consumers, rate=rate, file=file)
            self.jobs = [job, *(each for place, each in enumerate(self.jobs, 1) if each.running or place < MOST_JOBS)]
            job.start(lambda job: work(office, job))
        return job

    def stop(self, number: int) -> None:
        """Stop a job, if there is one of that number."""
        for job in self.jobs:
            if job.number == number:
                job.stop()

    def _letters(self) -> Letters:
        stack = self._place.stack()
        return Letters(stack, self._place.journal(stack), self._place.account.client("sqs"))

    def _look(self) -> Seen:
        at, office = time.time(), self._letters()
        if not office.stack.consumers:
            return Seen(at=at)
        found = office.look(Selection(), most=MOST_LETTERS)
        return Seen(
            at=at,
            letters=found.letters,
            out_of_sight=found.out_of_sight,
            standings=_standings(office.journal, found.letters),
        )


def _standings(journal: Journal | NoJournal, letters: Sequence[DeadLetter]) -> dict[str, Standing]:
    asked = [(letter.message_id, letter.event) for letter in letters if letter.event is not None][-MOST_STANDINGS:]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        told = pool.map(journal.standing, [event for _, event in asked])
        return {message_id: standing for (message_id, _), standing in zip(asked, told, strict=True)}
