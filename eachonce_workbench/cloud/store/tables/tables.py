"""moto's tables, where they differ from moto's own."""

from __future__ import annotations

from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from eachonce_workbench.cloud.store.tables.streams import TIME_TO_LIVE, Shard
from eachonce_workbench.cloud.store.tables.writes import Change

# What expired longer ago is taken for a mistake, and stays:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
_OLDEST_SECONDS = 5 * 365 * 86_400


class Tables(DynamoDBBackend):
    """moto's tables, with streams whose records can be trimmed."""

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
            Change(table, (item.hash_key, item.range_key), item, None).apply(by=TIME_TO_LIVE)
        return len(expired)


def _expired(item: Item, attribute: str, now: float) -> bool:
    until = item.attrs.get(attribute)
    return until is not None and until.type == "N" and now - _OLDEST_SECONDS <= float(until.value) <= now
