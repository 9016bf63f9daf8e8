"""What one queue holds: messages that are visible, hidden for a while, or gone.

Every operation's cost depends on the messages that it moves, never on how many the queue holds, hides or has forgotten
(moto 5.2.5 walks all of them on every receive and delete).
"""

from __future__ import annotations

import base64
import binascii
import heapq
import itertools
from collections import OrderedDict
from dataclasses import dataclass, replace

from eachonce_workbench.cloud.store.kept import KeptQueue
from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.cloud.store.queues.message import Message
from eachonce_workbench.cloud.store.queues.order import FifoOrder, Order, StandardOrder

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
DEDUPLICATION_SECONDS = 300

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
MAX_VISIBILITY_SECONDS = 43_200

_FIRST_SEQUENCE = 18_000_000_000_000_000_000  # 20 digits, as SQS's have


class ReceiptInvalidError(ValueError):
    """A receipt handle that no receive of this queue ever gave out."""


class ReceiptExpiredError(ValueError):
    """A receipt handle of a message that is gone, was received again, or is no longer in flight."""


class HiddenTooLongError(ValueError):
    """A visibility that would hide a message for more than twelve hours since it was received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How many messages a queue holds, by what hides them."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a receive took out: what it hands over, and what had been received too often."""

    messages: list[Message]
    dead: list[Message]


