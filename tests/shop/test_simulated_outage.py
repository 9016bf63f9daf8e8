"""What a handler needs is down for a while, and nothing else goes wrong: what the breaker makes of it."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from eachonce.breaker import CACHE_SECONDS
from eachonce.execution import Execution

from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.simulation import Simulated, simulate
from eachonce_workbench.simulator.watch import Watch
from tests.shop.scenarios import scenario

DOWN = f"{DeliveryFault.NEED_DOWN}: Laboratory #1"


@dataclass
class Log:
    """When the laboratory handled events, and when its breaker changed: seconds of the virtual clock."""

    handled: list[float] = field(default_factory=list)
    changed: list[tuple[float, str]] = field(default_factory=list)

    def open_for(self, at: float) -> float:
        """For how long the breaker has been open; 0 where it isn't."""
        place = bisect(self.changed, at, key=lambda change: change[0])
        since, state = self.changed[place - 1] if place else (at, "CLOSED")
        return at - since if state == "OPEN" else 0.0


@pytest.fixture(scope="module")
def log() -> Log:
    return Log()


@pytest.fixture(scope="module")
def outage(log: Log) -> Iterator[Simulated]:
    """A run in which the laboratory's ledger is down once."""
    handle, look = Execution.run, Watch.journaled

    def handled(self: Execution, handler: Any, *rest: Any, **options: Any) -> Any:
        if handler.needs is not None:
            log.handled.append(now())
        return handle(self, handler, *rest, **options)

    def journaled(self: Watch, entry: Any) -> None:
        if entry.new is not None and "breaker" in entry.new.attrs["pk"].value:
            log.changed.append((now(), str(entry.new.attrs["state"].value)))
        look(self, entry)

    with patch.object(Execution, "run", handled), patch.object(Watch, "journaled", journaled):
        yield simulate(replace(scenario(invoices=20), only=frozenset({DOWN})))


def now() -> float:
    return datetime.now(UTC).timestamp()


def test_the_outage_happens_and_the_breaker_opens(outage: Simulated, log: Log) -> None:
    """Else nothing is shown here: it is open, and tried, several times, and closed in the end."""
    states = [state for _, state in log.changed]

    assert outage.happened == (DOWN,)
    assert states[:3] == ["OPEN", "HALF_OPEN", "OPEN"]
    assert states[-2:] == ["HALF_OPEN", "CLOSED"]


def test_while_it_is_open_nothing_is_handled(outage: Simulated, log: Log) -> None:
    """But by who hasn't heard of it yet, for a few seconds."""
    assert max(map(log.open_for, log.handled)) <= CACHE_SECONDS + 1


def test_one_event_is_tried_at_a_time(outage: Simulated, log: Log) -> None:
    """Over all workers: as often as somebody was elected, and no more."""
    opened = next(at for at, _ in log.changed) + CACHE_SECONDS + 1
    closed = log.changed[-1][0]

    tries = [at for at in log.handled if opened < at <= closed]

    assert len(tries) == sum(state == "HALF_OPEN" for _, state in log.changed)


def test_afterwards_everything_is_done(outage: Simulated) -> None:
    """As if nothing had been, and nothing is buried."""
    assert (outage.violations, outage.neighbours, outage.missing) == ((), (), ())
    assert outage.consumers["Laboratory"]["Unavailable"] > 0
    assert outage.consumers["Laboratory"]["Rejected"] == 0


def test_no_attempt_is_counted_but_of_those_that_opened_it(outage: Simulated) -> None:
    """However often it was tried."""
    assert 5 <= outage.calls["ledger.failed UpdateItem"] <= 8
