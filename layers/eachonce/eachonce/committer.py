"""The committer: carries out a plan, and tells what a refusal means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from eachonce.errors import LostRaceError, Reject, Taken
from eachonce.event import Event
from eachonce.journal import TABLE, Mark, State, done_row, result_of
from eachonce.outcome import Outcome, Verdict
from eachonce.plan import Guard, Plan, plan
from eachonce.work import CREATED_BY, Address, Item, Work, newer_by, revision_of
from eachonce.writer import Refusal, RefusedError, Writer

STALE = Outcome(verdict=Verdict.STALE, reason="something newer is there already")

_REUSED = "the event id was used before with different content"


class Committer:
    """Commits works exactly once, by the cheapest plan that is safe.

    A response that never arrived is no failure: trying again finds the event's own mark, and is done.
    """

    def __init__(self, writer: Writer, *, clock: Callable[[], datetime]) -> None:
        self._writer = writer
        self._clock = clock

    def plan(
        self,
        work: Work,
        mark: Mark,
        outbox: Sequence[Event[Any]],
        *,
        fence: str | None = None,
        story: Mapping[str, Any] | None = None,
    ) -> Plan:
        """Return the operations that commit the work; raises WorkError when it can't be committed as it stands.

        `fence` is the claim that must still be ours, and `story` what the journal's row keeps of earlier tries.
        """
        row = {**(story or {}), **done_row(mark, at=self._clock(), outbox=outbox, result=work.result)}
        return plan(work, mark, row, fence=fence, table=self._writer.table, encode=self._writer.codec.encode)

    def commit(self, operations: Plan, mark: Mark, *, result: Any = None) -> Outcome:
        """Carry out a work's plan, or find that this was done already.

        Raises LostRaceError when what the work read has changed, Reject when it can never be committed, Retry when
        DynamoDB is busy or another worker took the event over, WorkError when it can't be committed as it stands, and
        AwsError.
        """
        done = Outcome(verdict=Verdict.DONE, result=result)
        while operations:
            try:
                self._writer.write(operations)
            except RefusedError as refused:
                outcome, operations = self._settle(operations, refused.refusals, mark)
                if outcome is not None:
                    return outcome
            else:
                return done
        return done

    def _settle(self, operations: Plan, refusals: Sequence[Refusal], mark: Mark) -> tuple[Outcome | None, Plan]:
        """Return the outcome that the refusals mean, or the plan without the writes that came too late to matter."""
        stale = []
        for refusal in sorted(refusals, key=lambda refusal: refusal.operation.guard.value):
            outcome = self._judge(refusal, mark, journaled=len(operations) > 1)
            if outcome.verdict is not Verdict.STALE or len(operations) == 1:
                return outcome, ()
            stale.append(refusal.operation)
        left = (operation.when_late if operation in stale else operation for operation in operations)
        return None, tuple(operation for operation in left if operation is not None)

    def _judge(self, refusal: Refusal, mark: Mark, *, journaled: bool) -> Outcome:
        operation, found = refusal.operation, refusal.found or {}
        if operation.guard is Guard.JOURNAL:
            return judge_row(found, mark)
        if operation.guard is Guard.REVISION and revision_of(refusal.found) != operation.expected:
            raise LostRaceError(f"{operation.address.table}: the item has changed since it was read")
        if operation.newer_than is None:  # the item is as it was read, and only a create minds that it is there
            return self._judge_existing(operation.address, found, mark, journaled=journaled)
        by = found.get(newer_by(operation.newer_than))
        return _judge_mark(by, mark) or STALE

    def _judge_existing(self, address: Address, found: Item, mark: Mark, *, journaled: bool) -> Outcome:
        # DynamoDB needn't list every failed condition of a transaction: ask the journal before accusing the event.
        row = self._writer.fetch(Address.of(TABLE, {"pk": mark.pk})) if journaled else None
        if row is not None and row["state"] == State.DONE:
            return judge_row(row, mark)
        duplicate = _judge_mark(found.get(CREATED_BY), mark)
        if duplicate is None:
            raise Reject(f"{address.table}: the item exists already")
        return duplicate


def judge_row(row: Item, mark: Mark) -> Outcome:
    """Return what a journal row says of one more copy of its event.

    Raises Reject when the row is another event's with the same id, and Retry when the event is not done and the row
    is another worker's.
    """
    if row.get("state") != State.DONE:
        raise Taken
    if row["fingerprint"] != mark.fingerprint:
        raise Reject(_REUSED)
    return Outcome(verdict=Verdict.DUPLICATE, result=result_of(dict(row)))


def _judge_mark(found: str | None, mark: Mark) -> Outcome | None:
    if found is not None and found in (str(mark), *mark.former()):
        return Outcome(verdict=Verdict.DUPLICATE)
    if found is not None and found.startswith(mark.prefix):
        raise Reject(_REUSED)
    return None
