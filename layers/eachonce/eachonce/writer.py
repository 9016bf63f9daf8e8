"""The writer: the layer's calls of DynamoDB, and what its refusals mean in general.

botocore's errors end here. What lies in the request (a value, a key, too much of something) is a WorkError: it is the
event's, and no try will mend it. What doesn't is an AwsError. So nobody further up has to guess whose call it was.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from eachonce.aws import Aws, Codec, aws_errors
from eachonce.errors import AwsError, EachonceError, Retry, WorkError
from eachonce.plan import Operation, Plan
from eachonce.refusal import code_of, is_operators, is_passing
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
        "ReplicatedWriteConflictException",
    }
)


class Refusal(msgspec.Struct, frozen=True):
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
        """Return an item as it is now, or None; raises WorkError when there can be no such item, or AwsError."""
        key = {name: self.codec.encode(value) for name, value in address.key}
        with _translated(f"the read of {address.table}"):
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
            with _translated(f"the reads of {table}"):
                response = self._client.batch_get_item(RequestItems=asked)
            found += [self.codec.item(item) for item in response["Responses"].get(name, [])]
            asked = response.get("UnprocessedKeys") or {}
            if not asked:
                return found
        raise Retry("DynamoDB is busy: UnprocessedKeys", counted=False)

    def write(self, operations: Plan) -> Item:
        """Carry out the operations; return the attributes that a single one asked for.

        Raises RefusedError when a condition does not hold, WorkError when DynamoDB can never take it, Retry when it is
        busy for too long, and AwsError when it did not do it for a reason of its own.
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
        except aws_errors() as error:
            raise self._meaning(error, operations) from error

    def _meaning(self, error: Exception, operations: Plan) -> Exception:
        code = code_of(error)
        if code == "ConditionalCheckFailedException":
            return RefusedError([Refusal(operations[0], self._found(error.response))])  # type: ignore[attr-defined]
        if code == "TransactionCanceledException":
            return self._canceled(error.response["CancellationReasons"], operations)  # type: ignore[attr-defined]
        return _BusyError(code) if code in _BUSY_ERRORS else _translation(error, "the work")

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


@contextmanager
def _translated(asked: str) -> Iterator[None]:
    try:
        yield
    except aws_errors() as error:
        raise _translation(error, asked) from error


def _translation(error: Exception, asked: str) -> EachonceError:
    """Return what botocore's error means to the layer that asked."""
    code = code_of(error)
    if is_passing(error):
        return AwsError("AWS did not do as it was asked", code=code)
    if is_operators(error):
        return AwsError(f"AWS refuses {asked}, whatever the event: {code}", code=code)
    # botocore's own check of a request repeats its values, DynamoDB doesn't.
    response: Mapping[str, Any] = getattr(error, "response", {})
    return WorkError(f"DynamoDB refuses {asked}: {response.get('Error', {}).get('Message') or code}")
