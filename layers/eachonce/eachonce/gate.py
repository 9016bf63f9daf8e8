"""The gate: which deliveries of a batch may begin now, decided before anything is read or noted of them.

What is put off comes again with a receive count over 1 and no row in the journal, which is also how one looks that has
killed its worker. So it must not get as far as triage: that would write a mark each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

from eachonce.handler import Handlers
from eachonce.lanes import BEHIND, Settled, lane_of
from eachonce.listener import Delivery
from eachonce.outcome import Hold, Outcome, Verdict
from eachonce.rate import Buckets


class Gate:
    """Lets the deliveries of one consumer begin, as far as its rate goes.

    Where a lane is `ordered`, as every message group is, what comes after one that is put off is put off, too.
    """

    def __init__(self, handlers: Handlers, buckets: Buckets, *, ordered: bool) -> None:
        self._handlers = handlers
        self._buckets = buckets
        self._ordered = ordered

    def admit(self, deliveries: Sequence[Delivery]) -> tuple[list[Delivery], list[Settled]]:
        """Return the deliveries that may begin, and the others with their outcome; both in the order of the batch."""
        admitted: list[Delivery] = []
        held: list[Settled] = []
        stopped: set[tuple[str, str]] = set()
        for _, parts in groupby(deliveries, key=lambda delivery: delivery.whole):
            ready = []
            for part in parts:
                if lane_of(part) in stopped:
                    held.append((part, BEHIND))
                else:
                    ready.append(part)
            outcome = self._over_rate([part for part in ready if self._is_handled(part)])
            for part in ready:
                if outcome is None or not self._is_handled(part):
                    admitted.append(part)
                else:
                    held.append((part, outcome))
                    stopped |= {lane_of(part)} if self._ordered or part.group_id is not None else set()
        return admitted, held

    def _is_handled(self, delivery: Delivery) -> bool:
        event = delivery.event
        return event is not None and self._handlers.find(event.type, event.source) is not None

    def _over_rate(self, parts: Sequence[Delivery]) -> Outcome | None:
        if not parts:
            return None
        tenants = [part.event.tenant for part in parts if part.event is not None]
        pause = self._buckets.take(tenants, parts[0].age(datetime.now(UTC)))
        return None if pause is None else _held("over its rate", Hold.RATE, pause)


def _held(reason: str, by: Hold, pause: timedelta) -> Outcome:
    return Outcome(verdict=Verdict.RETRY, reason=reason, held=by, after=pause)
