"""Group commit: the works of one batch are held for a moment, and committed together.

It is a shortcut that may fail in any way: whoever can't be committed with others is committed alone, which finds out
by itself what was done before. So nothing here decides what becomes of an event.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence, Set
from datetime import timedelta
from threading import Lock
from typing import Literal

import msgspec

from eachonce.committer import STALE
from eachonce.deadline import Deadline
from eachonce.event import RawEvent
from eachonce.execution import Execution
from eachonce.group import Group
from eachonce.handler import Handler
from eachonce.lanes import TOO_LATE, lane_of
from eachonce.listener import Delivery
from eachonce.outcome import Outcome, Verdict
from eachonce.plan import Plan
from eachonce.task import Prepared, Try
from eachonce.work import Address, Item
from eachonce.writer import RefusedError

Sparing = Literal["write units", "calls"]

# A work whose handler took longer than this is not worth waiting with.
QUICK = timedelta(milliseconds=100)

# After so many refusals each work is committed alone.
_TRIES = 2

HELD = Outcome(verdict=Verdict.DONE, reason="it is committed with its neighbours")

# Its result is in its row: a consumer answers nobody.
_DONE = Outcome(verdict=Verdict.DONE)


class _Held(msgspec.Struct, frozen=True):
    """A work that waits, by the name of its delivery."""

    name: str
    prepared: Prepared


class _Waiting(msgspec.Struct):
    """The works that wait, what they write, and all that they touch: lanes, and items that they read or write."""

    group: Group = msgspec.field(default_factory=Group)
    works: list[_Held] = msgspec.field(default_factory=list)
    written: set[Address] = msgspec.field(default_factory=set)
    touched: set[Hashable] = msgspec.field(default_factory=set)

    def add(self, held: _Held, lane: Hashable) -> bool:
        """Take a work in; return whether it may be among the others, and there is room for it."""
        work, plan = held.prepared.work, held.prepared.plan
        if not self.group.holds(plan) or not self.group.add(plan):
            return False
        self.works.append(held)
        self.written.update(work.writes)
        self.touched.update(_touched(plan, lane))
        return True


class GroupCommit:
    """Commits the works of one batch together, as far as that is the same as one by one. Thread-safe.

    Of two works that meet in an item, in a way that no transaction can hold, the second is committed after the first.
    `outcomes` are those of the works that were held, by the names of their deliveries.
    """

    def __init__(self, execution: Execution, deadline: Deadline, *, sparing: Sparing) -> None:
        self._execution = execution
        self._writer = execution.writer
        self._deadline = deadline
        self._sparing = sparing
        self._waiting = _Waiting()
        self._under_way = _Waiting()
        self._state = Lock()
        self._turn = Lock()  # held during a commit: who waits for it finds everything before it committed
        self.outcomes: dict[str, Outcome] = {}

    def run(self, handler: Handler, delivery: Delivery, event: RawEvent, attempt: Try) -> Outcome:
        """Handle one event that comes for the first time; where its work is held, HELD is no more than a promise."""
        began = self._deadline.remaining()
        prepared = self._execution.prepare(handler, event, attempt, deadline=self._deadline, fetch=self.fetch)
        if isinstance(prepared, Outcome):
            return prepared
        return self.take(delivery.message_id, lane_of(delivery), prepared, began=began)

    def fetch(self, address: Address) -> Item | None:
        """Return an item as it is when the works before this read are committed."""
        with self._state:
            awaited = address in self._waiting.written or address in self._under_way.written
        if awaited:
            self.flush()
        return self._writer.fetch(address)

    def take(self, name: str, lane: Hashable, prepared: Prepared, *, began: timedelta) -> Outcome:
        """Commit a work, or hold it: then it is HELD, and has its outcome after a `flush`.

        `began` is how much time was left when its handler began; one that has taken long is held no longer.
        """
        plan = prepared.plan
        if not plan or self._deadline.near:
            return self._execution.finish(prepared, deadline=self._deadline)
        if len(plan) == 1 and self._sparing == "write units":
            if self._meets(lane, prepared):
                self.flush()
            return self._execution.finish(prepared, deadline=self._deadline)
        while not self._hold(_Held(name, prepared), lane):
            outdated = self._is_outdated(prepared)
            self.flush()
            if outdated:
                return self._execution.finish(prepared, deadline=self._deadline, outdated=True)
        if began - self._deadline.remaining() >= QUICK:
            self.flush()
        return HELD

    def flush(self) -> None:
        """Commit all that waits, and return when all that was under way before is settled, too."""
        waiting = self._waiting
        with self._turn:
            if self._waiting is not waiting:
                return  # another thread has seen to it: what waits now is not full yet
            with self._state:
                self._under_way, self._waiting = waiting, _Waiting()
            self._commit(self._under_way.works, self._under_way.group)
            with self._state:
                self._under_way = _Waiting()

    def _hold(self, held: _Held, lane: Hashable) -> bool:
        reads = held.prepared.work.reads
        with self._state:
            return self._under_way.written.isdisjoint(reads) and self._waiting.add(held, lane)

    def _is_outdated(self, prepared: Prepared) -> bool:
        """Whether a work has read what a work before it writes."""
        with self._state:
            return any(not each.written.isdisjoint(prepared.work.reads) for each in (self._under_way, self._waiting))

    def _meets(self, lane: Hashable, prepared: Prepared) -> bool:
        touched = _touched(prepared.plan, lane)
        with self._state:
            return any(not each.touched.isdisjoint(touched) for each in (self._under_way, self._waiting))

    def _commit(self, works: Sequence[_Held], group: Group) -> None:
        """Commit works together; whoever can't be is committed alone, after the others."""
        alone: list[_Held] = []
        for _ in range(_TRIES):
            if len(works) < 2 or self._deadline.near:
                break
            try:
                self._writer.write(group.operations(self._writer.codec.encode))
            except RefusedError as refused:
                places = {place for each in refused.refusals for place in group.wanted_by(each.operation)}
                alone += [works[place] for place in sorted(places)]
                works, group = _grouped([one for place, one in enumerate(works) if place not in places], alone)
            except Exception:  # noqa: BLE001 - busy, unanswered, or what DynamoDB would never take: each finds out
                break
            else:
                for one in works:
                    self._settle(one, STALE if group.overtook(one.prepared.plan) else _DONE)
                works = ()
                break
        for one in (*works, *alone):
            self._commit_alone(one)

    def _commit_alone(self, held: _Held) -> None:
        near = self._deadline.near  # a mark of a start is for who took too long, and this one has only waited
        self._settle(held, TOO_LATE if near else self._execution.finish(held.prepared, deadline=self._deadline))

    def _settle(self, held: _Held, outcome: Outcome) -> None:
        self.outcomes[held.name] = outcome


def _touched(plan: Plan, lane: Hashable) -> Set[Hashable]:
    """Return the lane and the items of a plan, its journal row among them: an id may be used again at once."""
    return {lane, *(operation.address for operation in plan)}


def _grouped(works: Sequence[_Held], alone: list[_Held]) -> tuple[list[_Held], Group]:
    """Return works with their group; those that were together only by what is no more among them are alone."""
    group = Group()
    grouped: list[_Held] = []
    for one in works:
        (grouped if group.add(one.prepared.plan) else alone).append(one)
    return grouped, group
