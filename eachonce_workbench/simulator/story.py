"""The story that a row tells of its event's tries: what of it isn't so, and what it tells no more."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from eachonce.journal import RETENTION, State

from eachonce_workbench.simulator.invocation import Invocation
from eachonce_workbench.simulator.letter import SIMULATED
from eachonce_workbench.simulator.row import Row

_KEPT_ERRORS = 10
# A call may be on its way for as long.
_LATE = timedelta(minutes=10)
_MOMENT_SECONDS = 0.001  # what is lost when a time is written


def untold(old: Row | None, row: Row, by: Invocation, *, reasons: Collection[str], external: bool) -> Iterator[str]:
    """Yield what is wrong with a row that `by` has written, in words that go on after its key.

    `reasons` are those of its event's dead letters, and `external` says that its handler has an effect outside.
    """
    yield from _of_first_seen(old, row, by)
    if row.expires_at != (0 if old is None else old.expires_at):
        lasts = timedelta(seconds=row.expires_at - time.time())
        if lasts < RETENTION - _LATE:
            yield f"is forgotten in {lasts.total_seconds() / 86_400:.1f} days"
    if row.attempts > (0 if old is None else old.attempts):
        yield from _of_errors(row, by)
    if row.state == State.REJECTED and (old is None or old.rejected_at != row.rejected_at):
        yield from _of_a_rejection(row, reasons)
    if row.done and old is not None and not old.done:
        if external and row.pk in by.doubts and not row.uncertain:
            yield "may have had its effect before, and is not called uncertain"
        yield from _of_earlier_tries(old, row, by)


def _of_first_seen(old: Row | None, row: Row, by: Invocation) -> Iterator[str]:
    if row.first_seen is None or row.done:
        return
    if old is not None and old.first_seen is not None:
        if row.first_seen != old.first_seen:
            yield f"was first seen at {old.first_seen}, and at {row.first_seen}"
    elif not by.began - _MOMENT_SECONDS <= datetime.fromisoformat(row.first_seen).timestamp() <= time.time():
        yield f"was first seen at {row.first_seen}, when {by.id} did not see it"


def _of_errors(row: Row, by: Invocation) -> Iterator[str]:
    if len(row.errors) < min(row.attempts, _KEPT_ERRORS):
        yield f"has {row.attempts} attempts, and {len(row.errors)} errors"
    elif not all(error and reason for error, reason in row.errors):
        yield "has an error without a name or a reason"
    elif by.failed[row.pk] and row.errors[-1][0] != SIMULATED:
        yield f"failed with {SIMULATED}, and says {row.errors[-1][0]}"


def _of_a_rejection(row: Row, reasons: Collection[str]) -> Iterator[str]:
    if not reasons:
        yield "is rejected, and in no dead-letter queue"
    elif row.reason not in reasons:
        yield f"is rejected because {row.reason!r}, and its letter says {min(reasons)!r}"


def _of_earlier_tries(old: Row, row: Row, by: Invocation) -> Iterator[str]:
    """Whoever was given the event again has read its row, and keeps what that says of tries."""
    copies = by.copies.get(row.event_id, ())
    if len(copies) != 1 or copies[0].receive_count < 2 or row.pk in by.crossed or row.pk in by.created:
        return
    if (row.attempts, row.first_seen, row.errors[-1:]) != (old.attempts, old.first_seen, old.errors[-1:]):
        yield f"had {old.attempts} attempts since {old.first_seen}, and has {row.attempts} since {row.first_seen}"
