"""DynamoDB's item operations; all others are moto's own.

moto 5.2.5 spends most of a request on its HTTP layer: a request object, regular expressions over the URL and headers,
and every parameter walked through the service model. It copies and walks an expression's tree ten times for every item,
and leaves most of what AWS refuses unchecked. So the operations on items are answered here instead, straight on moto's
tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.dynamodb.exceptions import ResourceNotFoundException
from moto.dynamodb.models.table import Table

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.tables import batches, queries
from eachonce_workbench.cloud.store.tables.attributes import wire_attributes, wire_item
from eachonce_workbench.cloud.store.tables.capacity import (
    READ_UNIT_BYTES,
    TRANSACTED,
    read_units,
    told,
    told_by_table,
    units,
    write_units,
)
from eachonce_workbench.cloud.store.tables.expressions.paths import PathTree
from eachonce_workbench.cloud.store.tables.reads import Lookup
from eachonce_workbench.cloud.store.tables.refusals import invalid
from eachonce_workbench.cloud.store.tables.shapes import check_request, table_name
from eachonce_workbench.cloud.store.tables.tables import Tables
from eachonce_workbench.cloud.store.tables.transactions import Transactions
from eachonce_workbench.cloud.store.tables.writes import Change, Intent

Params = dict[str, Any]
Operation = Callable[[Params], Params]

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
            "BatchGetItem": self._batch_get,
            "BatchWriteItem": self._batch_write,
            "TransactGetItems": self._transact_get,
            # What a client asks first, to see whether anybody answers: moto would load its model and IAM for it.
            "ListTables": self._list,
            "TransactWriteItems": self._transact_write,
            "Query": self._query,
            "Scan": self._scan,
        }

    def check(self, operation: str, params: Params) -> None:
        """Raise `AwsError` when a request from outside is not of its operation's shape."""
        check_request(operation, params)

    def answers(self, operation: str) -> bool:
        """Whether this operation is answered here; the others are for moto."""
        return operation in self._operations

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
            return self._tables.get_table(table_name(name))
        except ResourceNotFoundException:
            raise AwsError("ResourceNotFoundException", "Requested resource not found") from None

    def _list(self, params: Params) -> Params:
        limit = params.get("Limit", _MAX_TABLE_NAMES)
        if not isinstance(limit, int) or not 1 <= limit <= _MAX_TABLE_NAMES:
            raise invalid(f"Limit is 1 to {_MAX_TABLE_NAMES}")
        names, last = self._tables.list_tables(limit, params.get("ExclusiveStartTableName", ""))
        return {"TableNames": names} | ({} if last is None else {"LastEvaluatedTableName": last})

    def _get(self, params: Params) -> Params:
        lookup = Lookup.of(params)
        read = lookup.on(self._table(params["TableName"]), params["Key"])
        item = read.item()
        result = {} if item is None else {"Item": wire_attributes(read.asked(item))}
        return told(params, result, ((read.table.name, read_units(one) * _consistency(params)) for one in [item]))

    def _put(self, params: Params) -> Params:
        return self._write("Put", params)

    def _delete(self, params: Params) -> Params:
        return self._write("Delete", params)

    def _write(self, kind: str, params: Params) -> Params:
        asked = params.get("ReturnValues") or "NONE"
        if asked not in ("NONE", "ALL_OLD"):
            raise invalid("Return values set to invalid value")
        intent = Intent.of(kind, params)
        change = intent.on(self._table(params["TableName"])).change()
        change.apply()
        return told(params, _returned(change, asked), _written([change]))

    def _update(self, params: Params) -> Params:
        intent = Intent.of("Update", params)
        write = intent.on(self._table(params["TableName"]))
        change = write.change()
        change.apply()
        result = _returned(change, params.get("ReturnValues") or "NONE", write.targets)
        return told(params, result, _written([change]))

    def _batch_get(self, params: Params) -> Params:
        answer, reads = batches.batch_read(params, self._table)
        wanted = params["RequestItems"]
        consumed = ((read.table.name, read_units(read.item())) for read in reads)
        return told_by_table(params, answer, ((name, used * _consistency(wanted[name])) for name, used in consumed))

    def _batch_write(self, params: Params) -> Params:
        changes = batches.batch_write(params, self._table)
        return told_by_table(params, {"UnprocessedItems": {}}, _written(changes))

    def _transact_write(self, params: Params) -> Params:
        changes = self._transactions.write(params)
        consumed = ((name, TRANSACTED * used) for name, used in _written(changes))
        return told_by_table(params, {}, consumed, kind="Write")

    def _transact_get(self, params: Params) -> Params:
        reads = self._transactions.read(params)
        found = [(read, read.item()) for read in reads]
        responses = [{} if item is None else {"Item": wire_attributes(read.asked(item))} for read, item in found]
        consumed = ((read.table.name, TRANSACTED * read_units(item)) for read, item in found)
        return told_by_table(params, {"Responses": responses}, consumed, kind="Read")

    def _query(self, params: Params) -> Params:
        return self._page(params, queries.query(params, self._table))

    def _scan(self, params: Params) -> Params:
        return self._page(params, queries.scan(params, self._table))

    def _page(self, params: Params, page: queries.Page) -> Params:
        used = units(page.read_bytes, READ_UNIT_BYTES) * _consistency(params)
        return told(params, page.answer, [(page.view.table.name, used)])


def _consistency(params: Params) -> float:
    return 1 if params.get("ConsistentRead") else 0.5


def _written(changes: Iterable[Change]) -> Iterable[tuple[str, float]]:
    return ((change.table.name, write_units(change)) for change in changes)


def _returned(change: Change, asked: str, targets: PathTree | None = None) -> Params:
    item = change.old if asked.endswith("OLD") else change.new
    if asked == "NONE" or item is None:
        return {}
    if asked.startswith("UPDATED"):
        attributes = {} if targets is None else wire_attributes(targets.project(item.attrs))
    else:
        attributes = wire_item(item)
    return {"Attributes": attributes} if attributes else {}
