"""Rows as they are shown: the key, the other attributes, and the marks with the events that left them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from eachonce.journal import read_key

from eachonce_workbench.console.tables.outbox import Outbox, outbox_of
from eachonce_workbench.console.text import text_of
from eachonce_workbench.operations.tables import Item, MarkOn, marks_of

_OF_AN_OUTBOX = frozenset({"outbox"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """An item: its key and its other attributes as texts, and its marks.

    Where values are hidden, all but the marks are told by their kinds: a key, too, may hold what an event held.
    """

    key: Mapping[str, str]
    attributes: Mapping[str, str]
    marks: tuple[MarkOn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """A row of the journal; `source` is None where it doesn't tell it, and `event_id` empty where it is no event's."""

    pk: str
    consumer: str
    source: str | None
    event_id: str
    state: str
    attributes: Mapping[str, str]
    outbox: Outbox | None


def shown_row(item: Item, keys: Collection[str], *, values: bool) -> ShownRow:
    """Return how an item is shown."""
    marks = marks_of(item)
    apart = {*keys, *(mark.attribute for mark in marks)}
    shown = text_of if values else _kind_of
    return ShownRow(
        key={name: shown(item.get(name)) for name in keys},
        attributes={name: shown(value) for name, value in sorted(item.items()) if name not in apart},
        marks=marks,
    )


def journal_row(item: Item, *, values: bool) -> JournalRow:
    """Return how a row of the journal is shown."""
    pk = str(item.get("pk", ""))
    consumer, source, event_id = read_key(pk)
    apart = {"pk", "state", *_OF_AN_OUTBOX}
    hidden = set() if values else {"result"}
    return JournalRow(
        pk=pk,
        consumer=consumer,
        source=source,
        event_id="" if source == "" else event_id,
        state=str(item.get("state", "")),
        attributes={
            name: _kind_of(value) if name in hidden else text_of(value)
            for name, value in sorted(item.items())
            if name not in apart
        },
        outbox=outbox_of(item),
    )


def _kind_of(value: Any) -> str:
    kinds = {str: "text", Decimal: "number", bytes: "binary", bool: "true or false", list: "list", dict: "map"}
    return f"({kinds.get(type(value), 'null' if value is None else 'set')})"