class Messages:
    """The messages of one queue; `now` is always in seconds since the epoch."""

    def __init__(self, name: str, *, fifo: bool, disorder: Disorder) -> None:
        self.name = name
        self.fifo = fifo
        self._disorder = disorder
        self._order: Order = FifoOrder(disorder) if fifo else StandardOrder(disorder)
        self._held: dict[str, Message] = {}
        self._hidden: list[tuple[float, int, Message]] = []
        self._tickets = itertools.count()
        self._sequences = itertools.count(_FIRST_SEQUENCE)
        self._recent: OrderedDict[tuple[str | None, str], tuple[float, Message]] = OrderedDict()
        self._visible = 0
        self._in_flight = 0
        self._clock = 0.0  # the time of the operation under way

    @property
    def in_flight(self) -> int:
        """How many messages were received and neither deleted nor seen to come back."""
        return self._in_flight

    def send(self, message: Message, now: float, *, delay_seconds: float = 0, by_group: bool = False) -> Message:
        """Hold a message; returns it, or the earlier one of which it is a duplicate (FIFO, within five minutes).

        Duplicates are looked for in the whole queue, or `by_group` in the message's own group.
        """
        if self.fifo and (earlier := self._duplicate(message, now, by_group=by_group)) is not None:
            return earlier
        return self.enqueue(message, now, delay_seconds=delay_seconds)

    def enqueue(self, message: Message, now: float, *, delay_seconds: float = 0) -> Message:
        """Hold a message, whatever came before it."""
        if self.fifo:
            message.sequence = next(self._sequences)
        message.sent_at = now
        self._held[message.id] = message
        if delay_seconds > 0:
            self._hide(message, now + delay_seconds)
        else:
            self._show(message)
        return message

    def adopt(self, message: Message, now: float) -> None:
        """Hold a message that another queue gave up, with its identity and its history."""
        if self.fifo:
            message.sent_at = now  # a FIFO queue counts retention anew, a standard queue goes on counting
        self.restore(message)

    def withdraw(self, now: float, *, retention_seconds: float) -> Message | None:
        """Give up the next visible message, which nobody receives; None when there is none."""
        self._surface(now)
        while (message := self._order.next(None, now)) is not None:
            self._forget(message)
            if message.sent_at + retention_seconds > now:
                return message
        return None

    def restore(self, message: Message) -> None:
        """Take back what was withdrawn."""
        message.gone = False
        self._held[message.id] = message
        self._show(message)

    def receive(
        self, limit: int, now: float, *, visibility_seconds: float, retention_seconds: float, max_receives: int | None
    ) -> Received:
        """Take up to `limit` visible messages and hide them for `visibility_seconds`."""
        self._surface(now)
        received = Received(messages=[], dead=[])
        last: Message | None = None
        limit = self._disorder.batch(self.name, limit) if self._visible > 1 and limit > 0 else limit
        while len(received.messages) < limit and (message := self._order.next(last, now)) is not None:
            if message.sent_at + retention_seconds <= now:
                self._forget(message)
            elif max_receives is not None and message.receives >= max_receives:
                self._forget(message)
                received.dead.append(message)
            else:
                self._hand_over(message, now, visibility_seconds)
                received.messages.append(message)
                last = message
        return received

    def delete(self, receipt: str, now: float) -> Message | None:
        """Forget the message of a receipt; None when it was gone already, or has been received again since.

        Raises `ReceiptInvalidError`; on a FIFO queue `ReceiptExpiredError` when the message is no longer in flight.
        """
        self._surface(now)
        message = self._received(receipt)
        if message is None or message.receipt != receipt:
            return None  # SQS: "the request will succeed, but the message might not be deleted"
        if self.fifo and not message.in_flight:
            raise ReceiptExpiredError(receipt)
        if message.in_flight and self._disorder.redeliver(self.name, message.body):
            self._show(message)
            return None
        self._forget(message)
        return message

    def change_visibility(self, receipt: str, seconds: float, now: float) -> None:
        """Hide a message in flight for `seconds` from now, 0 to show it at once.

        A standard queue hides a message again whose visibility has ended, as long as nobody else received it. Raises
        `ReceiptInvalidError`, `ReceiptExpiredError` when the message isn't to be had by this receipt any more, or
        `HiddenTooLongError`.
        """
        self._surface(now)
        message = self._received(receipt)
        if message is None or message.receipt != receipt or (self.fifo and not message.in_flight):
            raise ReceiptExpiredError(receipt)
        if now + seconds - message.received_at > MAX_VISIBILITY_SECONDS:
            raise HiddenTooLongError(receipt)
        if seconds > 0:
            self._fly(message)
            self._hide(message, now + seconds)
        elif message.in_flight:
            self._show(message)

    def depth(self, now: float) -> Depth:
        """How many messages are here now."""
        self._surface(now)
        delayed = len(self._held) - self._visible - self._in_flight
        return Depth(visible=self._visible, in_flight=self._in_flight, delayed=delayed)

    def next_due(self) -> float | None:
        """When the next hidden message becomes visible, None when none is hidden."""
        while self._hidden and not _waits(self._hidden[0]):
            heapq.heappop(self._hidden)
        return self._hidden[0][0] if self._hidden else None

    def purge(self) -> None:
        """Forget all messages, and which have been sent before."""
        for message in list(self._held.values()):
            self._forget(message)
        self._recent.clear()

    def kept(self) -> KeptQueue:
        """What is here, as a value that lasts; it shares the messages."""
        recent = [(group, given, at, message.id) for (group, given), (at, message) in self._recent.items()]
        return KeptQueue(fifo=self.fifo, messages=list(self._held.values()), recent=recent)

    def take_back(self, kept: KeptQueue, now: float, *, at_once: bool) -> None:
        """Hold what was kept, in an empty queue, each message as it was then: visible, in flight or delayed.

        `at_once` shows those that were in flight, which nobody has any more.
        """
        # Those in flight first: they hold up the others of their groups.
        for message in sorted(kept.messages, key=lambda each: not each.in_flight):
            self._resume(replace(message, visible=False, in_flight=False, gone=False), message, now, at_once=at_once)
        newest = max((message.sequence for message in kept.messages), default=0)
        self._sequences = itertools.count(max(newest + 1, _FIRST_SEQUENCE))
        for group_id, given, at, message_id in kept.recent:
            known = self._held.get(message_id)
            sent = Message(id=message_id, body="", attributes={}, gone=True) if known is None else known
            self._recent[group_id, given] = at, sent

    def _resume(self, message: Message, was: Message, now: float, *, at_once: bool) -> None:
        self._held[message.id] = message
        hidden = not was.visible and was.hidden_until > now and not (was.in_flight and at_once)
        if not hidden:
            self._show(message)
            return
        if was.in_flight:
            self._fly(message)
        self._hide(message, was.hidden_until)

    def _duplicate(self, message: Message, now: float, *, by_group: bool) -> Message | None:
        while self._recent and next(iter(self._recent.values()))[0] + DEDUPLICATION_SECONDS <= now:
            self._recent.popitem(last=False)
        if message.deduplication_id is None:
            return None
        identity = (message.group_id if by_group else None, message.deduplication_id)
        if (known := self._recent.get(identity)) is not None:
            return known[1]
        self._recent[identity] = now, message
        return None

    def _received(self, receipt: str) -> Message | None:
        try:
            queue, message_id, _ = base64.urlsafe_b64decode(receipt.encode()).decode().split("\n")
        except (binascii.Error, ValueError):
            raise ReceiptInvalidError(receipt) from None
        if queue != self.name:
            raise ReceiptInvalidError(receipt)
        return self._held.get(message_id)

    def _hand_over(self, message: Message, now: float, visibility_seconds: float) -> None:
        message.receives += 1
        message.received_at = now
        if message.first_received_at is None:
            message.first_received_at = now
        identity = f"{self.name}\n{message.id}\n{message.receives}"
        message.receipt = base64.urlsafe_b64encode(identity.encode()).decode()
        self._fly(message)
        visibility_seconds = self._disorder.hidden_seconds(self.name, message.body, visibility_seconds)
        self._hide(message, now + visibility_seconds)  # even for 0 seconds: this receive must not see it again

    def _fly(self, message: Message) -> None:
        if not message.in_flight:
            self._order.departed(message)
            self._out_of_sight(message)
            message.in_flight = True
            self._in_flight += 1

    def _hide(self, message: Message, until: float) -> None:
        message.hidden_until = until
        heapq.heappush(self._hidden, (until, next(self._tickets), message))

    def _surface(self, now: float) -> None:
        self._clock = now
        while self._hidden and self._hidden[0][0] <= now:
            entry = heapq.heappop(self._hidden)
            if _waits(entry):
                self._show(entry[2])

    def _show(self, message: Message) -> None:
        self._land(message)
        message.visible = True
        self._visible += 1
        self._order.join(message)

    def _forget(self, message: Message) -> None:
        del self._held[message.id]
        message.gone = True
        self._out_of_sight(message)
        self._land(message)

    def _out_of_sight(self, message: Message) -> None:
        if message.visible:
            message.visible = False
            self._visible -= 1

    def _land(self, message: Message) -> None:
        self._order.settled(message, self._clock)
        if message.in_flight:
            message.in_flight = False
            self._in_flight -= 1


def _waits(entry: tuple[float, int, Message]) -> bool:
    until, _, message = entry
    return not message.gone and not message.visible and message.hidden_until == until
