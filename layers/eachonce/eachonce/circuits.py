"""The circuits of one consumer in one worker, each made when an event first needs it."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from eachonce.aws import Aws
from eachonce.breaker import Breaker
from eachonce.circuit import Circuit
from eachonce.journal import breaker_key
from eachonce.report import Report
from eachonce.settings import Settings
from eachonce.writer import Writer

if TYPE_CHECKING:
    from eachonce.circuit_store import CircuitStore

# One that is forgotten begins to count anew; whether it is open is kept by the store.
MAX_CIRCUITS = 10_000


class Circuits:
    """Breakers by name, and by tenant where they say so. Not thread-safe: a batch asks before its threads begin."""

    def __init__(self, consumer: str, aws: Aws, settings: Settings, report: Report) -> None:
        self._consumer = consumer
        self._aws = aws
        self._settings = settings
        self._report = report
        self._circuits: OrderedDict[str, Circuit] = OrderedDict()
        self._told: set[str] = set()
        self._telling = Lock()

    def of(self, breaker: Breaker, tenant: str | None) -> Circuit:
        """Return the circuit of a breaker, a tenant's own where it is by tenant."""
        key = breaker_key(self._consumer, breaker.name, None if breaker.by is None else tenant)
        circuit = self._circuits.get(key)
        if circuit is None:
            circuit = Circuit(breaker, key, self._store, tell=self._tell, failed=self._failed)
            self._circuits[key] = circuit
            if len(self._circuits) > MAX_CIRCUITS:
                forgotten, _ = self._circuits.popitem(last=False)
                self._store.forget(forgotten)
        self._circuits.move_to_end(key)
        return circuit

    @cached_property
    def _store(self) -> CircuitStore:
        from eachonce.circuit_store import CircuitStore

        return CircuitStore(self._aws, Writer(self._aws, self._settings), failed=self._failed)

    def _tell(self, state: str, breaker: Breaker) -> None:
        """Log who opened a breaker, or closed it; whose it was, where it is a tenant's, came with an event."""
        self._report.warn(f"the breaker {breaker.name} is {state}")

    def _failed(self, code: str) -> None:
        """Log once in a worker that AWS doesn't let breakers work, and why; its threads may find that out together."""
        with self._telling:
            known = code in self._told
            self._told.add(code)
        if not known:
            self._report.warn("a breaker's state can't be read or written: it holds nothing back", error=code)
