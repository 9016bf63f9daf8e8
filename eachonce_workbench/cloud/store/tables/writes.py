"""One write to one item: checked against the item as it is, and applied only afterwards.

A write never changes an item: it puts a new one in its place. So an old item can be kept (by a stream record, by
whoever asked for it) without being copied, and a transaction needs no undo: nothing is applied before all is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from eachonce_workbench.cloud.store.tables.attributes import Attributes, Wire, attributes, item_of, wire_item
from eachonce_workbench.cloud.store.tables.expressions.actions import Set
from eachonce_workbench.cloud.store.tables.expressions.conditions import Condition
from eachonce_workbench.cloud.store.tables.expressions.older import condition_of, update_of
from eachonce_workbench.cloud.store.tables.expressions.operands import Given
from eachonce_workbench.cloud.store.tables.expressions.paths import Path, PathTree
from eachonce_workbench.cloud.store.tables.expressions.scope import Scope, require_one_form
from eachonce_workbench.cloud.store.tables.expressions.updates import Update
from eachonce_workbench.cloud.store.tables.keys import (
    Key,
    check_index_keys,
    check_scalars,
    check_updated,
    check_updated_index_keys,
    index_keys,
    key_in,
    key_of,
)
from eachonce_workbench.cloud.store.tables.refusals import (
    ConditionFailedError,
    ItemRefusedError,
    invalid,
    refused_value,
)
from eachonce_workbench.cloud.store.tables.sizes import ITEM_LIMIT_BYTES, size_bytes

WriteRequest = Mapping[str, Any]
Make = Callable[[Item | None], Item | None]


@dataclass(frozen=True, slots=True)
class Change:
    """What a write does: the item that was (None: none) and the item that will be (None: none)."""

    table: Table
    key: Key
    old: Item | None
    new: Item | None

    def apply(self, *, by: str | None = None) -> None:
        """Store the new item, and tell the table's stream: who did it, where it was DynamoDB itself."""
        if self.new is self.old:
            return
        if self.new is None:
            _discard(self.table, self.key)
        else:
            put_in_place(self.table, self.key, self.new)
        shard: Any = self.table.stream_shard
        if shard is not None and not _same(self.old, self.new):
            shard.add(*(self.old, self.new) if by is None else (self.old, self.new, by))


@dataclass(frozen=True, slots=True)
class Write:
    """A Put, Update, Delete or ConditionCheck whose request is valid in itself."""

    table: Table
    key: Key
    condition: Condition | None
    make: Make
    targets: PathTree | None
    tells_old: bool

    def change(self) -> Change:
        """What the write would do to the item as it is now; changes nothing.

        Raises `ConditionFailedError` when the condition doesn't hold, `ItemRefusedError` when the update can't be done
        to the item.
        """
        old = current(self.table, self.key)
        if self.condition is not None and not self.condition.holds(None if old is None else old.attrs):
            raise ConditionFailedError(wire_item(old) if old is not None and self.tells_old else None)
        return Change(self.table, self.key, old, self.make(old))


