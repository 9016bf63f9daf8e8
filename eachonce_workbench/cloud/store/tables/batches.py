"""BatchGetItem and BatchWriteItem: many items in one request, each on its own, none of them twice.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.dynamodb.models.table import Table

from eachonce_workbench.cloud.store.tables.attributes import wire_attributes
from eachonce_workbench.cloud.store.tables.keys import MISMATCH
from eachonce_workbench.cloud.store.tables.reads import Lookup, Read
from eachonce_workbench.cloud.store.tables.refusals import KeyMismatchError, invalid
from eachonce_workbench.cloud.store.tables.sizes import size_bytes
from eachonce_workbench.cloud.store.tables.writes import Change, Intent, Write

MAX_KEYS, MAX_WRITES = 100, 25
MAX_READ_BYTES = 16 * 1024 * 1024

_VERBS = {"PutRequest": "Put", "DeleteRequest": "Delete"}

Find = Callable[[str], Table]


def batch_read(request: Mapping[str, Any], find: Find) -> tuple[dict[str, Any], list[Read]]:
    """Read what a BatchGetItem request asks for; returns the answer, and what was read for it.

    Raises `AwsError` ValidationException when it asks for an item twice, or for too many.
    """
    asked = request["RequestItems"]
    lookups = {name: Lookup.of(wanted) for name, wanted in asked.items()}
    if sum(len(wanted["Keys"]) for wanted in asked.values()) > MAX_KEYS:
        raise invalid("Too many items requested for the BatchGetItem call")
    reads = {name: [lookups[name].on(find(name), key) for key in wanted["Keys"]] for name, wanted in asked.items()}
    every = [read for of_table in reads.values() for read in of_table]
    _require_distinct([(read.table.name, *read.key) for read in every])
    page = _Page(request)
    for name, of_table in reads.items():
        for place, read in enumerate(of_table):
            page.add(name, place, read)
    return page.answer(), every


class _Page:
    """As much of an answer as fits; the keys of the rest are to be asked for again."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._asked = request["RequestItems"]
        self._found: dict[str, list[Any]] = {name: [] for name in self._asked}
        self._left: dict[str, list[Any]] = {}
        self._bytes = 0

    def add(self, name: str, place: int, read: Read) -> None:
        """Answer with what is read, or leave its key for later."""
        item = read.item()
        if item is None:
            return
        self._bytes += size_bytes(item.attrs)
        if self._bytes > MAX_READ_BYTES:
            self._left.setdefault(name, []).append(self._asked[name]["Keys"][place])
        else:
            self._found[name].append(wire_attributes(read.asked(item)))

    def answer(self) -> dict[str, Any]:
        """The answer."""
        left = {name: {**self._asked[name], "Keys": keys} for name, keys in self._left.items()}
        return {"Responses": self._found, "UnprocessedKeys": left}


def batch_write(request: Mapping[str, Any], find: Find) -> list[Change]:
    """Carry out a BatchWriteItem request; returns what it did.

    Raises `AwsError` ValidationException when it writes an item twice, or too many, or one that is wrong.
    """
    asked = request["RequestItems"]
    intents = [(name, _intent(name, entry)) for name, entries in asked.items() for entry in entries]
    if len(intents) > MAX_WRITES:
        raise invalid("Too many items requested for the BatchWriteItem call")
    writes = [_write(intent, find(name)) for name, intent in intents]
    _require_distinct([(write.table.name, *write.key) for write in writes])
    changes = [write.change() for write in writes]
    for change in changes:
        change.apply()
    return changes


def _intent(name: str, entry: Mapping[str, Any]) -> Intent:
    verbs = [(verb, request) for verb, request in entry.items() if verb in _VERBS and request is not None]
    if len(verbs) != 1:
        raise invalid(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
            "datatypes"
        )
    ((verb, request),) = verbs
    return Intent.of(_VERBS[verb], {**request, "TableName": name})


def _write(intent: Intent, table: Table) -> Write:
    try:
        return intent.on(table)
    except KeyMismatchError:
        raise invalid(MISMATCH) from None


def _require_distinct(keys: Sequence[Any]) -> None:
    if len(set(keys)) < len(keys):
        raise invalid("Provided list of item keys contains duplicates")
