"""What requests consume, told when they ask for it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from moto.dynamodb.models.dynamo_type import Item

from eachonce_workbench.cloud.store.tables.sizes import size_bytes
from eachonce_workbench.cloud.store.tables.writes import Change

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
TRANSACTED = 2  # a transaction reads and writes everything twice

Params = Mapping[str, Any]
Consumed = Iterable[tuple[str, float]]
"""Tables, and units of each."""


def read_units(item: Item | None) -> float:
    """The units of a consistent read of one item."""
    return units(0 if item is None else size_bytes(item.attrs), READ_UNIT_BYTES)


def write_units(change: Change) -> float:
    """The units of a write: of the larger of what was and what is."""
    larger = max((size_bytes(item.attrs) for item in (change.old, change.new) if item is not None), default=0)
    return units(larger, WRITE_UNIT_BYTES)


def units(size: int, unit: int) -> float:
    """The units of a size, each begun one counted."""
    return max(1, -(-size // unit))


def told(params: Params, result: dict[str, Any], consumed: Consumed) -> dict[str, Any]:
    """The result of an operation on one table, with what it consumed if the request asks for that."""
    if params.get("ReturnConsumedCapacity", "NONE") == "NONE":
        return result
    ((table, used),) = consumed
    return result | {"ConsumedCapacity": _consumed(params, table, used)}


def told_by_table(
    params: Params, result: dict[str, Any], consumed: Consumed, *, kind: Literal["Read", "Write"] | None = None
) -> dict[str, Any]:
    """The result of an operation on several tables, with what it consumed of each if the request asks for that.

    A transaction's units are told by their `kind`, too.
    https://docs.aws.amazon.com/cli/latest/reference/dynamodb/transact-write-items.html#examples
    """
    if params.get("ReturnConsumedCapacity", "NONE") == "NONE":
        return result
    sums: dict[str, float] = {}
    for table, used in consumed:
        sums[table] = sums.get(table, 0.0) + used
    return result | {"ConsumedCapacity": [_consumed(params, table, used, kind) for table, used in sums.items()]}


def _consumed(params: Params, table: str, used: float, kind: str | None = None) -> dict[str, Any]:
    numbers = {"CapacityUnits": float(used)} | ({} if kind is None else {f"{kind}CapacityUnits": float(used)})
    of_table = {"Table": numbers} if params["ReturnConsumedCapacity"] == "INDEXES" else {}
    return {"TableName": table, **numbers, **of_table}
