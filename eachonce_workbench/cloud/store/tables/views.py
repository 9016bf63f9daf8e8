"""What can be queried and scanned: a table, or one of its indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from eachonce_workbench.cloud.store.tables.attributes import Attributes, Wire, attributes
from eachonce_workbench.cloud.store.tables.expressions.comparing import order_key
from eachonce_workbench.cloud.store.tables.keys import KeyPart, index_keys, key_of, table_key
from eachonce_workbench.cloud.store.tables.refusals import ItemRefusedError, invalid

Position = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A table's items, or those that an index has; `parts` is the key that they are sorted by."""

    table: Table
    index: str | None
    parts: tuple[KeyPart, ...]
    is_global: bool
    kept: frozenset[str] | None
    """The attributes that the index has; None: all of them."""

    @classmethod
    def of(cls, table: Table, index: str | None) -> View:
        """A table, or its index of a name; raises `AwsError` ValidationException when it has none."""
        if index is None:
            return cls(table, None, tuple(table_key(table)), is_global=False, kept=None)
        parts = tuple(part for part in index_keys(table) if part.index_name == index)
        found = next((one for one in (*table.global_indexes, *table.indexes) if one.name == index), None)
        if found is None:
            raise invalid(f"The table does not have the specified index: {index}")
        kept = _kept(found.projection or {}, [*table.table_key_attrs, *(part.name for part in parts)])
        return cls(table, index, parts, is_global=found in table.global_indexes, kept=kept)

    @property
    def hash_keys(self) -> list[str]:
        """The attributes whose values a query names."""
        return [part.name for part in self.parts if part.is_hash]

    @property
    def range_keys(self) -> list[str]:
        """The attributes that the items of a query are sorted by."""
        return [part.name for part in self.parts if not part.is_hash]

    @property
    def types(self) -> Mapping[str, str]:
        """The type of each attribute of the key."""
        return {part.name: part.kind for part in self.parts}

    @property
    def key_names(self) -> list[str]:
        """The attributes that tell one item from all others: the view's key and the table's."""
        return list(dict.fromkeys([*self.table.table_key_attrs, *(part.name for part in self.parts)]))

    def items(self, hash_value: Any = None) -> Iterator[Item]:
        """All items, or those of a partition as far as the table can tell them apart quickly."""
        items: Iterable[Item] = self.table.all_items()
        if self.index is None and hash_value is not None:
            held: Any = self.table.items.get(hash_value)
            items = () if held is None else held.values() if self.table.has_range_key else (held,)
        return (item for item in items if all(part.name in item.attrs for part in self.parts))

    def has(self, attrs: Attributes) -> Attributes:
        """What of an item the view has."""
        if self.kept is None:
            return attrs
        return {name: value for name, value in attrs.items() if name in self.kept}

    def query_position(self, attrs: Attributes) -> Position:
        """What the items of a partition are sorted by."""
        names = [*self.range_keys, *self.table.table_key_attrs]
        return tuple(order_key(attrs[name]) for name in names)

    def scan_position(self, attrs: Attributes) -> Position:
        """What all items are sorted by: like DynamoDB's partitions, by a hash of the partition key."""
        return self.segment_hash(attrs), *self.query_position(attrs)

    def segment_hash(self, attrs: Attributes) -> int:
        """A number that is the same for all items of a partition."""
        text = "/".join(f"{attrs[name].type}:{attrs[name].value!r}" for name in self.hash_keys)
        return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest())

    def start(self, wired: Mapping[str, Wire]) -> Attributes:
        """The key that a page begins after; raises `AwsError` ValidationException when it isn't one of the view's."""
        key = attributes(wired)
        if set(key) != set(self.key_names) or any(key[part.name].type != part.kind for part in self.parts):
            raise _no_start(self)
        try:
            key_of({name: wired[name] for name in self.table.table_key_attrs}, self.table)
        except ItemRefusedError as error:
            raise invalid(f"The provided starting key is invalid: {error.message}") from None
        return key


def _no_start(view: View) -> Exception:
    why = ": The provided key element does not match the schema" if view.index is None else ""
    return invalid(f"The provided starting key is invalid{why}")


def _kept(projection: Mapping[str, Any], keys: list[str]) -> frozenset[str] | None:
    kind = projection.get("ProjectionType", "ALL")
    if kind == "ALL":
        return None
    return frozenset([*keys, *(projection.get("NonKeyAttributes", ()) if kind == "INCLUDE" else ())])
