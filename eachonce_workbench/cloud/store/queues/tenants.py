"""The tenants of a fair queue: the message groups of a standard queue, of which the noisy ones wait for the quiet.

The rule, and what it calls noisy, are AWS's, whose numbers are approximate there and exact here:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from eachonce_workbench.cloud.store.queues.busy_time import BusyTime
from eachonce_workbench.cloud.store.queues.line import Line
from eachonce_workbench.cloud.store.queues.message import Message

NOISY_SHARE = 0.1
NOISY_IN_FLIGHT = 30
QUIET_AFTER_SECONDS = 300


class Tenants:
    """The groups whose messages wait, and which of them are noisy.

    A group is noisy from when it takes too much until nothing of it waits, or until it has sent nothing for five
    minutes. What an operation costs doesn't grow with the messages: it is the logarithm of how many groups there are.
    """

    def __init__(self, pick: Callable[[int], int]) -> None:
        """Make an empty set; `pick` says which of so many messages of a group overtakes the others, 0 for none."""
        self._pick = pick
        self._tenants: dict[str, _Tenant] = {}
        self._quiet: list[tuple[int, _Tenant]] = []  # a heap by each one's oldest message, or one that has gone since
        self._noisy: list[_Tenant] = []  # few: hardly ten can have a tenth each
        self._in_flight = 0
        self._busy = BusyTime()

    def join(self, ticket: int, message: Message) -> None:
        """Line up a message of a group; a `ticket` is higher than those before it."""
        group = str(message.group_id)
        tenant = self._tenants.setdefault(group, _Tenant(group))
        tenant.waiting.append((ticket, message))
        tenant.sent_at = max(tenant.sent_at, message.sent_at)
        if not tenant.lined_up:
            tenant.lined_up = True
            heapq.heappush(self._quiet, (ticket, tenant))

    def quiet(self, now: float) -> int:
        """Return how many groups wait before the noisy ones; some may prove to be noisy when their turn comes."""
        for tenant in [tenant for tenant in self._noisy if now - tenant.sent_at >= QUIET_AFTER_SECONDS]:
            self._noisy.remove(tenant)
            heapq.heappush(self._quiet, (tenant.waiting.first[0], tenant))
        while self._quiet:
            ticket, tenant = self._quiet[0]
            oldest = tenant.oldest()
            if oldest is None:
                heapq.heappop(self._quiet)
                self._leave(tenant)
            elif self._is_noisy(tenant, now):
                heapq.heappop(self._quiet)
                self._noisy.append(tenant)
            elif oldest != ticket:
                heapq.heapreplace(self._quiet, (oldest, tenant))
            else:
                break
        return len(self._quiet)

    def oldest(self) -> int:
        """Return the ticket of the oldest message of the quiet groups, of which there must be one."""
        return self._quiet[0][0]

    def take(self, place: int, now: float) -> Message | None:
        """Take the oldest message of one of the quiet groups, 0 for the one that waits longest; None if it is none."""
        tenant = self._quiet[place][1]
        if tenant.oldest() is None or self._is_noisy(tenant, now):
            return None
        return tenant.take(self._pick)

    def take_noisy(self) -> Message | None:
        """Take the oldest message of the noisy group with the fewest messages in flight."""
        for tenant in [tenant for tenant in self._noisy if tenant.oldest() is None]:
            self._drained(tenant)
        if not self._noisy:
            return None
        tenant = min(self._noisy, key=lambda each: (each.in_flight, each.waiting.first[0]))
        message = tenant.take(self._pick)
        if tenant.oldest() is None:
            self._drained(tenant)
        return message

    def departed(self, message: Message) -> None:
        """Note that a message is in flight, whether or not it has a group."""
        self._in_flight += 1
        if message.group_id is not None:
            self._tenants.setdefault(message.group_id, _Tenant(message.group_id)).in_flight += 1

    def settled(self, message: Message, now: float) -> None:
        """Note that a message that was in flight is there no longer."""
        self._in_flight -= 1
        self._busy.add(message.group_id, max(0.0, now - message.received_at), now)
        tenant = None if message.group_id is None else self._tenants.get(message.group_id)
        if tenant is not None:
            tenant.in_flight -= 1
            if not tenant.lined_up:
                self._leave(tenant)

    def _is_noisy(self, tenant: _Tenant, now: float) -> bool:
        if now - tenant.sent_at >= QUIET_AFTER_SECONDS:
            return False
        crowds = tenant.in_flight >= NOISY_IN_FLIGHT and tenant.in_flight > NOISY_SHARE * self._in_flight
        return crowds or self._busy.share(tenant.group, now) > NOISY_SHARE

    def _drained(self, tenant: _Tenant) -> None:
        self._noisy.remove(tenant)
        self._leave(tenant)

    def _leave(self, tenant: _Tenant) -> None:
        """Note that nothing of a group waits, and forget it unless some of it is in flight."""
        tenant.lined_up = False
        if not tenant.in_flight:
            del self._tenants[tenant.group]


class _Tenant:
    """The messages of one group that wait, and how many are in flight."""

    __slots__ = ("group", "in_flight", "lined_up", "sent_at", "waiting")

    def __init__(self, group: str) -> None:
        self.group = group
        self.waiting: Line[tuple[int, Message]] = Line()
        self.in_flight = 0
        self.sent_at = 0.0
        self.lined_up = False

    def oldest(self) -> int | None:
        """Return the ticket of the oldest message, None where none waits; what waits no more is passed over."""
        while self.waiting and not self.waiting.first[1].visible:
            self.waiting.take()
        return self.waiting.first[0] if self.waiting else None

    def take(self, pick: Callable[[int], int]) -> Message:
        """Take a message, which may be visible no more unless it is the first."""
        return self.waiting.take(pick(len(self.waiting)))[1]
