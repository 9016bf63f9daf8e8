"""An event's story: what became of it at each consumer, who published it, and what followed from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any

from eachonce.journal import read_key
from eachonce.trace_context import trace_id_of

from eachonce_workbench.operations.dead_letter import DeadLetter
from eachonce_workbench.operations.journal import Journal, NoJournal, Row, published
from eachonce_workbench.operations.stack import Stack

# What a journal row tells of its event, in the order in which people ask; the rest is the layer's own affair.
_TOLD = (
    "first_seen",
    "attempts",
    "errors",
    "begun",
    "lease_until",
    "uncertain",
    "reason",
    "rejected_at",
    "redriven_at",
    "done_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Whose handling of which event published this one, and in which trace; `event_id` is the cause's."""

    name: str
    event_id: str
    trace_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """What the journal and the dead-letter queue say of the event at one consumer.

    `state` is None where there is no row: the event never finished there and never failed, it is not for this consumer,
    or it was a single guarded write, which needs none. `facts` are the row's own, in JSON's terms.
    """

    consumer: str
    state: str | None
    facts: Mapping[str, Any]
    published: tuple[Mapping[str, str], ...]
    dead_letters: tuple[DeadLetter, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON shows of it."""
        return {
            "consumer": self.consumer,
            "state": self.state,
            **self.facts,
            "published": list(self.published),
            "dead_letters": [letter.as_dict() for letter in self.dead_letters],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that is known of an event; `publisher` is None where nothing at hand tells."""

    source: str
    event_id: str
    event_type: str | None
    publisher: Publisher | None
    chapters: tuple[Chapter, ...]
    trace_id: str | None = None

    @property
    def known(self) -> bool:
        """Whether anything is known at all."""
        return self.publisher is not None or any(
            chapter.state is not None or chapter.dead_letters for chapter in self.chapters
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON shows of it."""
        publisher = self.publisher
        return {
            "event_id": self.event_id,
            "source": self.source,
            "type": self.event_type,
            "trace_id": self.trace_id,
            "publisher": None if publisher is None else {"name": publisher.name, "event_id": publisher.event_id},
            "consumers": [chapter.as_dict() for chapter in self.chapters],
        }


def sources(stack: Stack, letters: Iterable[DeadLetter]) -> list[str]:
    """Return the sources that an event of these letters may have: their own, and the stack's."""
    own = [letter.event.source for letter in letters if letter.event is not None]
    return list(dict.fromkeys([*own, *stack.sources]))


def tell(
    source: str,
    event_id: str,
    *,
    stack: Stack,
    journal: Journal | NoJournal,
    letters: Sequence[DeadLetter],
    thoroughly: bool = False,
    tenant: str | None = None,
) -> Story:
    """Tell an event's story from the journal and those of the dead letters that hold it.

    Every consumer has a chapter, and an endpoint only if it knows the event. A dead letter names the event's cause,
    and so its publisher. Without one the whole journal would have to be read: it is, where `thoroughly` is set. It
    names the `tenant`, too, by which consumers that keep tenants apart know it; where there is none it is to be said.
    """
    letters = [letter for letter in letters if letter.event is None or letter.event.source == source]
    if tenant is None:
        tenant = next((letter.event.tenant for letter in letters if letter.event and letter.event.tenant), None)
    rows = {name: journal.row(name, source, event_id, tenant=tenant) for name in _names(stack)}
    chapters = [
        _chapter(name, row, [letter for letter in letters if letter.consumer == name])
        for name, row in rows.items()
        if row is not None or name not in stack.endpoints
    ]
    publisher, event_type = _by_cause(source, event_id, stack, journal, letters, tenant)
    if publisher is None and thoroughly:
        publisher, event_type = _by_scan(source, event_id, journal)
    traces = [*(letter.trace_id for letter in letters), *(row.get("trace_id") for row in rows.values() if row)]
    types = [event_type, *(letter.event_type for letter in letters), *(row.get("type") for row in rows.values() if row)]
    return Story(
        source=source,
        event_id=event_id,
        event_type=_first(types),
        publisher=publisher,
        chapters=tuple(chapters),
        trace_id=_first([None if publisher is None else publisher.trace_id, *traces]),
    )


def _first(texts: Iterable[str | None]) -> str | None:
    return next(filter(None, texts), None)


def _names(stack: Stack) -> list[str]:
    return [*stack.endpoints, *stack.readers]


def _chapter(consumer: str, row: Row | None, letters: Iterable[DeadLetter]) -> Chapter:
    row = {} if row is None else row
    return Chapter(
        consumer=consumer,
        state=row.get("state"),
        facts=dict(_plain(name, row[name]) for name in _TOLD if name in row),
        published=tuple({"id": event["id"], "type": event["type"]} for event in published(row)),
        dead_letters=tuple(letters),
    )


def _by_cause(
    source: str,
    event_id: str,
    stack: Stack,
    journal: Journal | NoJournal,
    letters: Sequence[DeadLetter],
    tenant: str | None,
) -> tuple[Publisher | None, str | None]:
    """Find who published an event among those who handled its cause, of which it names the id alone."""
    causes = {letter.cause_id: None for letter in letters if letter.cause_id}
    for cause_id, cause_source, name in product(causes, sources(stack, letters), _names(stack)):
        event = _find(published(journal.row(name, cause_source, cause_id, tenant=tenant) or {}), source, event_id)
        if event is not None:
            return _publisher(name, cause_id, event), event["type"]
    return None, None


def _publisher(name: str, cause_id: str, event: Row) -> Publisher:
    return Publisher(name=name, event_id=cause_id, trace_id=trace_id_of(event.get("traceparent")))


def _by_scan(source: str, event_id: str, journal: Journal | NoJournal) -> tuple[Publisher | None, str | None]:
    for pk, events in journal.publications():
        event = _find(events, source, event_id)
        if event is not None:
            name, _, cause_id = read_key(pk)
            return _publisher(name, cause_id, event), event["type"]
    return None, None


def _find(events: Iterable[Row], source: str, event_id: str) -> Row | None:
    return next((event for event in events if (event["source"], event["id"]) == (source, event_id)), None)


def _plain(name: str, value: Any) -> tuple[str, Any]:
    match name:
        case "begun":  # the fences of runs that have not ended with a word
            return "starts", len(value)
        case "lease_until":
            return name, datetime.fromtimestamp(int(value) / 1000, UTC).isoformat(timespec="milliseconds")
    return name, _jsonable(value)


def _jsonable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, list):
        return [_jsonable(each) for each in value]
    return {name: _jsonable(each) for name, each in value.items()} if isinstance(value, dict) else value
