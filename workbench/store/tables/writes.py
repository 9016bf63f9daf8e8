"""One write to one item: checked against the item as it is, and applied only afterwards.

A write never changes an item: it puts a new one in its place. So an old item can be kept (by a stream record, by
whoever asked for it) without being copied, and a transaction needs no undo: nothing is applied before all is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb import responses as moto_rules
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.limits import HASH_KEY_MAX_LENGTH, RANGE_KEY_MAX_LENGTH
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from workbench.store.protocol import AwsError
from workbench.store.tables.attributes import ITEM_LIMIT_BYTES, Wire, attribute, invalid, item_of, size_bytes, wire_item
from workbench.store.tables.expressions import Bound, Condition, Names, Values, bound, require_used
from workbench.store.tables.updates import ItemRefusedError, Update

WriteRequest = Mapping[str, Any]
Key = tuple[DynamoType, DynamoType | None]


class ConditionFailedError(AwsError):
    """The item is not as the condition wants it; `item` is what it is, when the request asked for it."""

    def __init__(self, item: dict[str, Wire] | None) -> None:
        fields: dict[str, Any] = {} if item is None else {"Item": item}
        super().__init__("ConditionalCheckFailedException", "The conditional request failed", **fields)
        self.item = item


@dataclass(frozen=True, slots=True)
class Change:
    """What a write does: the item that was (None: none) and the item that will be (None: none)."""

    table: Table
    key: Key
    old: Item | None
    new: Item | None

    def apply(self) -> None:
        """Store the new item, and tell the table's stream."""
        if self.new is self.old:
            return
        if self.new is None:
            _discard(self.table, self.key)
        else:
            put_in_place(self.table, self.key, self.new)
        if self.table.stream_shard is not None and not _same(self.old, self.new):
            self.table.stream_shard.add(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Write:
    """A Put, Update, Delete or ConditionCheck whose request is valid in itself."""

    table: Table
    key: Key
    condition: Condition
    make: Callable[[Item | None], Item | None]
    targets: tuple[str, ...] | None
    tells_old: bool

    def change(self) -> Change:
        """What the write would do to the item as it is now; changes nothing.

        Raises `ConditionFailedError` when the condition doesn't hold, `ItemRefusedError` when the update can't be done
        to the item.
        """
        old = current(self.table, self.key)
        if not self.condition.holds(old):
            raise ConditionFailedError(wire_item(old) if old is not None and self.tells_old else None)
        return Change(self.table, self.key, old, self.make(old))


def write_of(kind: str, request: WriteRequest, table: Table) -> Write:
    """The write that a request describes; `kind` is Put, Update, Delete or ConditionCheck.

    Raises `AwsError` ValidationException when it is wrong whatever the table holds.
    """
    names: Names = request.get("ExpressionAttributeNames") or {}
    given: Values | None = request.get("ExpressionAttributeValues")
    values = bound(given)
    condition = Condition.of(request.get("ConditionExpression"), names, values)
    used_names, used_values = condition.names, condition.values
    targets: tuple[str, ...] | None = None
    make: Callable[[Item | None], Item | None]
    if kind == "Put":
        key, make = _put(request["Item"], table)
    elif kind == "Update":
        update = Update.of(request.get("UpdateExpression", ""), names, table)
        used_names, used_values = used_names | update.names, used_values | update.values
        targets = None if update.plan is None else update.plan.targets
        key = key_of(request["Key"], table)
        make = _update(update, key, table, names, values)
    else:
        key = key_of(request["Key"], table)
        make = _nothing if kind == "Delete" else _unchanged
    require_used(names, used_names, "Names")
    require_used(values, used_values, "Values")
    tells_old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return Write(table, key, condition, make, targets, tells_old)


def _put(wired: Mapping[str, Wire], table: Table) -> tuple[Key, Callable[[Item | None], Item]]:
    attrs = {name: attribute(value) for name, value in wired.items()}
    key = _keys(attrs, table, missing="One or more parameter values were invalid: Missing the key {} in the item")
    if table.global_indexes or table.indexes:
        _check_index_keys(wired, table)
    if size_bytes(attrs) > ITEM_LIMIT_BYTES:
        raise invalid("Item size has exceeded the maximum allowed size")
    item = item_of(*key, attrs)
    return key, lambda _: item


def _check_index_keys(wired: Mapping[str, Wire], table: Table) -> None:
    try:
        moto_rules.validate_put_has_empty_keys(dict(wired), table)
        moto_rules.validate_put_has_gsi_keys_set_to_none(dict(wired), table)
    except DynamodbException as error:
        raise invalid(error.message) from None


def _update(update: Update, key: Key, table: Table, names: Names, values: Bound) -> Callable[[Item | None], Item]:
    def make(old: Item | None) -> Item:
        attrs = update.apply(_new_item(key, table) if old is None else old, table, names, values)
        if size_bytes(attrs) > ITEM_LIMIT_BYTES:
            raise ItemRefusedError("ValidationException", "Item size to update has exceeded the maximum allowed size")
        return item_of(*key, attrs)

    return make


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


def key_of(wired: Mapping[str, Wire], table: Table) -> Key:
    """The key that a request names.

    Raises `AwsError` ValidationException when it isn't the table's key.
    """
    mismatch = "The provided key element does not match the schema"
    if len(wired) != len(table.table_key_attrs):
        raise invalid(mismatch)
    return _keys({name: attribute(value) for name, value in wired.items()}, table, missing=mismatch, mistyped=mismatch)


def _keys(attrs: Mapping[str, DynamoType], table: Table, *, missing: str, mistyped: str | None = None) -> Key:
    hash_key = _key_part(attrs, table.hash_key_attr, table.hash_key_type, missing, mistyped)
    if len(str(hash_key.value).encode()) > HASH_KEY_MAX_LENGTH:
        raise invalid(
            "One or more parameter values were invalid: "
            f"Size of hashkey has exceeded the maximum size limit of{HASH_KEY_MAX_LENGTH} bytes"
        )
    if table.range_key_attr is None:
        return hash_key, None
    range_key = _key_part(attrs, table.range_key_attr, str(table.range_key_type), missing, mistyped)
    if len(str(range_key.value).encode()) > RANGE_KEY_MAX_LENGTH:
        raise invalid(
            "One or more parameter values were invalid: "
            f"Aggregated size of all range keys has exceeded the size limit of {RANGE_KEY_MAX_LENGTH} bytes"
        )
    return hash_key, range_key


def _key_part(attrs: Mapping[str, DynamoType], name: str, kind: str, missing: str, mistyped: str | None) -> DynamoType:
    part = attrs.get(name)
    if part is None:
        raise invalid(missing.format(name))
    if part.type != kind:
        message = "One or more parameter values were invalid: Type mismatch for key {} expected: {} actual: {}"
        raise invalid(mistyped or message.format(name, kind, part.type))
    if not part.value:
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty string value. Key: {name}"
        )
    return part


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
