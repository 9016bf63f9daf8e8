"""The tables' streams: records in the order of the writes, kept until whoever reads them has passed them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import utcnow
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import StreamShard, Table

from eachonce_workbench.cloud.store.tables.attributes import wire, wire_item
from eachonce_workbench.cloud.store.tables.sizes import size_bytes

TIME_TO_LIVE = "dynamodb.amazonaws.com"
"""Who deletes an item whose time has passed.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
"""

Record = dict[str, Any]
Wake = Callable[[], None]


class Entry:
    """One change of one item; becomes a record only when it is read, as most of a busy table's never are, or once.

    `by` is the service that made it, None where a request did.
    """

    __slots__ = ("at", "by", "id", "new", "old", "position")

    def __init__(self, position: int, old: Item | None, new: Item | None, at: datetime, by: str | None = None) -> None:
        self.position = position
        self.old = old
        self.new = new
        self.at = at
        self.by = by
        self.id = uuid.uuid4().hex

    @property
    def name(self) -> str:
        """INSERT, MODIFY or REMOVE."""
        if self.old is None:
            return "INSERT"
        return "REMOVE" if self.new is None else "MODIFY"


class Shard(StreamShard):
    """A table's one shard, in place of moto's: cheap to write, and able to forget its beginning.

    `items` and `starting_sequence_number` are moto's names: its own readers (GetRecords, GetShardIterator) use them.
    """

    def __init__(self, account_id: str, table: Table) -> None:
        super().__init__(account_id, table)
        self.origin = self.starting_sequence_number
        self.entries: list[Entry] = []
        self.wakes: list[Wake] = []

    @property
    def end(self) -> int:
        """The position that the next record will have; the first record's is 0."""
        return self.starting_sequence_number - self.origin + len(self.entries)

    @property
    def items(self) -> Any:
        """What moto asks only for its length."""
        return range(len(self.entries))

    @items.setter
    def items(self, _: Any) -> None:
        """Moto's constructor begins with an empty list."""

    def add(self, old: Item | None, new: Item | None, by: str | None = None) -> None:
        """Append a change, and wake whoever reads this stream."""
        self.entries.append(Entry(self.end, old, new, utcnow(), by))
        for wake in self.wakes:
            wake()

    def resume(self, entry: Entry) -> None:
        """Append a change of before, which nobody has to be woken for yet."""
        self.entries.append(entry)

    def get(self, start: int, quantity: int) -> list[Record]:
        """Records in the shape of the Streams API from a sequence number on."""
        return [self.api_record(entry) for entry in self.between(start - self.origin, quantity)]

    def between(self, position: int, limit: int) -> list[Entry]:
        """Up to `limit` entries from a position on, or from the oldest that is left."""
        start = max(position - (self.starting_sequence_number - self.origin), 0)
        return self.entries[start : start + limit]

    def trim(self, position: int) -> None:
        """Forget the entries before a position."""
        passed = min(position - (self.starting_sequence_number - self.origin), len(self.entries))
        if passed > 0:
            del self.entries[:passed]
            self.starting_sequence_number += passed

    def api_record(self, entry: Entry) -> Record:
        """A record of the API: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html."""
        who = {} if entry.by is None else {"userIdentity": {"Type": "Service", "PrincipalId": entry.by}}
        change = self._change(entry) | {"ApproximateCreationDateTime": entry.at}
        return self._record(entry) | {"dynamodb": change} | who

    def lambda_record(self, entry: Entry) -> Record:
        """A record as Lambda hands it over: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html."""
        who = {} if entry.by is None else {"userIdentity": {"type": "Service", "principalId": entry.by}}
        change = self._change(entry) | {"ApproximateCreationDateTime": entry.at.replace(tzinfo=UTC).timestamp()}
        return self._record(entry) | {"dynamodb": change, "eventSourceARN": stream_arn(self.table)} | who

    def _record(self, entry: Entry) -> Record:
        return {
            "eventID": entry.id,
            "eventName": entry.name,
            "eventSource": "aws:dynamodb",
            "eventVersion": "1.1",
            "awsRegion": self.table.region_name,
        }

    def _change(self, entry: Entry) -> Record:
        view = (self.table.stream_specification or {})["StreamViewType"]
        some = entry.new if entry.new is not None else entry.old
        change: Record = {
            "Keys": {name: wire(some.attrs[name]) for name in self.table.table_key_attrs} if some is not None else {},
            "SequenceNumber": str(self.origin + entry.position),
            "SizeBytes": sum(size_bytes(item.attrs) for item in (entry.old, entry.new) if item is not None),
            "StreamViewType": view,
        }
        if entry.new is not None and view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
            change["NewImage"] = wire_item(entry.new)
        if entry.old is not None and view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
            change["OldImage"] = wire_item(entry.old)
        return change


def stream_arn(table: Table) -> str:
    """The ARN of the table's newest stream."""
    return f"{table.table_arn}/stream/{table.latest_stream_label}"


class Streams:
    """The streams as stream mappings read them, on the loop's thread."""

    def __init__(self, table: Callable[[str], Table]) -> None:
        self._table = table

    def read(self, table_name: str, position: int, limit: int) -> tuple[list[Record], int]:
        """Up to `limit` records in Lambda's shape from `position` on, in order, and the position after the last.

        Position 0 is the first record ever; records that were trimmed are left out.
        """
        shard = self._shard(table_name)
        entries = shard.between(position, limit)
        after = entries[-1].position + 1 if entries else max(position, shard.starting_sequence_number - shard.origin)
        return [shard.lambda_record(entry) for entry in entries], after

    def trim(self, table_name: str, position: int) -> None:
        """Forget the records before `position`; idempotent."""
        self._shard(table_name).trim(position)

    def end(self, table_name: str) -> int:
        """The position that the next record will have."""
        return self._shard(table_name).end

    def newest(self, table_name: str) -> Entry:
        """The newest record; raises IndexError when all were trimmed."""
        return self._shard(table_name).entries[-1]

    def on_write(self, table_name: str, wake: Wake) -> None:
        """Call `wake` after every record that is appended from now on."""
        self._shard(table_name).wakes.append(wake)

    def _shard(self, table_name: str) -> Shard:
        shard = self._table(table_name).stream_shard
        if isinstance(shard, Shard):
            return shard
        raise LookupError(f"table {table_name} has no stream")
