"""Which message is next: fairly on a standard queue, and group by group on a FIFO queue."""

from __future__ import annotations

import heapq
import itertools
from typing import Protocol

from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.cloud.store.queues.line import Line
from eachonce_workbench.cloud.store.queues.message import Message
from eachonce_workbench.cloud.store.queues.tenants import Tenants


class Order(Protocol):
    """The visible messages of a queue, in the order in which they are handed over.

    A message that joined may meanwhile have stopped being visible: it is passed over when its turn comes.
    """

    def join(self, message: Message) -> None:
        """Line up a message that has become visible."""

    def next(self, last: Message | None, now: float) -> Message | None:
        """Take the next visible message out, None when there is none; `last` is what this receive took before."""

    def departed(self, message: Message) -> None:
        """Note that a message that was taken is in flight."""

    def settled(self, message: Message, now: float) -> None:
        """Note that a message is in flight no longer, or is gone."""


class StandardOrder:
    """Oldest first, unless disorder lets another one overtake, and the messages of noisy groups after all others.

    A message without a group stands for itself, and is quiet.
    """

    def __init__(self, disorder: Disorder) -> None:
        self._disorder = disorder
        self._tickets = itertools.count()
        self._alone: Line[tuple[int, Message]] = Line()
        self._tenants = Tenants(disorder.pick)

    def join(self, message: Message) -> None:
        """Line up at the end, wherever the message was before."""
        ticket = next(self._tickets)
        if message.group_id is None:
            self._alone.append((ticket, message))
        else:
            self._tenants.join(ticket, message)

    def next(self, last: Message | None, now: float) -> Message | None:  # noqa: ARG002 - the port's
        """Take the oldest, or the one that overtakes it; one of a noisy group when no other waits."""
        while waiting := len(self._alone) + (groups := self._tenants.quiet(now)):
            message = self._take(self._disorder.pick(waiting), groups, now)
            if message is not None and message.visible:
                return message
        while (message := self._tenants.take_noisy()) is not None and not message.visible:
            continue
        return message

    def _take(self, place: int, groups: int, now: float) -> Message | None:
        """Take what stands at a place: the oldest of all is 0, and the groups stand behind what has none."""
        alone = len(self._alone)
        if groups and place == 0 and (not alone or self._tenants.oldest() < self._alone.first[0]):
            return self._tenants.take(0, now)
        if place < alone:
            return self._alone.take(place)[1]
        overtaking = self._tenants.take(place - alone, now)
        return self._tenants.take(0, now) if overtaking is None else overtaking

    def departed(self, message: Message) -> None:
        """A message in flight holds up no other, but is a part of what its group takes."""
        self._tenants.departed(message)

    def settled(self, message: Message, now: float) -> None:
        """A message in flight held up no other."""
        if message.in_flight:
            self._tenants.settled(message, now)


class FifoOrder:
    """Each group in the order of sending, and none of it while one of its messages is in flight.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
    """

    def __init__(self, disorder: Disorder) -> None:
        self._disorder = disorder
        self._groups: dict[str | None, _Group] = {}
        self._free: Line[str | None] = Line()

    def join(self, message: Message) -> None:
        """Line up in the group, where the message was sent."""
        group = self._groups.setdefault(message.group_id, _Group())
        group.add(message)
        self._free_up(message.group_id, group)

    def next(self, last: Message | None, now: float) -> Message | None:  # noqa: ARG002 - the port's
        """Go on with the group of `last`, as one receive takes as much of a group as it can, or begin another."""
        if last is not None and (message := self._groups[last.group_id].take()) is not None:
            return message
        while self._free:
            group_id = self._free.take(self._disorder.pick(len(self._free)))
            group = self._groups[group_id]
            group.is_free = False
            if (message := group.take()) is not None:
                return message
            del self._groups[group_id]
        return None

    def departed(self, message: Message) -> None:
        """Hold up the rest of the group."""
        self._groups.setdefault(message.group_id, _Group()).in_flight += 1

    def settled(self, message: Message, now: float) -> None:  # noqa: ARG002 - the port's
        """Let the group go on when nothing of it is in flight any more."""
        group = self._groups.get(message.group_id)
        if group is None:
            return
        if message.in_flight:
            group.in_flight -= 1
        self._free_up(message.group_id, group)

    def _free_up(self, group_id: str | None, group: _Group) -> None:
        if group.is_free or group.in_flight:
            return
        if group.waiting:
            group.is_free = True
            self._free.append(group_id)
        else:
            del self._groups[group_id]


class _Group:
    """The messages of one group that wait, and how many are in flight."""

    __slots__ = ("in_flight", "is_free", "tickets", "waiting")

    def __init__(self) -> None:
        self.waiting: list[tuple[int, int, Message]] = []
        self.tickets = itertools.count()
        self.in_flight = 0
        self.is_free = False

    def add(self, message: Message) -> None:
        heapq.heappush(self.waiting, (message.sequence, next(self.tickets), message))

    def take(self) -> Message | None:
        while self.waiting:
            message = heapq.heappop(self.waiting)[2]
            if message.visible:
                return message
        return None
