"""The write units of a request, by the rules that AWS publishes.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

UNIT_BYTES = 1024
TRANSACTED = 2  # a transaction writes every item twice

Request = Mapping[str, Any]

_SINGLE = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}
_IN_BATCH = {"PutRequest": "Put", "DeleteRequest": "Delete"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An item that a request writes or checks: how large it was, and how large it is or would have been; 0 is none."""

    bytes_before: int
    bytes_after: int


def writes_of(operation: str, params: Request) -> Iterator[tuple[str, Request]]:
    """Return what a request writes or checks, as the parts of a transaction: Put, Update, Delete, ConditionCheck."""
    if operation in _SINGLE:
        yield _SINGLE[operation], params
    elif operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            yield from item.items()
    elif operation == "BatchWriteItem":
        for table, requests in params["RequestItems"].items():
            for kind, request in (pair for one in requests for pair in one.items()):
                yield _IN_BATCH[kind], {"TableName": table, **request}


def write_units(written: Iterable[Written], *, transacted: bool) -> int:
    """Return the units of all that a request writes, whether or not its conditions held: a refusal is billed, too.

    Of each item the larger of its two sizes counts, in whole kilobytes, at least one of them.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate
    """
    units = sum(max(1, -(-max(one.bytes_before, one.bytes_after) // UNIT_BYTES)) for one in written)
    return units * TRANSACTED if transacted else units
