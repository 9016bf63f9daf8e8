"""Triage: which deliveries of a batch are harmless, and which may kill the process.

A delivery that ended without a word (a crash, a time-out, too little memory) leaves its batch with a receive count over
1 and no word of it in the journal. So does one that was throttled, so suspicion grows in steps: the first time an event
comes back like this, a STARTED mark is written before it is handled as usual; an event that comes back with such a
mark is a suspect, and is handled last and alone. What comes for the first time costs nothing of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

import msgspec

from eachonce.errors import ContractError, EachonceError
from eachonce.event import RawEvent
from eachonce.execution import Execution
from eachonce.handler import Handler, Handlers
from eachonce.journal import Mark, State
from eachonce.lanes import in_lanes
from eachonce.ledger import Begun
from eachonce.listener import Delivery
from eachonce.work import Item

T = TypeVar("T")

_AT_ONCE = 100  # items of one BatchGetItem, and of one TransactWriteItems


class Triage(msgspec.Struct, frozen=True):
    """A batch, sorted.

    - `harmless`: to be handled side by side
    - `suspects`: lanes to be handled after them, alone, one delivery after the other; the least suspicious first
    - `rows`: the journal rows of what has come before, by key
    - `former`: the rows from before sources counted, by key; None where nobody has looked
    - `begun`: what was noted of those that are handled under a mark, by key
    - `unread`: the message ids for which the journal could not be asked, and why not
    """

    harmless: Sequence[Delivery]
    suspects: Sequence[Sequence[Delivery]] = ()
    rows: Mapping[str, Item] = msgspec.field(default_factory=dict)
    former: Mapping[str, Item] | None = None
    begun: Mapping[str, Begun] = msgspec.field(default_factory=dict)
    unread: Mapping[str, Exception] = msgspec.field(default_factory=dict)


def triage(
    deliveries: Sequence[Delivery], handlers: Handlers, execution: Execution, *, lease: timedelta, ordered: bool
) -> Triage:
    """Sort a batch: read the journal of what comes again, and mark what is under suspicion for the first time.

    After the `lease`, whatever is marked now and has not ended with a word is dead.
    """
    handled = {one.message_id: one.event for one in deliveries if one.event and _handler_of(one.event, handlers)}
    try:
        former = _former(list(handled.values()), execution)
    except EachonceError as error:
        return Triage(deliveries, unread=dict.fromkeys(handled, error))
    marks = _marks(deliveries, handlers, execution)
    if not marks:
        return Triage(deliveries, former=former)
    try:
        rows = {
            pk: row for chunk in _hundreds(list(marks.values())) for pk, row in execution.ledger.rows(chunk).items()
        }
        new = _unmarked(deliveries, handlers, marks, rows)
        begin_all = partial(execution.ledger.begin_all, lease=lease)
        begun = {pk: mark for chunk in _hundreds(new) for pk, mark in begin_all(chunk).items()}
    except EachonceError as error:
        return Triage(deliveries, former=former, unread=dict.fromkeys(marks, error))
    # A mark that could not be written in common is written for each alone.
    suspect = {mark.pk for mark, _ in new if mark.pk not in begun}
    suspect |= {pk for pk, row in rows.items() if row["state"] == State.STARTED}

    def suspicion(delivery: Delivery) -> int:
        mark = marks.get(delivery.message_id)
        return 1 + len(rows.get(mark.pk, {}).get("begun", ())) if mark is not None and mark.pk in suspect else 0

    harmless, suspects = _sorted(deliveries, suspicion, ordered=ordered)
    return Triage(harmless, suspects, rows, former, begun)


def _handler_of(event: RawEvent, handlers: Handlers) -> Handler | None:
    return handlers.find(event.type, event.source)


def _former(events: Sequence[RawEvent], execution: Execution) -> dict[str, Item]:
    return {pk: row for chunk in _hundreds(events) for pk, row in execution.former(chunk).items()}


def _marks(deliveries: Iterable[Delivery], handlers: Handlers, execution: Execution) -> dict[str, Mark]:
    """Return the marks, by message id, of the deliveries that have come before and have a handler."""
    marks = {}
    for delivery in deliveries:
        event = delivery.event
        if event is not None and delivery.receive_count > 1 and _handler_of(event, handlers) is not None:
            try:
                marks[delivery.message_id] = execution.mark(event)
            except ContractError:
                continue  # it will be rejected, without its handler
    return marks


def _unmarked(
    deliveries: Iterable[Delivery], handlers: Handlers, marks: Mapping[str, Mark], rows: Mapping[str, Item]
) -> list[tuple[Mark, str]]:
    """Return the events, each once, that come again without a mark; an effect outside the commit makes its own."""
    new: dict[str, tuple[Mark, str]] = {}
    for delivery in deliveries:
        mark, event = marks.get(delivery.message_id), delivery.event
        if mark is None or event is None or ((handler := _handler_of(event, handlers)) and handler.external):
            continue
        if rows.get(mark.pk, {}).get("state") not in {State.DONE, State.STARTED}:
            new[mark.pk] = mark, event.type
    return list(new.values())


def _sorted(
    deliveries: Sequence[Delivery], suspicion: Callable[[Delivery], int], *, ordered: bool
) -> tuple[list[Delivery], list[list[Delivery]]]:
    """Return the harmless deliveries and the lanes of suspects; where order counts, a suspect's lane waits with it."""
    harmless: list[Delivery] = []
    suspects: list[list[Delivery]] = []
    for lane in in_lanes(deliveries):
        first = next((place for place, delivery in enumerate(lane) if suspicion(delivery)), len(lane))
        if ordered or lane[0].group_id is not None:
            harmless += lane[:first]
            suspects += [lane[first:]] if lane[first:] else []
        else:
            harmless += [delivery for delivery in lane if not suspicion(delivery)]
            suspects += [[delivery] for delivery in lane if suspicion(delivery)]
    return harmless, sorted(suspects, key=lambda lane: suspicion(lane[0]))


def _hundreds(items: Sequence[T]) -> Iterable[Sequence[T]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
