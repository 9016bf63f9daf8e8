"""The committer: carries out a plan, and tells what a refusal means."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from eachonce.aws import Aws, Codec
from eachonce.errors import LostRaceError, Reject, Retry, WorkError
from eachonce.event import Event
from eachonce.journal import TABLE, Mark, State, done_row, result_of, started_row
from eachonce.outcome import Outcome, Verdict
from eachonce.plan import Guard, Operation, Plan, plan
from eachonce.settings import Settings
from eachonce.work import CREATED_BY, Address, Item, Work, newer_by, revision_of

# A conflict with another transaction is over within milliseconds: a few short tries spare a whole delivery.
_BUSY_TRIES = 5
_BUSY_BASE_SECONDS = 0.02

_BUSY_REASONS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_BUSY_ERRORS = frozenset(
    {
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
    }
)
_REUSED = "the event id was used before with different content"


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An operation whose condition did not hold, and the item that was found instead (None: there is none)."""

    operation: Operation
    found: Item | None


class _RefusedError(Exception):
    def __init__(self, refusals: Sequence[_Refusal]) -> None:
        super().__init__(f"{len(refusals)} conditions did not hold")
        self.refusals = refusals


class _BusyError(Exception):
    """DynamoDB asks to try the same again."""


class Committer:
    """Commits works exactly once, by the cheapest plan that is safe.

    A response that never arrived is no failure: trying again finds the event's own mark, and is done.
    """

    def __init__(
        self,
        aws: Aws,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = aws.dynamodb
        self._settings = settings
        self._codec = Codec()
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter

    def fetch(self, address: Address) -> Item | None:
        """Return an item as it is now, or None."""
        key = {name: self._codec.encode(value) for name, value in address.key}
        response = self._client.get_item(TableName=self._settings.table(address.table), Key=key, ConsistentRead=True)
        return self._codec.item(response["Item"]) if "Item" in response else None

    def claim(self, mark: Mark, *, fence: str, lease: timedelta) -> Outcome | None:
        """Claim an event whose effect happens outside the commit; None when it is ours now.

        Returns the outcome instead when the event is done already. Raises Retry while another worker holds it.
        """
        now = self._clock()
        row = started_row(mark, at=now, fence=fence, lease=lease)
        request = {
            "TableName": self._settings.table(TABLE),
            "Item": {name: self._codec.encode(value) for name, value in row.items()},
            "ConditionExpression": (
                "attribute_not_exists(pk) OR (#state <> :done AND (#state <> :started OR lease_until < :now))"
            ),
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":done": {"S": State.DONE},
                ":started": {"S": State.STARTED},
                ":now": {"N": str(int(now.timestamp() * 1000))},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        operation = Operation(
            verb="Put", request=request, guard=Guard.JOURNAL, address=Address.of(TABLE, {"pk": mark.pk})
        )
        try:
            self._patiently((operation,))
        except _RefusedError as refused:
            found = refused.refusals[0].found or {}
            # Our own fence: the claim was ours before its answer was lost.
            return None if found.get("fence") == fence and found["state"] == State.STARTED else _judge_row(found, mark)
        return None

    def release(self, mark: Mark, *, fence: str) -> None:
        """Give a claim back after a failure, so that the next try need not wait for the lease's end."""
        request = {
            "TableName": self._settings.table(TABLE),
            "Key": {"pk": {"S": mark.pk}},
            "UpdateExpression": "SET #state = :tried REMOVE lease_until",
            "ConditionExpression": "fence = :fence AND #state = :started",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":tried": {"S": State.TRIED},
                ":started": {"S": State.STARTED},
                ":fence": {"S": fence},
            },
        }
        operation = Operation(
            verb="Update", request=request, guard=Guard.NONE, address=Address.of(TABLE, {"pk": mark.pk})
        )
        try:
            self._patiently((operation,))
        except _RefusedError:
            return  # someone else took over, and the claim is theirs

    def commit(self, work: Work, mark: Mark, outbox: Sequence[Event[Any]], *, fence: str | None = None) -> Outcome:
        """Commit the work, or find that it is committed already.

        Raises LostRaceError when what the work read has changed, Reject when it can never be committed, Retry when
        DynamoDB is busy or another worker took the event over, and botocore's errors as they come.
        """
        row = done_row(mark, at=self._clock(), outbox=outbox, result=work.result)
        operations = plan(work, mark, row, fence=fence, table=self._settings.table, encode=self._codec.encode)
        done = Outcome(verdict=Verdict.DONE, result=work.result)
        while operations:
            try:
                self._patiently(operations)
            except _RefusedError as refused:
                outcome, operations = self._settle(operations, refused.refusals, mark)
                if outcome is not None:
                    return outcome
            else:
                return done
        return done

    def _settle(self, operations: Plan, refusals: Sequence[_Refusal], mark: Mark) -> tuple[Outcome | None, Plan]:
        """Return the outcome that the refusals mean, or the plan without the writes that came too late to matter."""
        stale = []
        for refusal in sorted(refusals, key=lambda refusal: refusal.operation.guard.value):
            outcome = self._judge(refusal, mark, journaled=len(operations) > 1)
            if outcome.verdict is not Verdict.STALE or len(operations) == 1:
                return outcome, ()
            stale.append(refusal.operation)
        left = (operation.when_late if operation in stale else operation for operation in operations)
        return None, tuple(operation for operation in left if operation is not None)

    def _judge(self, refusal: _Refusal, mark: Mark, *, journaled: bool) -> Outcome:
        operation, found = refusal.operation, refusal.found or {}
        if operation.guard is Guard.JOURNAL:
            return _judge_row(found, mark)
        if operation.guard is Guard.REVISION and revision_of(refusal.found) != operation.expected:
            raise LostRaceError(f"{operation.address.table}: the item has changed since it was read")
        if operation.newer_than is None:  # the item is as it was read, and only a create minds that it is there
            return self._judge_existing(operation.address, found, mark, journaled=journaled)
        by = found.get(newer_by(operation.newer_than))
        return _judge_mark(by, mark) or Outcome(verdict=Verdict.STALE, reason="something newer is there already")

    def _judge_existing(self, address: Address, found: Item, mark: Mark, *, journaled: bool) -> Outcome:
        # DynamoDB needn't list every failed condition of a transaction: ask the journal before accusing the event.
        row = self.fetch(Address.of(TABLE, {"pk": mark.pk})) if journaled else None
        if row is not None and row["state"] == State.DONE:
            return _judge_row(row, mark)
        duplicate = _judge_mark(found.get(CREATED_BY), mark)
        if duplicate is None:
            raise Reject(f"{address.table}: the item exists already")
        return duplicate

    def _patiently(self, operations: Plan) -> None:
        for tried in range(_BUSY_TRIES):
            try:
                return self._send(operations)
            except _BusyError as busy:
                if tried + 1 == _BUSY_TRIES:
                    raise Retry(f"DynamoDB is busy: {busy}") from busy
                self._sleep(_BUSY_BASE_SECONDS * 2**tried * self._jitter())
        return None

    def _send(self, operations: Plan) -> None:
        try:
            if len(operations) == 1:
                send = self._client.put_item if operations[0].verb == "Put" else self._client.update_item
                send(**operations[0].request)
            else:
                items = [{operation.verb: operation.request} for operation in operations]
                self._client.transact_write_items(TransactItems=items)
        except self._client.exceptions.ClientError as error:
            raise self._translated(error.response, operations) or error from error

    def _translated(self, response: Mapping[str, Any], operations: Plan) -> Exception | None:
        code, message = response["Error"]["Code"], response["Error"].get("Message", "")
        if code == "ConditionalCheckFailedException":
            return _RefusedError([_Refusal(operations[0], self._found(response))])
        if code == "TransactionCanceledException":
            return self._canceled(response["CancellationReasons"], operations)
        if code in _BUSY_ERRORS:
            return _BusyError(code)
        if code == "ValidationException":
            return WorkError(f"DynamoDB refuses the work: {message}")
        return None

    def _canceled(self, reasons: Sequence[Mapping[str, Any]], operations: Plan) -> Exception:
        pairs = list(zip(operations, reasons, strict=True))
        refusals = [
            _Refusal(operation, self._found(reason))
            for operation, reason in pairs
            if reason["Code"] == "ConditionalCheckFailed"
        ]
        if refusals:
            return _RefusedError(refusals)
        codes = [reason["Code"] for reason in reasons if reason["Code"] != "None"]
        if _BUSY_REASONS.issuperset(codes):
            return _BusyError(", ".join(sorted(set(codes))))
        operation, reason = next(pair for pair in pairs if pair[1]["Code"] not in {"None", *_BUSY_REASONS})
        return WorkError(
            f"DynamoDB refuses the work at {operation.address.table}: {reason.get('Message', reason['Code'])}"
        )

    def _found(self, answer: Mapping[str, Any]) -> Item | None:
        return self._codec.item(answer["Item"]) if answer.get("Item") else None


def _judge_row(row: Item, mark: Mark) -> Outcome:
    if row.get("state") != State.DONE:
        raise Retry("another worker has begun this event and its lease has not ended")
    if row["fingerprint"] != mark.fingerprint:
        raise Reject(_REUSED)
    return Outcome(verdict=Verdict.DUPLICATE, result=result_of(dict(row)))


def _judge_mark(found: str | None, mark: Mark) -> Outcome | None:
    if found == str(mark):
        return Outcome(verdict=Verdict.DUPLICATE)
    if found is not None and found.startswith(mark.prefix):
        raise Reject(_REUSED)
    return None
