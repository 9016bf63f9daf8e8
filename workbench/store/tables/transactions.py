"""TransactWriteItems at a cost that depends on its own items only.

moto 5.2.5 copies every table that a transaction touches, whole, before it begins.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from moto.dynamodb.models.table import Table

from workbench.store.protocol import AwsError
from workbench.store.tables.attributes import invalid, size_bytes
from workbench.store.tables.updates import ItemRefusedError
from workbench.store.tables.writes import Change, ConditionFailedError, Write, write_of

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
MAX_ITEMS = 100
MAX_BYTES = 4 * 1024 * 1024
TOKEN_SECONDS = 600

KINDS = frozenset({"ConditionCheck", "Put", "Update", "Delete"})


class Transactions:
    """All or nothing over several items, once a client token.

    Every operation runs to its end on one thread, so a transaction never meets another half-way: it needs no locks and
    never fails with a conflict, as one on AWS may.
    """

    def __init__(self, table: Callable[[str], Table]) -> None:
        self._table = table
        self._tokens = _Tokens()

    def write(self, request: Mapping[str, Any]) -> list[Change]:
        """Apply all of a TransactWriteItems request, or nothing; returns what it did: nothing when done before.

        Raises `AwsError` TransactionCanceledException with a reason an item, in the request's order;
        ValidationException when the request is wrong in itself; IdempotentParameterMismatchException when its token
        came with another request.
        """
        if self._tokens.seen(request):
            return []
        changes = self._changes(self._writes(request["TransactItems"]))
        for change in changes:
            change.apply()
        self._tokens.remember(request)
        return changes

    def _writes(self, items: list[dict[str, Any]]) -> list[Write]:
        if not 1 <= len(items) <= MAX_ITEMS:
            raise invalid(
                "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MAX_ITEMS} and greater than or equal to 1"
            )
        writes = [self._write(item) for item in items]
        if len({(write.table.name, *write.key) for write in writes}) < len(writes):
            raise invalid("Transaction request cannot include multiple operations on one item")
        return writes

    def _write(self, item: dict[str, Any]) -> Write:
        if len(item) != 1 or not KINDS.issuperset(item):
            raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
        ((kind, request),) = item.items()
        return write_of(kind, request, self._table(request["TableName"]))

    def _changes(self, writes: list[Write]) -> list[Change]:
        outcomes = [_outcome(write) for write in writes]
        changes = [outcome for outcome in outcomes if isinstance(outcome, Change)]
        if len(changes) < len(outcomes):
            raise _cancelled(outcomes)
        if sum(size_bytes(change.new.attrs) for change in changes if change.new is not None) > MAX_BYTES:
            raise invalid("Transaction request cannot exceed 4 MB: the aggregate size of its items is too large")
        return changes


def _outcome(write: Write) -> Change | AwsError:
    try:
        return write.change()
    except (ConditionFailedError, ItemRefusedError) as error:
        return error


def _cancelled(outcomes: list[Change | AwsError]) -> AwsError:
    reasons = [_reason(outcome) for outcome in outcomes]
    codes = ", ".join(reason["Code"] for reason in reasons)
    return AwsError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        CancellationReasons=reasons,
    )


def _reason(outcome: Change | AwsError) -> dict[str, Any]:
    if isinstance(outcome, Change):
        return {"Code": "None"}
    if isinstance(outcome, ConditionFailedError):
        return {"Code": "ConditionalCheckFailed", "Message": outcome.message, **outcome.fields}
    return {"Code": "ValidationError", "Message": outcome.message}


class _Tokens:
    """The client tokens of the last ten minutes, each with a digest of its request; forgets in the order of arrival."""

    def __init__(self) -> None:
        self._digests: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def seen(self, request: Mapping[str, Any]) -> bool:
        self._forget(time.time() - TOKEN_SECONDS)
        known = self._digests.get(request.get("ClientRequestToken", ""))
        if known is None:
            return False
        if known[1] != _digest(request):
            raise AwsError(
                "IdempotentParameterMismatchException",
                "The client token was used before with a request of other parameters",
            )
        return True

    def remember(self, request: Mapping[str, Any]) -> None:
        if token := request.get("ClientRequestToken"):
            self._digests[token] = time.time(), _digest(request)

    def _forget(self, before: float) -> None:
        while self._digests and next(iter(self._digests.values()))[0] < before:
            self._digests.popitem(last=False)


def _digest(request: Mapping[str, Any]) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(request["TransactItems"], order="sorted"), digest_size=16).digest()
