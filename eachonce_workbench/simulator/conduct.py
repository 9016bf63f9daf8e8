"""The conduct of consumers: what each of their invocations writes, sends and leaves undone, against what it has done.

Whoever was killed, met a fault, or had no time left may owe something: nobody else does.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from eachonce.journal import State

from eachonce_workbench.simulator.invocation import Copy, Invocation, again, copies_of
from eachonce_workbench.simulator.letter import Letter, Truth, letters_of, untruths
from eachonce_workbench.simulator.row import Row, lease_until
from eachonce_workbench.simulator.story import untold

Violated = Callable[[str, str], None]

_COUNTED = "every failure of the handler is counted"
_ENOUGH = "who has failed too often is rejected"
_DEAD = "who has died too often is rejected"
_ALONE = "a start counts only of who runs alone"
_WORD = "a start that ended with a word is no death"
_SETTLED = "nothing leaves its queue before it is settled"
_CLAIM = "an effect outside is one worker's at a time"
_DONE = "what is done stays done"
_JOURNAL = "the journal tells the truth"
_LETTER = "a dead letter tells the truth"

# For as long after its end, calls of an invocation may arrive.
_REMEMBERED_SECONDS = 600.0


class Conduct:
    """Watches the invocations of consumers that keep a journal; `violated` is told what they should not have done."""

    def __init__(self, violated: Violated) -> None:
        self._violated = violated
        self._invocations: dict[str, Invocation] = {}
        self._rows: dict[str, Row] = {}
        self._ended: deque[Invocation] = deque()
        self._under_way: dict[tuple[str, str], list[Invocation]] = defaultdict(list)
        self._pks: dict[tuple[str, str], str] = {}
        self._started: dict[str, list[Invocation]] = defaultdict(list)
        self._failures: Counter[str] = Counter()
        self._consumers: dict[str, str] = {}
        self._most_attempts: dict[str, int | None] = {}
        self._external: set[str] = set()
        self._rowless: set[str] = set()
        self._letters: dict[tuple[str, str], set[str]] = defaultdict(set)

    def invoked(self, invocation_id: str, function: str, batch: Any, *, deadline: float) -> None:
        """Note that a function is given a batch, which it must have handled by the `deadline` (Unix time)."""
        if copies := copies_of(batch):
            invocation = Invocation(
                id=invocation_id, function=function, began=time.time(), deadline=deadline, copies=copies
            )
            self._invocations[invocation_id] = invocation
            for event_id in copies:
                self._under_way[function, event_id].append(invocation)

    def copies(self, invocation_id: str, event_id: str) -> Sequence[Copy]:
        """Return the messages of an event that an invocation was given."""
        invocation = self._invocations.get(invocation_id)
        return () if invocation is None else invocation.copies.get(event_id, ())

    def begins(
        self,
        invocation_id: str,
        event_id: str,
        pk: str,
        *,
        consumer: str,
        most_attempts: int | None,
        most_starts: int | None,
        external: bool,
    ) -> None:
        """Note that the handler of an event is about to run.

        `most_attempts` and `most_starts` are None where nobody is ever rejected.
        """
        invocation = self._invocations.get(invocation_id)
        if invocation is None:
            return
        self._pks[invocation.function, event_id] = pk
        self._consumers[invocation.function] = consumer
        self._most_attempts[invocation.function] = most_attempts
        if external:
            self._external.add(consumer)
        deaths = self._deaths(invocation, event_id, pk)
        if most_starts is not None and deaths >= most_starts:
            self._violated(_DEAD, f"{pk} has ended without a word {deaths} times of {most_starts}, and begins again")
        for other in self._counting(invocation, pk):
            self._violated(_ALONE, f"{pk} begins while the start of {other} in {invocation_id} counts")

    def has_effect(self, invocation_id: str, pk: str) -> None:
        """Note that a handler with an effect outside runs now."""
        invocation = self._invocations.get(invocation_id)
        if invocation is None:
            return
        row = self._rows.get(pk)
        if row is not None and row.done:
            self._violated(_DONE, f"{pk} is done, and {invocation_id} has its effect again")
        elif row is None or row.fence not in invocation.fences[pk]:
            self._violated(_CLAIM, f"{pk}: {invocation_id} has its effect without a claim")
        invocation.effects.add(pk)

    def failed(self, invocation_id: str, pk: str, *, counts: bool) -> None:
        """Note that a handler has failed; whether it `counts`, where the layer may think otherwise, nobody can say."""
        self._failures[pk] += 1
        invocation = self._invocations.get(invocation_id)
        if invocation is not None and counts:
            invocation.failed[pk] += 1

    def plans(self, pk: str, *, journaled: bool) -> None:
        """Note that an event's work is to be committed, with a row of the journal or without."""
        if not journaled:
            self._rowless.add(pk)

    def is_troubled(self, invocation_id: str) -> bool:
        """Whether a call of an invocation met a fault, and has not succeeded since."""
        invocation = self._invocations.get(invocation_id)
        return invocation is not None and bool(invocation.trouble)

    def called(self, invocation_id: str, site: str, pks: Iterable[str], *, faulty: bool) -> None:
        """Note a call about some rows: one that meets a fault is trouble until the like of it succeeds."""
        invocation = self._invocations.get(invocation_id)
        if invocation is None:
            return
        change = invocation.trouble.add if faulty else invocation.trouble.discard
        for pk in pks:
            change((site, pk))
        if faulty and site.endswith(" SendMessageBatch"):
            invocation.unburied = True

    def buried(self, invocation_id: str, entries: Sequence[Mapping[str, Any]]) -> None:
        """Look at messages that are in a dead-letter queue now."""
        invocation = self._invocations.get(invocation_id)
        if invocation is None:
            return
        for letter in letters_of(entries):
            self._letters[invocation.function, letter.event_id].add(letter.reason)
            invocation.letters.add(letter.event_id)
            for untruth in untruths(letter, self._truth(invocation, letter)):
                self._violated(_LETTER, f"{letter.event_id} of {invocation.function}: {untruth}")

    def let_go(self, invocation_id: str, receipt_handles: Collection[str]) -> None:
        """Look at messages that are deleted while their invocation goes on."""
        invocation = self._invocations.get(invocation_id)
        if invocation is not None:
            self._look_at_acknowledged(invocation, lambda copy: copy.receipt_handle in receipt_handles)

    def written(self, invocation_id: str | None, old: Row | None, row: Row) -> None:
        """Look at a write of a row; `invocation_id` says who wrote it, who may have ended since."""
        self._rows[row.pk] = row
        invocation = None if invocation_id is None else self._invocations.get(invocation_id)
        if old is not None and old.done and not row.done:
            self._violated(_DONE, f"{row.pk} was done, and is {row.state}")
        if invocation is None:
            return
        self._pks[invocation.function, row.event_id] = row.pk
        reasons = self._letters[invocation.function, row.event_id]
        for seen in untold(old, row, invocation, reasons=reasons, external=row.consumer in self._external):
            self._violated(_JOURNAL, f"{row.pk} {seen}")
        for seen in self._trespasses(old, row, invocation):
            self._violated(_CLAIM, seen)
        self._note(invocation, old, row)

    def ended(self, invocation_id: str, returned: Any, *, well: bool) -> None:
        """Look at what an invocation has left undone; `returned` is its answer where it ended `well`."""
        invocation = self._invocations.get(invocation_id)
        if invocation is None:
            return
        self._let_end(invocation)
        if not well:
            return
        back = again(returned)
        self._look_at_acknowledged(invocation, lambda copy: copy.message_id not in back)
        if not invocation.hurried(time.time()):
            for event_id, pk in self._known(invocation):
                for promise, seen in self._left_undone(invocation, event_id, pk):
                    self._violated(promise, f"{pk}: {seen}")

    def reused(self, ids: Collection[str]) -> Iterator[tuple[str, str]]:
        """Yield which functions have rows that know an id used again, for each of those ids."""
        return (
            (event_id, function)
            for (function, event_id), pk in self._pks.items()
            if event_id in ids and self._is_done(pk) and pk not in self._rowless
        )

    def _deaths(self, invocation: Invocation, event_id: str, pk: str) -> int:
        """Return how many starts of an event that comes again had ended without a word before an invocation began."""
        row = invocation.found[pk] if pk in invocation.found else self._rows.get(pk)
        again = all(copy.receive_count > 1 for copy in invocation.copies.get(event_id, ()))
        if row is None or not row.started or pk in invocation.crossed or not again:
            return 0
        return sum(lease_until(fence) <= invocation.began * 1000 for fence in row.begun)

    def _counting(self, invocation: Invocation, pk: str) -> list[str]:
        """Return which other events' starts count as deaths if an invocation ends now, though it could say otherwise.

        Effects outside are claimed side by side.
        """
        rows = (self._rows[other] for other, fences in invocation.fences.items() if fences and other != pk)
        return [
            row.pk
            for row in rows
            if row.started
            and row.begun & invocation.fences[row.pk]
            and row.consumer not in self._external
            and not invocation.is_troubled(row.pk)
        ]

    def _let_end(self, invocation: Invocation) -> None:
        invocation.ended = time.time()
        for event_id in invocation.copies:
            self._under_way[invocation.function, event_id].remove(invocation)
        self._ended.append(invocation)
        while (self._ended[0].ended or 0.0) < invocation.ended - _REMEMBERED_SECONDS:
            del self._invocations[self._ended.popleft().id]

    def _known(self, invocation: Invocation) -> list[tuple[str, str]]:
        """Return the events of an invocation, each with its row's key, as far as that is known."""
        of = invocation.function
        return [(event_id, self._pks[of, event_id]) for event_id in invocation.copies if (of, event_id) in self._pks]

    def _left_undone(self, invocation: Invocation, event_id: str, pk: str) -> Iterator[tuple[str, str]]:
        row = self._rows.get(pk)
        excused = invocation.is_troubled(pk) or not invocation.alone(event_id)
        if row is None or row.done or excused:
            if row is None and not excused and invocation.failed[pk]:
                yield _COUNTED, f"{invocation.id} failed on it, and it has no row"
            return
        failed, counted = invocation.failed[pk], invocation.counted[pk]
        replaced = bool(invocation.fences[pk]) and pk in invocation.crossed
        if failed > counted and not replaced:
            yield _COUNTED, f"{invocation.id} failed on it, and it has {row.attempts} attempts as before"
        if invocation.fences[pk] & {*row.begun, row.fence if row.started else None}:
            yield _WORD, f"{invocation.id} has ended, and its start has not"
        if invocation.unburied or pk in invocation.crossed:
            return
        most = self._most_attempts.get(invocation.function)
        if counted and most is not None and row.attempts >= most and event_id not in invocation.letters:
            yield _ENOUGH, f"it has failed {row.attempts} times of {most}, and comes again"
        if event_id in invocation.letters and row.state != State.REJECTED:
            yield _JOURNAL, f"its letter is sent, and it is {row.state}"

    def _look_at_acknowledged(self, invocation: Invocation, left: Callable[[Copy], bool]) -> None:
        for event_id, pk in self._known(invocation):
            row = self._rows.get(pk)
            settled = (row is not None and row.final) or pk in self._rowless or event_id in invocation.letters
            if not settled and any(map(left, invocation.copies.get(event_id, ()))):
                said = "has no row" if row is None else f"is {row.state}"
                self._violated(_SETTLED, f"{pk} {said}, and {invocation.id} has acknowledged it")

    def _truth(self, invocation: Invocation, letter: Letter) -> Truth:
        pk = self._pks.get((invocation.function, letter.event_id), "")
        return Truth(
            consumer=self._consumers.get(invocation.function),
            copies=invocation.copies.get(letter.event_id, ()),
            failures=self._failures[pk],
            most_attempts=self._most_attempts.get(invocation.function),
            deaths=sum(each.ended is not None for each in self._started[pk]),
        )

    def _trespasses(self, old: Row | None, row: Row, invocation: Invocation) -> Iterator[str]:
        """Yield who took, or used, a claim that isn't theirs."""
        fence, fences = None if old is None else old.fence, invocation.fences[row.pk]
        replaced = bool(fences) and invocation.alone(row.event_id) and fence is not None and fence not in fences
        if replaced and row.fence is None and not row.final:
            yield f"the last start of {row.pk} is ended by {invocation.id}, which it has replaced"
        if row.done and (old is None or not old.done) and self._needs_claim(row, invocation) and fence not in fences:
            yield f"{row.pk} is done by {invocation.id}, whose start is not the last"
        if row.consumer not in self._external:
            return
        if row.started and row.fence != fence and row.lease_until < int(invocation.deadline * 1000) - 1:
            yield f"{row.pk}: the claim of {invocation.id} ends before its time is over"
        for other in self._others(invocation, row.event_id):
            if fence in other.fences[row.pk] and row.pk in other.effects and row.fence != fence and not row.final:
                yield f"{row.pk} is taken from {other.id}, which is at it, by {invocation.id}"

    def _needs_claim(self, row: Row, invocation: Invocation) -> bool:
        """Whether a row may be done only by who has noted its start, and nobody after it."""
        noted = bool(invocation.fences[row.pk]) and invocation.alone(row.event_id)
        return noted or row.consumer in self._external

    def _note(self, invocation: Invocation, old: Row | None, row: Row) -> None:
        begun, fence, attempts = (frozenset[str](), None, 0) if old is None else (old.begun, old.fence, old.attempts)
        if old is None:
            invocation.created.add(row.pk)
        if row.started and row.begun - begun:
            self._started[row.pk].append(invocation)
            if begun - invocation.fences[row.pk]:
                invocation.doubts.add(row.pk)
        if row.started and row.fence is not None and row.fence != fence:
            invocation.found.setdefault(row.pk, old)
            invocation.fences[row.pk].add(row.fence)
        if row.attempts > attempts:
            invocation.counted[row.pk] += row.attempts - attempts
        for other in self._others(invocation, row.event_id):
            other.crossed.add(row.pk)

    def _others(self, invocation: Invocation, event_id: str) -> Iterable[Invocation]:
        return (each for each in self._under_way[invocation.function, event_id] if each is not invocation)

    def _is_done(self, pk: str) -> bool:
        row = self._rows.get(pk)
        return row is not None and row.done
