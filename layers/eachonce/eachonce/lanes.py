"""Lanes: deliveries of one subject one after the other, different subjects side by side, tenants in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import timedelta
from functools import cached_property

from eachonce.listener import Delivery
from eachonce.outcome import Outcome, Verdict

Handle = Callable[[Delivery], Outcome]
Settled = tuple[Delivery, Outcome]

# How often who waits for the handlers looks after what is ready beside them.
MEANWHILE = timedelta(milliseconds=100)

# Of what has not begun, or has only waited: nothing is to be taken back, and nobody is to be suspected.
BEHIND = Outcome(verdict=Verdict.RETRY, reason="an earlier event of its lane is not done")
TOO_LATE = Outcome(verdict=Verdict.ABANDONED, reason="the function's time was nearly over")


class Lanes:
    """Runs deliveries in `concurrency` threads, one lane in one thread at a time.

    A FIFO queue's message group is a lane, an event's subject another, and a delivery without either has its own. Where
    a lane is `ordered`, as every message group is, what comes after a deferred delivery is deferred, too. Each tenant
    has one lane before any has a second.
    """

    def __init__(self, *, concurrency: int, ordered: bool) -> None:
        self._concurrency = concurrency
        self._ordered = ordered

    def run(
        self, deliveries: Sequence[Delivery], handle: Handle, *, meanwhile: Callable[[], None] | None = None
    ) -> list[Settled]:
        """Return each delivery with its outcome, lane by lane.

        While handlers take their time in threads, who waits for them calls `meanwhile` every tenth of a second.
        """
        lanes = in_turn(in_lanes(deliveries))
        if self._concurrency == 1 or (len(lanes) <= 1 and meanwhile is None):
            done = [list(self.walk(lane, handle)) for lane in lanes]
        else:
            done = self._run_in_threads(lanes, handle, meanwhile)
        return [settled for lane in done for settled in lane]

    def _run_in_threads(
        self, lanes: Sequence[list[Delivery]], handle: Handle, meanwhile: Callable[[], None] | None
    ) -> list[list[Settled]]:
        done: list[list[Settled]] = [[] for _ in lanes]
        left = iter(enumerate(lanes))  # that all threads take from: one in C is safe for it

        def walk_lanes() -> None:
            try:
                for place, lane in left:
                    done[place] = list(self.walk(lane, handle))
            except BaseException:
                list(left)  # no more lane is begun
                raise

        running = {self._threads.submit(walk_lanes) for _ in range(min(self._concurrency, len(lanes)))}
        while running:
            ended, running = wait(
                running, timeout=None if meanwhile is None else MEANWHILE.total_seconds(), return_when=FIRST_EXCEPTION
            )
            for thread in ended:
                thread.result()
            if running and meanwhile is not None:
                meanwhile()
        return done

    def nobody_waits_for(self, deliveries: Sequence[Delivery]) -> set[str]:
        """Return the message ids of those whose outcome decides nothing about others of their lane."""
        lanes = in_lanes(deliveries)
        return {one.message_id for lane in lanes for one in (lane[-1:] if self._keeps_order(lane[0]) else lane)}

    def walk(self, lane: Sequence[Delivery], handle: Handle, *, behind: bool = False) -> Iterator[Settled]:
        """Handle the deliveries of one lane, one after the other, and yield each with its outcome as it ends.

        They are `behind` where an earlier delivery of their lane was deferred.
        """
        stopped = behind and self._keeps_order(lane[0])
        for delivery in lane:
            outcome = BEHIND if stopped else handle(delivery)
            stopped = stopped or (not outcome.final and self._keeps_order(delivery))
            yield delivery, outcome

    def _keeps_order(self, delivery: Delivery) -> bool:
        return self._ordered or delivery.group_id is not None

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._concurrency, thread_name_prefix="lane")


def in_lanes(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """Return the deliveries by lane, in the order in which each lane first appears."""
    lanes: dict[tuple[str | None, ...], list[Delivery]] = {}
    for delivery in deliveries:
        lanes.setdefault(lane_of(delivery), []).append(delivery)
    return list(lanes.values())


def in_turn(lanes: Sequence[list[Delivery]]) -> list[list[Delivery]]:
    """Return the lanes with the first of each tenant before the second of any; a lane without a tenant is a first."""
    seen: Counter[str] = Counter()
    turns: list[int] = []
    for lane in lanes:
        event = lane[0].event
        tenant = None if event is None else event.tenant
        turns.append(0 if tenant is None else seen[tenant])
        if tenant is not None:
            seen[tenant] += 1
    if not seen:
        return list(lanes)
    return [lane for _, lane in sorted(zip(turns, lanes, strict=True), key=lambda one: one[0])]


def lane_of(delivery: Delivery) -> tuple[str | None, ...]:
    """Return what the deliveries of one lane have in common; two tenants may call what their events are about alike."""
    if delivery.group_id is not None:
        return "group", delivery.group_id
    event = delivery.event
    subject = delivery.subject if event is None or event.subject is None else event.subject
    if subject is not None:
        return "subject", subject, None if event is None else event.tenant
    return "alone", delivery.message_id
