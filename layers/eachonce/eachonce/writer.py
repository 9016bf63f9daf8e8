"""The writer: conditional writes to DynamoDB, and what its refusals mean in general."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eachonce.aws import Aws, Codec
from eachonce.errors import Retry, WorkError
from eachonce.plan import Operation, Plan
from eachonce.settings import Settings
from eachonce.work import Address, Item

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


@dataclass(frozen=True, slots=True)
class Refusal:
    """An operation whose condition did not hold, and the item that was found instead (None: there is none)."""

    operation: Operation
    found: Item | None


class RefusedError(Exception):
    """Conditions did not hold, so nothing was written."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(f"{len(refusals)} conditions did not hold")
        self.refusals = refusals

    @property
    def found(self) -> Item:
        """The item that the first refusal found, or an empty one."""
        return self.refusals[0].found or {}


class _BusyError(Exception):
    """DynamoDB asks to try the same again."""


class Writer:
    """Writes under conditions, all or nothing, and waits a little where DynamoDB is busy. Thread-safe."""

    def __init__(
        self,
        aws: Aws,
        settings: Settings,
        *,
        sleep: Callable[[float], None] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.codec = Codec()
        self.table = settings.table
        self._client = aws.dynamodb
        self._sleep = time.sleep if sleep is None else sleep
        self._jitter = jitter

    def fetch(self, address: Address) -> Item | None:
        """Return an item as it is now, or None."""
        key = {name: self.codec.encode(value) for name, value in address.key}
        response = self._client.get_item(TableName=self.table(address.table), Key=key, ConsistentRead=True)
        return self.codec.item(response["Item"]) if "Item" in response else None

    def fetch_all(self, table: str, keys: Sequence[Item]) -> list[Item]:
        """Return those of up to 100 items that exist, as they are now, in no order; ask again for what is held back."""
        name = self.table(table)
        asked: dict[str, Any] = {
            name: {
                "Keys": [{part: self.codec.encode(value) for part, value in key.items()} for key in keys],
                "ConsistentRead": True,
            }
        }
        found: list[Item] = []
        for tried in range(_BUSY_TRIES):
            if tried:
                self._nap(tried - 1)
            response = self._client.batch_get_item(RequestItems=asked)
            found += [self.codec.item(item) for item in response["Responses"].get(name, [])]
            asked = response.get("UnprocessedKeys") or {}
            if not asked:
                return found
        raise Retry("DynamoDB is busy: UnprocessedKeys", counted=False)

    def write(self, operations: Plan) -> Item:
        """Carry out the operations; return the attributes that a single one asked for.

        Raises RefusedError when a condition does not hold, WorkError when DynamoDB can never take it, Retry when it is
        busy for too long, and botocore's errors as they come.
        """
        for tried in range(_BUSY_TRIES):
            try:
                return self._send(operations)
            except _BusyError as error:
                busy = error
                if tried + 1 < _BUSY_TRIES:
                    self._nap(tried)
        raise Retry(f"DynamoDB is busy: {busy}", counted=False) from busy

    def _nap(self, tried: int) -> None:
        self._sleep(_BUSY_BASE_SECONDS * 2**tried * self._jitter())

    def _send(self, operations: Plan) -> Item:
        try:
            if len(operations) > 1:
                items = [{operation.verb: operation.request} for operation in operations]
                self._client.transact_write_items(TransactItems=items)
                return {}
            send = self._client.put_item if operations[0].verb == "Put" else self._client.update_item
            return self.codec.item(send(**operations[0].request).get("Attributes", {}))
        except self._client.exceptions.ClientError as error:
            raise self._translated(error.response, operations) or error from error

    def _translated(self, response: Mapping[str, Any], operations: Plan) -> Exception | None:
        code, message = response["Error"]["Code"], response["Error"].get("Message", "")
        if code == "ConditionalCheckFailedException":
            return RefusedError([Refusal(operations[0], self._found(response))])
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
            Refusal(operation, self._found(reason))
            for operation, reason in pairs
            if reason["Code"] == "ConditionalCheckFailed"
        ]
        if refusals:
            return RefusedError(refusals)
        codes = [reason["Code"] for reason in reasons if reason["Code"] != "None"]
        if _BUSY_REASONS.issuperset(codes):
            return _BusyError(", ".join(sorted(set(codes))))
        operation, reason = next(pair for pair in pairs if pair[1]["Code"] not in {"None", *_BUSY_REASONS})
        return WorkError(
            f"DynamoDB refuses the work at {operation.address.table}: {reason.get('Message', reason['Code'])}"
        )

    def _found(self, answer: Mapping[str, Any]) -> Item | None:
        return self.codec.item(answer["Item"]) if answer.get("Item") else None
