"""TransactWriteItems and TransactGetItems, at a cost that depends on its own items only.

moto 5.2.5 copies every table that a transaction touches, whole, before it begins.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from moto.dynamodb.models.table import Table

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.tables.keys import Key
from eachonce_workbench.cloud.store.tables.reads import Lookup, Read
from eachonce_workbench.cloud.store.tables.refusals import ConditionFailedError, ItemRefusedError, invalid
from eachonce_workbench.cloud.store.tables.sizes import size_bytes
from eachonce_workbench.cloud.store.tables.writes import Change, Intent

_Done = TypeVar("_Done")

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
MAX_BYTES = 4 * 1024 * 1024
TOKEN_SECONDS = 600

KINDS = frozenset({"ConditionCheck", "Put", "Update", "Delete"})


class Transactions:
    """All or nothing over several items; writes once a client token.

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
        changes = self._changes(request["TransactItems"])
        for change in changes:
            change.apply()
        self._tokens.remember(request)
        return changes

    def read(self, request: Mapping[str, Any]) -> list[Read]:
        """What a TransactGetItems request asks for, in its order; raises `AwsError` as `write` does."""
        gets = [item["Get"] for item in request["TransactItems"]]
        lookups = [Lookup.of(get) for get in gets]
        tables = [self._table(get["TableName"]) for get in gets]
        reads = [
            _outcome(lookup.on, table, get["Key"]) for lookup, table, get in zip(lookups, tables, gets, strict=True)
        ]
        _require_distinct([(read.table.name, read.key) for read in reads if isinstance(read, Read)])
        return _all_done(reads)

    def _changes(self, items: list[dict[str, Any]]) -> list[Change]:
        intents = [Intent.of(*_verb(item)) for item in items]
        tables = [self._table(intent.table_name) for intent in intents]
        keys = [_outcome(intent.key_on, table) for intent, table in zip(intents, tables, strict=True)]
        places = list(zip(keys, tables, strict=True))
        _require_distinct([(table.name, key) for key, table in places if not isinstance(key, AwsError)])
        writes = [
            key if isinstance(key, AwsError) else _outcome(intent.at, key, table)
            for intent, (key, table) in zip(intents, places, strict=True)
        ]
        changes = _all_done([_outcome(write.change) for write in _all_done(writes)])
        if sum(size_bytes(change.new.attrs) for change in changes if change.new is not None) > MAX_BYTES:
            raise invalid("Transaction request cannot exceed 4 MB: the aggregate size of its items is too large")
        return changes


def _verb(item: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    verbs = {kind: request for kind, request in item.items() if kind in KINDS and request is not None}
    if len(verbs) != 1:
        raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
    ((kind, request),) = verbs.items()
    return kind, request


def _outcome(act: Callable[..., _Done], *arguments: Any) -> _Done | AwsError:
    try:
        return act(*arguments)
    except (ConditionFailedError, ItemRefusedError) as error:
        return error


def _require_distinct(targets: Sequence[tuple[str, Key]]) -> None:
    """Refuse a transaction that names an item twice, whatever else is wrong with it: that makes it invalid in itself.

    https://repost.aws/knowledge-center/dynamodb-transactwriteitems
    """
    if len(set(targets)) < len(targets):
        raise invalid("Transaction request cannot include multiple operations on one item")


def _all_done(outcomes: Sequence[_Done | AwsError]) -> list[_Done]:
    """The outcomes, when all are good; raises `AwsError` TransactionCanceledException otherwise."""
    done = [outcome for outcome in outcomes if not isinstance(outcome, AwsError)]
    if len(done) < len(outcomes):
        raise _cancelled([outcome if isinstance(outcome, AwsError) else None for outcome in outcomes])
    return done


def _cancelled(refusals: list[AwsError | None]) -> AwsError:
    reasons = [_reason(refusal) for refusal in refusals]
    codes = ", ".join(reason["Code"] for reason in reasons)
    return AwsError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        CancellationReasons=reasons,
    )


def _reason(refusal: AwsError | None) -> dict[str, Any]:
    if refusal is None:
        return {"Code": "None"}
    if isinstance(refusal, ConditionFailedError):
        return {"Code": "ConditionalCheckFailed", "Message": refusal.message, **refusal.fields}
    return {"Code": "ValidationError", "Message": refusal.message}


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
