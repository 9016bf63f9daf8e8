"""DynamoDB's item operations; all others are moto's own.

moto 5.2.5 spends most of a request on its HTTP layer: a request object, regular expressions over the URL and headers,
and every parameter walked through the service model. The operations that a running system uses are answered here
instead, straight on moto's tables; with a legacy parameter (`Expected`, `AttributeUpdates`) or a projection they are
moto's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.dynamodb.exceptions import ResourceNotFoundException
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from workbench.store.protocol import AwsError
from workbench.store.tables.attributes import invalid, size_bytes, wire_item
from workbench.store.tables.tables import Tables
from workbench.store.tables.transactions import MAX_ITEMS, Transactions
from workbench.store.tables.writes import Change, current, key_of, write_of

Params = dict[str, Any]
Operation = Callable[[Params], Params]

_WRITE = frozenset(
    {
        "TableName",
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValues",
        "ReturnValuesOnConditionCheckFailure",
        "ReturnConsumedCapacity",
        "ReturnItemCollectionMetrics",
    }
)
_PLAIN: Mapping[str, frozenset[str]] = {
    "GetItem": frozenset({"TableName", "Key", "ConsistentRead", "ReturnConsumedCapacity"}),
    "PutItem": _WRITE | {"Item"},
    "UpdateItem": _WRITE | {"Key", "UpdateExpression"},
    "DeleteItem": _WRITE | {"Key"},
    "TransactWriteItems": frozenset(
        {"TransactItems", "ClientRequestToken", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"}
    ),
    "TransactGetItems": frozenset({"TransactItems", "ReturnConsumedCapacity"}),
    # What a client asks first, to see whether anybody answers: moto would load its model and IAM for it.
    "ListTables": frozenset({"ExclusiveStartTableName", "Limit"}),
}
"""The parameters that each operation here understands."""

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096

_MAX_TABLE_NAMES = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html


class DynamoDB:
    """The item operations of the JSON protocol over one account's tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._transactions = Transactions(self._table)
        self._operations: Mapping[str, Operation] = {
            "GetItem": self._get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "DeleteItem": self._delete,
            "TransactWriteItems": self._transact_write,
            "TransactGetItems": self._transact_get,
            "ListTables": self._list,
        }

    def answers(self, operation: str, params: Params) -> bool:
        """Whether this request is answered here; the others are for moto."""
        plain = _PLAIN.get(operation)
        return plain is not None and plain.issuperset(params)

    def answer(self, operation: str, params: Params) -> Params:
        """Perform an operation that is answered here.

        Raises `AwsError` as DynamoDB would refuse it.
        """
        try:
            return self._operations[operation](params)
        except KeyError as error:
            raise invalid(f"The parameter {error} is required but was not present in the request") from None

    def _table(self, name: str) -> Table:
        try:
            return self._tables.get_table(name)
        except ResourceNotFoundException:
            raise AwsError(
                "ResourceNotFoundException", f"Requested resource not found: Table: {name} not found"
            ) from None

    def _list(self, params: Params) -> Params:
        limit = params.get("Limit", _MAX_TABLE_NAMES)
        if not isinstance(limit, int) or not 1 <= limit <= _MAX_TABLE_NAMES:
            raise invalid(f"Limit is 1 to {_MAX_TABLE_NAMES}")
        names, last = self._tables.list_tables(limit, params.get("ExclusiveStartTableName", ""))
        return {"TableNames": names} | ({} if last is None else {"LastEvaluatedTableName": last})

    def _get(self, params: Params) -> Params:
        table = self._table(params["TableName"])
        item = current(table, key_of(params["Key"], table))
        result = {} if item is None else {"Item": wire_item(item)}
        if not _asks_capacity(params):
            return result
        return result | _capacity(table.name, _read_units(item) * (1 if params.get("ConsistentRead") else 0.5))

    def _put(self, params: Params) -> Params:
        change = self._write("Put", params, allowed=("NONE", "ALL_OLD"))
        return _told(_old(change, params), params, change)

    def _delete(self, params: Params) -> Params:
        change = self._write("Delete", params, allowed=("NONE", "ALL_OLD"))
        return _told(_old(change, params), params, change)

    def _update(self, params: Params) -> Params:
        table = self._table(params["TableName"])
        write = write_of("Update", params, table)
        returned = _return_values(params, ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"))
        change = write.change()
        change.apply()
        attributes = _updated(change, write.targets) if returned.startswith("UPDATED") else None
        return _told(_returned(change, returned, attributes), params, change)

    def _write(self, kind: str, params: Params, allowed: tuple[str, ...]) -> Change:
        _return_values(params, allowed)
        change = write_of(kind, params, self._table(params["TableName"])).change()
        change.apply()
        return change

    def _transact_write(self, params: Params) -> Params:
        changes = self._transactions.write(params)
        if not _asks_capacity(params):
            return {}
        return _capacities((change.table.name, 2 * _write_units(change)) for change in changes)

    def _transact_get(self, params: Params) -> Params:
        gets = [item["Get"] for item in params["TransactItems"]]
        if any("ProjectionExpression" in get for get in gets):
            raise AwsError("UnsupportedOperation", "The local cloud knows no projection in TransactGetItems")
        if not 1 <= len(gets) <= MAX_ITEMS:
            raise invalid(f"Member must have length less than or equal to {MAX_ITEMS}")
        tables = [self._table(get["TableName"]) for get in gets]
        items = [current(table, key_of(get["Key"], table)) for get, table in zip(gets, tables, strict=True)]
        result: Params = {"Responses": [{} if item is None else {"Item": wire_item(item)} for item in items]}
        if not _asks_capacity(params):
            return result
        read = zip(tables, items, strict=True)
        return result | _capacities((table.name, 2 * _read_units(item)) for table, item in read)


def _return_values(params: Params, allowed: Iterable[str]) -> str:
    asked: str = params.get("ReturnValues", "NONE")
    if asked not in allowed:
        raise invalid("Return values set to invalid value")
    return asked


def _old(change: Change, params: Params) -> Params:
    return _returned(change, params.get("ReturnValues", "NONE"), None)


def _returned(change: Change, asked: str, updated: frozenset[str] | None) -> Params:
    item = change.old if asked.endswith("OLD") else change.new
    if asked == "NONE" or item is None:
        return {}
    attributes = {name: value for name, value in wire_item(item).items() if updated is None or name in updated}
    return {"Attributes": attributes} if attributes else {}


def _updated(change: Change, targets: tuple[str, ...] | None) -> frozenset[str]:
    if targets is not None:
        return frozenset(targets)
    # A nested path: the attributes that hold it, as far as they differ.
    old = {} if change.old is None else change.old.attrs
    new = {} if change.new is None else change.new.attrs
    return frozenset(name for name in {*old, *new} if name not in old or name not in new or old[name] != new[name])


def _read_units(item: Item | None) -> float:
    return 1 if item is None else max(1, -(-size_bytes(item.attrs) // READ_UNIT_BYTES))


def _write_units(change: Change) -> float:
    larger = max((size_bytes(item.attrs) for item in (change.old, change.new) if item is not None), default=0)
    return max(1, -(-larger // WRITE_UNIT_BYTES))


def _asks_capacity(params: Params) -> bool:
    return bool(params.get("ReturnConsumedCapacity", "NONE") != "NONE")


def _told(result: Params, params: Params, change: Change) -> Params:
    return result | _capacity(change.table.name, _write_units(change)) if _asks_capacity(params) else result


def _capacity(table: str, units: float) -> Params:
    return {"ConsumedCapacity": {"TableName": table, "CapacityUnits": float(units)}}


def _capacities(consumed: Iterable[tuple[str, float]]) -> Params:
    sums: dict[str, float] = {}
    for table, units in consumed:
        sums[table] = sums.get(table, 0.0) + units
    return {"ConsumedCapacity": [{"TableName": table, "CapacityUnits": units} for table, units in sums.items()]}
