"""The circuit: one breaker in one worker, by what this worker sees and what all have agreed on.

Closed, each worker counts for itself. The one that has seen enough opens it for all. After its time one worker is
elected to try one event, under a lease that outlasts its invocation: if the event is done, all go on.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from eachonce.aws import aws_errors
from eachonce.breaker import CACHE_SECONDS, Breaker, Health
from eachonce.outcome import Outcome
from eachonce.refusal import code_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.circuit_breaker.persistence import CircuitStateRecord

    from eachonce.circuit_store import CircuitStore

# As Powertools has them, whose states are texts, and whose module is imported with the store.
_CLOSED = "CLOSED"
_OPEN = "OPEN"

# AWS's word where a condition doesn't hold.
_REFUSED = "ConditionalCheckFailedException"


class Circuit:
    """One breaker's state, shared through `store` under `name`. Thread-safe, but for `admit` and `end`.

    `tell` is told of each change that this worker makes, and `failed` AWS's word for why a state could not be written.
    """

    def __init__(
        self,
        breaker: Breaker,
        name: str,
        store: CircuitStore,
        *,
        tell: Callable[[str, Breaker], None],
        failed: Callable[[str], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.breaker = breaker
        self._name = name
        self._store = store
        self._tell = tell
        self._failed = failed
        self._clock = clock
        self._health = Health(breaker)
        self._lock = Lock()
        self._turn = Lock()  # held while the store is asked or told, so that nobody goes by what was read before
        self._open = False  # as this worker knows it
        self._opening = False  # ... and as it is about to tell the others
        self._tried: str | None = None  # the delivery that is tried while it is open
        self._fresh_until = 0.0
        self._since = 0
        self._lost_until = 0
        store.lasts(name, breaker.pause)

    def admit(self, delivery: str, lease: timedelta) -> timedelta | None:
        """Let a delivery begin, or return in how long it is wanted again; one is tried when its time has come.

        The `lease` is how long the invocation may last.
        """
        if self._is_fresh():
            return None
        record = self._state()
        if not self._open:
            return None
        now, due = self._now(), self._due(record)
        if now >= max(due, self._lost_until) and self._tried is None:
            if self._elected(record, lease):
                self._tried, self._since = delivery, record.opened_at or now
                return None
            self._lost_until = due = now + CACHE_SECONDS
        return self._wanted(due - now)

    def hold(self, delivery: str) -> timedelta | None:
        """Return in how long a delivery that was let in is wanted again, where the breaker has opened meanwhile."""
        if self.tries(delivery) or self._is_fresh():
            return None
        record = self._state()
        return self._wanted(self._due(record) - self._now()) if self._open else None

    def tries(self, delivery: str) -> bool:
        """Whether this delivery is the one that is tried while the breaker is open."""
        return self._tried == delivery

    def saw(self, delivery: str, outcome: Outcome) -> None:
        """Note what became of a delivery that was handled."""
        well = self.breaker.judge(outcome)
        if well is None:
            return
        if self.tries(delivery):
            self._ended(well=well)
            return
        with self._lock:
            opens = not self._open and self._health.saw(well=well)
            failures = self._health.failures
            if opens:
                self._health.forget()
                self._open = self._opening = True
        if not opens:
            return
        told = self._write(lambda: self._store.save_open(self._name, failures, self._now()))
        with self._lock:
            self._open, self._opening = told, False  # where nobody can know, nobody is held back
        if told:
            self._tell("open", self.breaker)

    def end(self) -> None:
        """Give a try back that told nothing: the next event may be tried at once."""
        if self._tried is not None:
            self._tried = None
            self._write(lambda: self._store.save_reopen(self._name, self._since))

    def _ended(self, *, well: bool) -> None:
        self._tried = None
        if not well:
            self._write(lambda: self._store.save_reopen(self._name, self._now()))
        elif self._write(lambda: self._store.save_closed(self._name)):
            self._tell("closed", self.breaker)

    def _is_fresh(self) -> bool:
        """Whether it was closed within the second: the events of a batch ask together."""
        return not self._open and self._clock().timestamp() < self._fresh_until

    def _state(self) -> CircuitStateRecord:
        """Return what all have agreed on; what this worker has counted before it was open counts no more."""
        with self._turn:
            record = self._store.get_state(self._name)
            with self._lock:
                self._fresh_until = self._clock().timestamp() + 1
                was, self._open = self._open, self._opening or record.state != _CLOSED
                if was and not self._open:
                    self._health.forget()
        return record

    def _due(self, record: CircuitStateRecord) -> int:
        """Return when an event may be tried: when its time is over, or who tried has ended without a word."""
        if record.state == _OPEN:
            return (record.opened_at or 0) + round(self.breaker.pause.total_seconds())
        return record.probe_lease_expiry or 0

    def _elected(self, record: CircuitStateRecord, lease: timedelta) -> bool:
        self._store.lasts(self._name, max(self.breaker.pause, lease))
        owner = uuid.uuid4().hex
        return self._write(lambda: self._store.elect(self._name, owner, record.opened_at or 0))

    def _wanted(self, seconds: float) -> timedelta:
        return min(timedelta(seconds=max(0, seconds)), self.breaker.pause)

    def _write(self, write: Callable[[], bool | None]) -> bool:
        """Return whether it was written; what can't be is told, and holds up nobody for longer than a lease."""
        try:
            with self._turn:
                return write() is not False
        except aws_errors() as error:
            if (code := code_of(error)) != _REFUSED:  # then another worker has had its word, and there is no trouble
                self._failed(code)
            return False

    def _now(self) -> int:
        return int(self._clock().timestamp())