@dataclass(frozen=True, slots=True)
class Intent:
    """What a request wants written, valid in itself; its table is yet to be found."""

    kind: str
    table_name: str
    item: Attributes | None
    key: Mapping[str, Wire]
    update: Update | None
    condition: Condition | None
    tells_old: bool

    @classmethod
    def of(cls, kind: str, request: WriteRequest) -> Intent:
        """What a request describes; `kind` is Put, Update, Delete or ConditionCheck.

        Raises `AwsError` ValidationException when it is wrong whatever table it is for.
        """
        expressions = ("UpdateExpression", "ConditionExpression") if kind == "Update" else ("ConditionExpression",)
        require_one_form(request, expressions, ("AttributeUpdates", "Expected", "ConditionalOperator"))
        item = attributes(request["Item"]) if kind == "Put" else None
        scope = Scope.of(request, *expressions)
        text = request.get("UpdateExpression") if kind == "Update" else None
        update = update_of(request.get("AttributeUpdates")) if text is None else Update.of(text, scope)
        condition = Condition.of("ConditionExpression", request.get("ConditionExpression"), scope)
        if condition is None:
            condition = condition_of(request.get("Expected"), request.get("ConditionalOperator"))
        scope.require_used()
        if item is not None and size_bytes(item) > ITEM_LIMIT_BYTES:
            raise invalid("Item size has exceeded the maximum allowed size")
        tells_old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return cls(kind, request["TableName"], item, request.get("Key") or {}, update, condition, tells_old)

    def key_on(self, table: Table) -> Key:
        """The key of what is to be written.

        Raises `KeyMismatchError` when it isn't one of this table's, `AwsError` when it can be no table's.
        """
        return key_of(self.key, table) if self.item is None else key_in(self.item, table)

    def on(self, table: Table) -> Write:
        """The write to its table; raises what `key_on` and `at` do."""
        return self.at(self.key_on(table), table)

    def at(self, key: Key, table: Table) -> Write:
        """The write to its table, whose key is known; raises `ItemRefusedError` when this table doesn't take it."""
        if self.item is not None:
            check_index_keys(self.item, table)
        if self.condition is not None:
            check_scalars(self.condition.paths, table)
        make = _maker(self.kind, self.item, self.update, key, table)
        return Write(
            table, key, self.condition, make, None if self.update is None else self.update.tree, self.tells_old
        )


def _maker(kind: str, item: Attributes | None, update: Update | None, key: Key, table: Table) -> Make:
    if item is not None:
        made = item_of(*key, item)
        return lambda _: made
    if kind == "Update":
        return _updater(update, key, table)
    return _nothing if kind == "Delete" else _unchanged


def _updater(update: Update | None, key: Key, table: Table) -> Make:
    if update is None:
        return lambda old: _new_item(key, table) if old is None else old
    paths = [action.path for action in update.actions]
    check_updated(paths, table)
    check_scalars(paths, table)
    indexed = bool(table.global_indexes or table.indexes)
    if indexed:
        _check_index_types(update, table)

    def make(old: Item | None) -> Item:
        item = _new_item(key, table) if old is None else old
        attrs = update.apply(item.attrs, exists=old is not None)
        if indexed:
            check_updated_index_keys(attrs, table)
        if size_bytes(attrs) > ITEM_LIMIT_BYTES:
            raise ItemRefusedError("Item size to update has exceeded the maximum allowed size")
        return item_of(*key, attrs)

    return make


def _check_index_types(update: Update, table: Table) -> None:
    given: dict[Path, DynamoType] = {
        action.path: update.values[action.to.placeholder]
        for action in update.actions
        if isinstance(action, Set) and isinstance(action.to, Given)
    }
    for part in index_keys(table):
        value = given.get((part.name,))
        if value is not None and value.type != part.kind:
            raise refused_value(
                f"Type mismatch for Index Key {part.name} Expected: {part.kind} Actual: {value.type} "
                f"IndexName: {part.index_name}"
            )


def _new_item(key: Key, table: Table) -> Item:
    hash_key, range_key = key
    attrs = {table.hash_key_attr: hash_key}
    if table.range_key_attr is not None and range_key is not None:
        attrs[table.range_key_attr] = range_key
    return item_of(hash_key, range_key, attrs)


def _nothing(_: Item | None) -> None:
    return None


def _unchanged(old: Item | None) -> Item | None:
    return old


def current(table: Table, key: Key) -> Item | None:
    """The item at a key, or None."""
    hash_key, range_key = key
    held: Any = table.items.get(hash_key)
    item: Item | None = held if range_key is None or held is None else held.get(range_key)
    return item


def put_in_place(table: Table, key: Key, item: Item) -> None:
    """Let an item be what is at a key; tells no stream."""
    hash_key, range_key = key
    items: Any = table.items
    if range_key is None:
        items[hash_key] = item
    else:
        items[hash_key][range_key] = item


def _discard(table: Table, key: Key) -> None:
    hash_key, range_key = key
    if range_key is None:
        table.items.pop(hash_key, None)
    else:
        table.items[hash_key].pop(range_key, None)


def _same(old: Item | None, new: Item | None) -> bool:
    # DynamoDB writes no stream record when nothing changed:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
    return old is not None and new is not None and old.attrs == new.attrs
