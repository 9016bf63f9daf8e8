"""The tables of a stack, read page by page, and the marks that its consumers left on their items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from eachonce.aws import Codec
from eachonce.journal import read_mark

from eachonce_workbench.operations.stack import Clients, Stack

Item = Mapping[str, Any]

_MARK = "_by"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkOn:
    """A mark on an item: the attribute that it is, the consumer that left it, and the source and id of its event.

    The source is None where the mark is from before sources counted.
    """

    attribute: str
    consumer: str
    source: str | None
    event_id: str

    def is_of(self, source: str, event_id: str) -> bool:
        """Whether an event left it."""
        return self.event_id == event_id and self.source in (None, source)


def marks_of(item: Item) -> tuple[MarkOn, ...]:
    """Return the marks on an item: `written_by`, `created_by`, and those of what only a newer event may write.

    >>> marks_of({"to": "Bonn", "written_by": "count-letters##post#e-1#0a1b"})[0].event_id
    'e-1'
    """
    return tuple(_marks(item))


def _marks(item: Item) -> Iterator[MarkOn]:
    for attribute, value in item.items():
        if attribute.endswith(_MARK) and isinstance(value, str) and (read := read_mark(value)) is not None:
            consumer, source, event_id = read
            yield MarkOn(attribute=attribute, consumer=consumer, source=source, event_id=event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """What DynamoDB says of a table; `count` and `size_bytes` are about right: AWS counts every six hours.

    `keys` are the names of its key's attributes with their types ("S", "N", "B"), the hash key first.
    """

    name: str
    count: int
    size_bytes: int
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Items of a table, and after which key the next page begins; `after` is None at the end."""

    items: tuple[Item, ...]
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Items that carry a mark of one event, by table; `looked_at` says how many items were, `cut` where not all."""

    items: tuple[tuple[str, Item, tuple[MarkOn, ...]], ...]
    looked_at: int
    cut: tuple[str, ...]


class KeyTextError(ValueError):
    """What was given is no key of that table; the message says what one looks like."""


def tables_of(stack: Stack) -> list[str]:
    """Return the tables that a stack's functions are told of, the journal last."""
    names = dict.fromkeys(name for each in stack.settings for name in each.tables.values())
    journal = stack.journal_table
    return [*(name for name in names if name != journal), *([] if journal is None else [journal])]


class Tables:
    """Reads tables. Thread-safe, as botocore's clients are; each verb is a call, or one a page of 1 MB."""

    def __init__(self, clients: Clients) -> None:
        self._dynamodb = clients("dynamodb")
        self._codec = Codec()

    def facts(self, name: str) -> TableFacts:
        """Describe a table."""
        told = self._dynamodb.describe_table(TableName=name)["Table"]
        types = {each["AttributeName"]: each["AttributeType"] for each in told["AttributeDefinitions"]}
        keys = [each["AttributeName"] for each in sorted(told["KeySchema"], key=lambda each: each["KeyType"])]
        return TableFacts(
            name=name,
            count=int(told.get("ItemCount", 0)),
            size_bytes=int(told.get("TableSizeBytes", 0)),
            keys={key: types[key] for key in keys},
        )

    def page(self, name: str, *, limit: int, after: str | None = None) -> Page:
        """Return up to `limit` items; `after` is what the page before gave. Raises KeyTextError."""
        start = {} if after is None else {"ExclusiveStartKey": _read_key(after)}
        answer = self._dynamodb.scan(TableName=name, Limit=limit, **start)
        last = answer.get("LastEvaluatedKey")
        return Page(
            items=tuple(map(self._codec.item, answer["Items"])),
            after=None if last is None else msgspec.json.encode(last).decode(),
        )

    def item(self, facts: TableFacts, key: Sequence[str]) -> Item | None:
        """Return the item of a key, given as text in the order of `facts.keys`. Raises KeyTextError."""
        texts = dict(zip(facts.keys, key, strict=True))
        typed = {name: {facts.keys[name]: _value(facts.keys[name], text)} for name, text in texts.items()}
        try:
            answer = self._dynamodb.get_item(TableName=facts.name, Key=typed, ConsistentRead=True)
        except self._dynamodb.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            raise KeyTextError(error.response["Error"]["Message"]) from error
        return self._codec.item(answer["Item"]) if "Item" in answer else None

    def written(self, names: Sequence[str], source: str, event_id: str, *, most: int) -> Written:
        """Look at up to `most` items of each table for the marks of an event."""
        found: list[tuple[str, Item, tuple[MarkOn, ...]]] = []
        looked_at = 0
        cut = []
        for name in names:
            items, after = self.first(name, most=most)
            looked_at += len(items)
            if after is not None:
                cut.append(name)
            marked = ((item, tuple(mark for mark in marks_of(item) if mark.is_of(source, event_id))) for item in items)
            found += [(name, item, marks) for item, marks in marked if marks]
        return Written(items=tuple(found), looked_at=looked_at, cut=tuple(cut))

    def first(self, name: str, *, most: int) -> tuple[list[Item], str | None]:
        """Return up to `most` items of a table, and after which key more of them come, if any do."""
        items: list[Item] = []
        after: str | None = None
        while len(items) < most:
            page = self.page(name, limit=most - len(items), after=after)
            items += page.items
            after = page.after
            if after is None:
                break
        return items, after


def _value(kind: str, text: str) -> Any:
    if kind != "B":
        return text
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise KeyTextError("a binary key is written in hexadecimal digits") from error


def _read_key(text: str) -> dict[str, Any]:
    """Read a key as `page` gave it: what is binary is in base64 there."""
    try:
        return {
            name: value if "B" not in value else {"B": msgspec.convert(value["B"], bytes)}
            for name, value in msgspec.json.decode(text, type=dict[str, dict[str, str]]).items()
        }
    except (msgspec.MsgspecError, ValueError) as error:
        raise KeyTextError("the page to begin after is not one that this table gave") from error
