"""moto's tables, where they differ from moto's own."""

from __future__ import annotations

import copy
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from workbench.store.tables.streams import Shard
from workbench.store.tables.writes import current, key_of, put_in_place


class Tables(DynamoDBBackend):
    """moto's tables, with streams whose records can be trimmed, and items that are never changed in place."""

    def create_table(self, *args: Any, **kwargs: Any) -> Table:
        """Create a table; its stream is a `Shard`."""
        table = super().create_table(*args, **kwargs)
        if table.stream_shard is not None:
            table.stream_shard = Shard(self.account_id, table)
        return table

    def label_stream(self, table_name: str, label: str) -> None:
        """Give a table's stream the label that ends its ARN."""
        self.get_table(table_name).latest_stream_label = label

    def expire(self, table_name: str, attribute: str, now: float) -> int:
        """Delete the items whose time to live, seconds since the epoch in `attribute`, has passed; returns how many."""
        table = self.get_table(table_name)
        expired = [item for item in table.all_items() if _expired(item, attribute, now)]
        for item in expired:
            table.delete_item(item.hash_key, item.range_key)
        return len(expired)

    def update_item(self, table_name: str, key: dict[str, Any], *args: Any, **kwargs: Any) -> Item:
        """Moto's update, as its legacy parameters need it, on a copy of the item."""
        table = self.get_table(table_name)
        place = key_of(key, table)
        if (item := current(table, place)) is not None:
            put_in_place(table, place, copy.deepcopy(item))
        end = table.stream_shard.end if isinstance(table.stream_shard, Shard) else 0
        updated = super().update_item(table_name, key, *args, **kwargs)
        if isinstance(table.stream_shard, Shard) and table.stream_shard.end == end + 2:
            table.stream_shard.take_back()  # moto puts a bare item first, and records that as well
        return updated


def _expired(item: Item, attribute: str, now: float) -> bool:
    until = item.attrs.get(attribute)
    return until is not None and until.type == "N" and float(until.value) <= now
