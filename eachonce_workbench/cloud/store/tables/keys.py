"""The keys of a table and of its indexes: what they are made of, and what they may hold.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from eachonce_workbench.cloud.store.tables.attributes import Attributes, Wire, attributes
from eachonce_workbench.cloud.store.tables.expressions.paths import Path
from eachonce_workbench.cloud.store.tables.refusals import (
    ItemRefusedError,
    KeyMismatchError,
    invalid,
    invalid_value,
    refused_value,
)

Key = tuple[DynamoType, DynamoType | None]

HASH_KEY_BYTES, RANGE_KEY_BYTES = 2048, 1024

MISMATCH = "The provided key element does not match the schema"

_WORDS = {"S": "string", "B": "binary"}


class KeyPart(NamedTuple):
    """An attribute of a table's key, or of an index's."""

    name: str
    kind: str
    is_hash: bool
    index_name: str | None = None


def table_key(table: Table) -> list[KeyPart]:
    """The attributes of a table's key."""
    hash_part = KeyPart(table.hash_key_attr, table.hash_key_type, is_hash=True)
    if table.range_key_attr is None:
        return [hash_part]
    return [hash_part, KeyPart(table.range_key_attr, str(table.range_key_type), is_hash=False)]


def index_keys(table: Table) -> Iterator[KeyPart]:
    """The attributes of the keys of a table's indexes."""
    if not table.global_indexes and not table.indexes:
        return
    types = _types(table)
    for index in (*table.global_indexes, *table.indexes):
        yield from _parts(index.schema, types, index.name)


def key_of(wired: Mapping[str, Wire], table: Table) -> Key:
    """The key that a request names.

    Raises `KeyMismatchError` when it isn't the table's key, `AwsError` ValidationException when no key can be so.
    """
    key = attributes(wired)
    parts = table_key(table)
    if len(key) != len(parts) or any(part.name not in key or key[part.name].type != part.kind for part in parts):
        raise KeyMismatchError(MISMATCH)
    return _checked(key, parts)


def key_in(item: Attributes, table: Table) -> Key:
    """The key of an item that a request wants to store.

    Raises `KeyMismatchError` when it is missing or not of the table's types, `AwsError` ValidationException when no key
    can be so.
    """
    parts = table_key(table)
    for part in parts:
        if part.name not in item:
            raise KeyMismatchError(
                f"One or more parameter values were invalid: Missing the key {part.name} in the item"
            )
        if item[part.name].type != part.kind:
            raise KeyMismatchError(
                f"One or more parameter values were invalid: Type mismatch for key {part.name} "
                f"expected: {part.kind} actual: {item[part.name].type}"
            )
    return _checked(item, parts)


def check_index_keys(item: Attributes, table: Table) -> None:
    """Raise `ItemRefusedError` when an item that a request wants to store has what can't be an index's key."""
    for part in index_keys(table):
        _check_index_key(part, item.get(part.name))


def check_updated(paths: Iterable[Path], table: Table) -> None:
    """Raise `ItemRefusedError` when an update changes the key it is at."""
    changed = {path[0] for path in paths}
    for name in table.table_key_attrs:
        if name in changed:
            raise refused_value(f"Cannot update attribute {name}. This attribute is part of the key")


def check_scalars(paths: Iterable[Path], table: Table) -> None:
    """Raise `AwsError` ValidationException when a path leads into an attribute of a key."""
    nested = {path[0] for path in paths if len(path) > 1}
    if not nested:
        return
    rule = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed"
    for name in table.table_key_attrs:
        if name in nested:
            raise invalid(f"{rule}: Key: {name}")
    for part in index_keys(table):
        if part.name in nested:
            raise invalid(f"{rule}: IndexKey: {part.name}")


def check_updated_index_keys(item: Attributes, table: Table) -> None:
    """Raise `ItemRefusedError` when an update made of an index's key what can't be one."""
    for part in index_keys(table):
        value = item.get(part.name)
        if value is None:
            continue
        if value.type != part.kind:
            raise ItemRefusedError(
                "The update expression attempted to update the secondary index key to unsupported type"
            )
        if not value.value:
            raise ItemRefusedError(
                "One or more parameter values are not valid. The update expression attempted to update a secondary "
                "index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an "
                f"empty {_WORDS[part.kind]} value."
            )
        _check_size(part, value)


def _types(table: Table) -> dict[str, str]:
    return {definition["AttributeName"]: definition["AttributeType"] for definition in table.attr}


def _parts(schema: list[dict[str, Any]], types: Mapping[str, str], index: str | None) -> list[KeyPart]:
    return [
        KeyPart(
            part["AttributeName"], types[part["AttributeName"]], is_hash=part["KeyType"] == "HASH", index_name=index
        )
        for part in schema
    ]


def _checked(attrs: Attributes, parts: list[KeyPart]) -> Key:
    for part in parts:
        if not attrs[part.name].value:
            raise invalid(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
                f"empty {_WORDS[part.kind]} value. Key: {part.name}"
            )
        _check_size(part, attrs[part.name])
    return attrs[parts[0].name], attrs[parts[1].name] if len(parts) > 1 else None


def _check_index_key(part: KeyPart, value: DynamoType | None) -> None:
    if value is None:
        return
    if value.type != part.kind:
        raise refused_value(
            f"Type mismatch for Index Key {part.name} Expected: {part.kind} Actual: {value.type} "
            f"IndexName: {part.index_name}"
        )
    if not value.value:
        raise invalid(
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
            f"The AttributeValue for a key attribute cannot contain an empty {_WORDS[part.kind]} value. "
            f"IndexName: {part.index_name}, IndexKey: {part.name}"
        )
    _check_size(part, value)


def _check_size(part: KeyPart, value: DynamoType) -> None:
    if part.kind == "N":
        return
    size = len(value.value.encode()) if part.kind == "S" else len(value.value)
    if part.is_hash and size > HASH_KEY_BYTES:
        raise invalid_value(f"Size of hashkey has exceeded the maximum size limit of{HASH_KEY_BYTES} bytes")
    if not part.is_hash and size > RANGE_KEY_BYTES:
        raise invalid_value(f"Aggregated size of all range keys has exceeded the size limit of {RANGE_KEY_BYTES} bytes")
