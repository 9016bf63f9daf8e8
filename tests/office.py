"""The back office: a committer and a ledger on one writer, with a clock that a test moves and naps that it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from eachonce import Event, Work
from eachonce.committer import Committer
from eachonce.journal import Mark
from eachonce.ledger import Begun, Ledger
from eachonce.outcome import Outcome, Verdict
from eachonce.writer import Writer

from tests.store import Store

NOON = datetime(2010, 12, 1, 12, tzinfo=UTC)
HALF_A_MINUTE = timedelta(seconds=30)
MILLISECOND = timedelta(milliseconds=1)

Fill = Callable[[Work], object]


def mark(event: str = "e-1", content: str = "c") -> Mark:
    return Mark("post", "post", event, content * 24)


@dataclass
class Office:
    store: Store
    now: datetime = NOON
    naps: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.writer = Writer(self.store.aws, self.store.settings, sleep=self.naps.append, jitter=lambda: 1.0)
        self.committer = Committer(self.writer, clock=lambda: self.now)
        self.ledger = Ledger(self.writer, clock=lambda: self.now)

    def commit(self, fill: Fill, *, event: str = "e-1", content: str = "c", **options: Any) -> Outcome:
        work = Work(self.writer.fetch)
        fill(work)
        outbox = [
            Event(id=f"{event}-{place}", source="post", type="Arrived", data=data)
            for place, data in enumerate(work.published)
        ]
        plan = self.committer.plan(work, mark(event, content), outbox, **options)
        return self.committer.commit(plan, mark(event, content), result=work.result)

    def begin(
        self, *, event: str = "e-1", content: str = "c", lease: timedelta = HALF_A_MINUTE, claim: bool = True
    ) -> Begun | Outcome:
        return self.ledger.begin(mark(event, content), event_type="Weighed", lease=lease, claim=claim)

    def begun(self, **options: Any) -> Begun:
        """Return what a beginning that nobody minds has begun."""
        begun = self.begin(**options)
        assert isinstance(begun, Begun)
        return begun

    def fail(
        self, try_id: str = "m-1/1", *, event: str = "e-1", reason: str = "broken", begun: Begun | None = None
    ) -> dict[str, Any]:
        outcome = Outcome(verdict=Verdict.RETRY, reason=reason, error="ValueError", counted=True)
        return dict(self.ledger.failed(mark(event), outcome, event_type="Weighed", try_id=try_id, begun=begun))

    def row(self, event: str = "e-1") -> dict[str, Any]:
        """Return what the journal says of an event that it knows."""
        row = self.store.journal("post", event)
        assert row is not None
        return row
