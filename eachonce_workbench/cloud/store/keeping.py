"""Takes what a store holds, and gives it to another, as far as that one has a place for it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from eachonce_workbench.cloud.mappings.stream_mapping import StreamReader
from eachonce_workbench.cloud.store.kept import Kept, KeptChange, KeptTable
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.cloud.store.tables.attributes import Wire, attributes, item_of, wire_item
from eachonce_workbench.cloud.store.tables.streams import Entry, Shard
from eachonce_workbench.cloud.store.tables.writes import put_in_place


def keep(store: Store, readers: Collection[StreamReader]) -> Kept:
    """Take all that a store holds; `readers` are those of its streams. Changes nothing."""
    tables = {}
    for told in store.topology.tables:
        if (table := store.table(told.name)) is not None:
            tables[told.name] = _kept_table(table, [each for each in readers if each.table_name == told.name])
    return Kept(tables=tables, queues={name: held.kept() for name, held in store.messages().items()})


def give_back(kept: Kept, store: Store) -> Iterator[str]:
    """Give a new store what was kept, and tell, a line each, what of it there is no place for any more.

    Messages that were in flight to a function's mapping are visible again: whoever had them is gone.
    """
    for name, table in kept.tables.items():
        place = store.table(name)
        if place is None:
            yield from _gone("table", name, len(table.items), "items", "it is no more in the template")
        elif _key(place) != table.key:
            yield from _gone("table", name, len(table.items), "items", "its key is another one now")
        else:
            _fill(place, table)
    mapped = {mapping.queue_arn.rpartition(":")[2] for mapping in store.topology.queue_mappings}
    for name, queue in kept.queues.items():
        held = store.messages().get(name)
        if held is None or held.fifo != queue.fifo:
            yield from _gone("queue", name, len(queue.messages), "messages", "it is no more in the template")
        else:
            held.take_back(queue, time.time(), at_once=name in mapped)


def resume(kept: Kept, readers: Collection[StreamReader], store: Store) -> None:
    """Let each reader of a stream go on where the one before it was; one that there was not begins as it is told to."""
    for reader in readers:
        unread = kept.tables[reader.table_name].unread if reader.table_name in kept.tables else {}
        if reader.function in unread:
            reader.position = max(store.streams.end(reader.table_name) - unread[reader.function], 0)


def _gone(kind: str, name: str, count: int, what: str, why: str) -> Iterator[str]:
    if count:
        yield f"{kind} {name}: {why}, and its {count} {what} are gone"


def _kept_table(table: Table, readers: Collection[StreamReader]) -> KeptTable:
    shard, unread = table.stream_shard, {}
    changes: list[Entry] = []
    if isinstance(shard, Shard) and readers:
        unread = {reader.function: shard.end - reader.position for reader in readers}
        changes = shard.between(shard.end - max(unread.values()), len(shard.entries))
    return KeptTable(
        key=_key(table),
        items=[wire_item(item) for item in _items(table)],
        changes=[_kept_change(entry) for entry in changes],
        unread=unread,
    )


def _items(table: Table) -> Iterator[Item]:
    # Not moto's `all_items`, which sorts them.
    held: Any = table.items
    for found in held.values():
        yield from found.values() if table.range_key_attr else [found]


def _key(table: Table) -> dict[str, str]:
    types = {table.hash_key_attr: table.hash_key_type, table.range_key_attr: table.range_key_type}
    return {name: str(kind) for name, kind in types.items() if name is not None}


def _kept_change(entry: Entry) -> KeptChange:
    old, new = (None if item is None else wire_item(item) for item in (entry.old, entry.new))
    return KeptChange(id=entry.id, at=entry.at.replace(tzinfo=UTC).timestamp(), old=old, new=new, by=entry.by)


def _fill(table: Table, kept: KeptTable) -> None:
    for told in kept.items:
        item = _item(table, told)
        put_in_place(table, (item.hash_key, item.range_key), item)
    shard: Any = table.stream_shard
    if isinstance(shard, Shard):
        for change in kept.changes:
            shard.resume(_entry(table, change, shard.end))


def _item(table: Table, told: Mapping[str, Wire]) -> Item:
    attrs = attributes(told)
    range_key = attrs[table.range_key_attr] if table.range_key_attr else None
    return item_of(attrs[table.hash_key_attr], range_key, attrs)


def _entry(table: Table, change: KeptChange, position: int) -> Entry:
    old, new = (None if told is None else _item(table, told) for told in (change.old, change.new))
    at = datetime.fromtimestamp(change.at, UTC).replace(tzinfo=None)  # moto's times are UTC, and don't say so
    entry = Entry(position, old, new, at, change.by)
    entry.id = change.id
    return entry
