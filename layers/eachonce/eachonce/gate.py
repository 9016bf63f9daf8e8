"""The gate: which deliveries of a batch may begin now, decided before anything is read or noted of them.

What is put off comes again with a receive count over 1 and no row in the journal, which is also how one looks that has
killed its worker. So it must not get as far as triage: that would write a mark each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

from msgspec.structs import replace

from eachonce.circuit import Circuit
from eachonce.circuits import Circuits
from eachonce.deferral import deferral
from eachonce.handler import Handlers
from eachonce.lanes import BEHIND, Settled, lane_of
from eachonce.listener import Delivery
from eachonce.outcome import Hold, Outcome, Verdict
from eachonce.rate import Buckets
from eachonce.task import Try


class Gate:
    """Lets the deliveries of one consumer begin, as far as its rate goes and as what their handlers need is there.

    Where a lane is `ordered`, as every message group is, what comes after one that is put off is put off, too.
    """

    def __init__(
        self,
        handlers: Handlers,
        buckets: Buckets | None,
        circuits: Circuits,
        *,
        ordered: bool,
    ) -> None:
        self._handlers = handlers
        self._buckets = buckets
        self._circuits = circuits
        self._ordered = ordered
        self._circuit_of: dict[str, Circuit] = {}

    def admit(self, deliveries: Sequence[Delivery], lease: timedelta) -> tuple[list[Delivery], list[Settled]]:
        """Return the deliveries that may begin, and the others with their outcome; both in the order of the batch.

        The `lease` is how long the invocation may last.
        """
        admitted: list[Delivery] = []
        held: list[Settled] = []
        stopped: set[tuple[str | None, ...]] = set()
        for _, parts in groupby(deliveries, key=lambda delivery: delivery.whole):
            for part, outcome in self._decided(list(parts), stopped, lease):
                if outcome is None:
                    admitted.append(part)
                    continue
                held.append((part, outcome))
                if self._ordered or part.group_id is not None:
                    stopped.add(lane_of(part))
        return admitted, held

    def run(self, delivery: Delivery, attempt: Try, handle: Callable[[Try], Outcome]) -> Outcome:
        """Handle a delivery that was let in, unless what it needs has failed too often meanwhile.

        While its breaker is open, a failure isn't the event's own, and counts for nothing.
        """
        circuit = self._circuit_of[delivery.message_id]
        if (wanted := circuit.hold(delivery.message_id)) is not None:
            return self._unavailable(delivery, circuit, wanted)
        spared = circuit.tries(delivery.message_id) and circuit.breaker.spares(_age(delivery))
        outcome = handle(replace(attempt, id=None) if spared else attempt)
        circuit.saw(delivery.message_id, outcome)
        if spared and outcome.counted:
            return replace(outcome, after=self._pause(delivery, circuit.breaker.pause))
        return outcome

    def end(self) -> None:
        """Let go of what was only for this batch."""
        for circuit in self._circuit_of.values():
            circuit.end()
        self._circuit_of = {}

    def _decided(
        self, parts: Sequence[Delivery], stopped: set[tuple[str | None, ...]], lease: timedelta
    ) -> list[tuple[Delivery, Outcome | None]]:
        """Return the events of one message, each with what holds it back; None where nothing does."""
        holds = {part.message_id: BEHIND if lane_of(part) in stopped else self._broken(part, lease) for part in parts}
        ready = [part for part in parts if holds[part.message_id] is None and self._is_handled(part)]
        if self._buckets is not None and ready:
            tenants = [part.event.tenant for part in ready if part.event is not None]
            if (wanted := self._buckets.take(tenants)) is not None:
                held = _held("over its rate", Hold.RATE, self._pause(ready[0], wanted))
                holds |= {part.message_id: held for part in ready}
        return [(part, holds[part.message_id]) for part in parts]

    def _is_handled(self, delivery: Delivery) -> bool:
        event = delivery.event
        return event is not None and self._handlers.find(event.type, event.source) is not None

    def _broken(self, delivery: Delivery, lease: timedelta) -> Outcome | None:
        event = delivery.event
        handler = None if event is None else self._handlers.find(event.type, event.source)
        if event is None or handler is None or handler.needs is None:
            return None
        circuit = self._circuits.of(handler.needs, event.tenant)
        self._circuit_of[delivery.message_id] = circuit
        wanted = circuit.admit(delivery.message_id, lease)
        return None if wanted is None else self._unavailable(delivery, circuit, wanted)

    def _unavailable(self, delivery: Delivery, circuit: Circuit, wanted: timedelta) -> Outcome:
        return _held(f"{circuit.breaker.name} is unavailable", Hold.BREAKER, self._pause(delivery, wanted))

    def _pause(self, delivery: Delivery, wanted: timedelta) -> timedelta:
        return deferral(wanted, _age(delivery))


def _age(delivery: Delivery) -> timedelta:
    return delivery.age(datetime.now(UTC))


def _held(reason: str, by: Hold, pause: timedelta) -> Outcome:
    return Outcome(verdict=Verdict.RETRY, reason=reason, held=by, after=pause)
