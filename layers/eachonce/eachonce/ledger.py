"""The ledger: what the journal is told beside commits: that an event was begun, failed, or was rejected.

The happy path tells nothing here.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from eachonce.committer import judge_row
from eachonce.errors import AwsError, Reject, Retry
from eachonce.journal import RETENTION, TABLE, Mark, State
from eachonce.outcome import Outcome
from eachonce.plan import Guard, Operation
from eachonce.wording import short
from eachonce.work import Address, Item
from eachonce.writer import RefusedError, Writer

# What a row keeps of an event's tries when the event is done at last.
_STORY = ("attempts", "errors", "first_seen", "uncertain", "redriven_at")

_MOST_ERRORS = 10


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A handler's run that the journal knows of: the fence that its end must name, and the row's story.

    `starts` counts the runs that have not ended with a word, this one among them; those of `begin_all` count nothing.
    """

    fence: str
    starts: int
    story: Mapping[str, Any]


def story_of(row: Item | None) -> dict[str, Any]:
    """Return what a row keeps of its event's tries."""
    return {} if row is None else {name: row[name] for name in _STORY if name in row}


class Ledger:
    """Writes one consumer's journal rows for everything but a commit.

    Every write is conditional on the row not being DONE, and safe to happen twice, and late: a row holds the names of
    all tries that failed, and the fences of the runs that have not ended with a word, so that each counts once.
    """

    def __init__(self, writer: Writer, *, clock: Callable[[], datetime]) -> None:
        self._writer = writer
        self._clock = clock

    def rows(self, marks: Sequence[Mark]) -> dict[str, Item]:
        """Return the rows that exist, by their keys; up to 100 at once."""
        keys = [{"pk": pk} for pk in {mark.pk: None for mark in marks}]
        return {row["pk"]: row for row in self._writer.fetch_all(TABLE, keys)} if keys else {}

    def begin(self, mark: Mark, *, event_type: str, lease: timedelta, claim: bool) -> Begun | Outcome:
        """Note that the event's handler begins; return what its end must name, or the outcome if it is done already.

        After the `lease` it is dead if it has not ended with a word. With a `claim` nobody else may begin the event
        before that, and Retry is raised while another's lease lasts. Without one, whoever began before has lost it.
        """
        fence = self._fence(lease)
        try:
            row = self._writer.write((_asking(self._begin(mark, event_type, fence, counts=True, claim=claim)),))
        except RefusedError as refused:
            return judge_row(refused.found, mark)
        return Begun(fence=fence, starts=len(row["begun"]), story=story_of(row))

    def begin_all(self, events: Sequence[tuple[Mark, str]], *, lease: timedelta) -> dict[str, Begun]:
        """Note in one call that the handlers of several events begin; by key, and empty when one of them can't.

        If the process dies all of them are suspects, and none of them is accused: it may have been any of the others.
        """
        fence = self._fence(lease)
        operations = tuple(self._begin(mark, event_type, fence) for mark, event_type in events)
        try:
            self._writer.write(operations)
        except RefusedError:
            return {}
        return {mark.pk: Begun(fence=fence, starts=0, story={}) for mark, _ in events}

    def failed(self, mark: Mark, outcome: Outcome, *, event_type: str, try_id: str, begun: Begun | None) -> Item:
        """Count a failure of the handler; return the row. The same `try_id` twice counts once."""
        now = self._clock()
        error = {"at": now.isoformat(), "error": outcome.error or "Retry", "reason": short(outcome.reason or "")}
        values = self._common(mark, event_type) | {
            ":state": State.TRIED,
            ":error": [error],
            ":none": [],
            ":one": 1,
            ":try": try_id,
            ":tries": {try_id},
            ":done": State.DONE,
        }
        update = (
            "SET #state = :state, fingerprint = :fingerprint, #type = :type, expires_at = :expires_at, "
            "first_seen = if_not_exists(first_seen, :now), "
            "errors = list_append(if_not_exists(errors, :none), :error) "
            "REMOVE fence, lease_until ADD attempts :one, tries :tries"
        )
        # All tries, not the last alone: a request that nobody waits for any more may arrive after the next try's.
        told_before = "attribute_exists(tries) AND contains(tries, :try)"
        condition = f"(attribute_not_exists(pk) OR #state <> :done) AND NOT ({told_before})"
        if begun is not None:
            values |= _ending(begun)
            update += " DELETE begun :fences"
            condition += " AND fence = :fence"
        try:
            row = self._writer.write((_asking(self._update(mark, update, condition, values)),))
        except RefusedError as refused:
            self._end(mark, begun, refused.found)
            return refused.found
        if len(row["errors"]) > _MOST_ERRORS:
            with suppress(Retry, AwsError):  # a row that says too much is no reason to lose the count
                self._forget_oldest_errors(mark, len(row["errors"]))
        return row

    def release(self, mark: Mark, begun: Begun) -> None:
        """Note that a begun handler ended with a word, though the event is not done."""
        update = "SET #state = :state REMOVE fence, lease_until DELETE begun :fences"
        values = {":state": State.TRIED, ":started": State.STARTED, **_ending(begun)}
        found = self._tell(mark, update, "fence = :fence AND #state = :started", values)
        self._end(mark, begun, found)

    def doubt(self, mark: Mark) -> None:
        """Note that an effect outside the commit may have happened: a claim has ended without a word."""
        self._tell(mark, "SET uncertain = :true", "attribute_exists(pk)", {":true": True})

    def rejected(self, mark: Mark, outcome: Outcome, *, event_type: str) -> None:
        """Note that the event is in the dead-letter queue, and why."""
        update = (
            "SET #state = :state, fingerprint = :fingerprint, #type = :type, expires_at = :expires_at, "
            "first_seen = if_not_exists(first_seen, :now), rejected_at = :now, reason = :reason "
            "REMOVE fence, lease_until"
        )
        values = self._common(mark, event_type) | {
            ":state": State.REJECTED,
            ":done": State.DONE,
            ":reason": short(outcome.reason or ""),
        }
        self._tell(mark, update, "attribute_not_exists(pk) OR #state <> :done", values)

    def _fence(self, lease: timedelta) -> str:
        """Return a new fence: a name that nobody else has, which says when its lease ends."""
        return f"{_milliseconds(self._clock() + lease)}-{uuid.uuid4().hex}"

    def _begin(
        self, mark: Mark, event_type: str, fence: str, *, counts: bool = False, claim: bool = False
    ) -> Operation:
        values = self._common(mark, event_type) | {
            ":state": State.STARTED,
            ":done": State.DONE,
            ":fence": fence,
            ":until": _lease_until(fence),
        }
        condition = "attribute_not_exists(pk) OR #state <> :done"
        if claim:
            free = "(#state <> :state OR lease_until < :ms OR fence = :fence)"  # it may be ours, and the answer lost
            condition = f"attribute_not_exists(pk) OR (#state <> :done AND {free})"
            values |= {":ms": _milliseconds(self._clock())}
        update = (
            "SET #state = :state, fingerprint = :fingerprint, #type = :type, expires_at = :expires_at, fence = :fence, "
            "lease_until = :until, first_seen = if_not_exists(first_seen, :now)"
        )
        if counts:
            update += " ADD begun :fences"
            values |= {":fences": {fence}}
        return self._update(mark, update, condition, values)

    def _end(self, mark: Mark, begun: Begun | None, found: Item | None) -> None:
        """Note that a run ended with a word, where another one has its place in the row by now."""
        if begun is not None and found is not None and begun.fence in found.get("begun", ()):
            self._tell(mark, "DELETE begun :fences", "contains(begun, :fence)", _ending(begun))

    def _forget_oldest_errors(self, mark: Mark, size: int) -> None:
        oldest = ", ".join(f"errors[{place}]" for place in range(size - _MOST_ERRORS))
        self._tell(mark, f"REMOVE {oldest}", "size(errors) = :size", {":size": size})

    def _tell(self, mark: Mark, update: str, condition: str, values: Mapping[str, Any]) -> Item | None:
        """Write; return the row as it is where it is done meanwhile, or another worker's, whose word counts."""
        try:
            self._writer.write((self._update(mark, update, condition, values),))
        except RefusedError as refused:
            return refused.found
        return None

    def _common(self, mark: Mark, event_type: str) -> dict[str, Any]:
        now = self._clock()
        return {
            ":fingerprint": mark.fingerprint,
            ":type": event_type,
            ":expires_at": int((now + RETENTION).timestamp()),
            ":now": now.isoformat(),
        }

    def _update(self, mark: Mark, update: str, condition: str, values: Mapping[str, Any]) -> Operation:
        text = update + condition
        names = {"#state": "state", "#type": "type"}
        request: dict[str, Any] = {
            "TableName": self._writer.table(TABLE),
            "Key": {"pk": {"S": mark.pk}},
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {name: self._writer.codec.encode(value) for name, value in values.items()},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if used := {placeholder: name for placeholder, name in names.items() if placeholder in text}:
            request["ExpressionAttributeNames"] = used
        return Operation(
            verb="Update", request=request, guard=Guard.JOURNAL, address=Address.of(TABLE, {"pk": mark.pk})
        )


def require_deaths_below(most: int, row: Item, *, now: datetime) -> None:
    """Raise Reject when the event's handler has died too often; while a lease lasts, its holder may be alive."""
    deaths = sum(_lease_until(fence) <= _milliseconds(now) for fence in row.get("begun", ()))
    if row.get("state") == State.STARTED and deaths >= most:
        raise Reject(f"its handler ended without a word {deaths} times: a crash, a time-out, or too little memory")


def _ending(begun: Begun) -> dict[str, Any]:
    return {":fence": begun.fence, ":fences": {begun.fence}}


def _lease_until(fence: str) -> int:
    return int(fence.partition("-")[0])


def _asking(operation: Operation) -> Operation:
    """Return the operation with the row as its answer."""
    return replace(operation, request=operation.request | {"ReturnValues": "ALL_NEW"})


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
