"""Rehearsals: handlers on rows in memory, without the layer, so that thousands of orders are tried in a second.

What happens here proves nothing: the rules are the layer's in short. Where two orders end differently, the stage is
asked.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from typing import Any

from eachonce import ContractError, Event, Reject, Wait, Work, WorkError
from eachonce.handler import Handler
from eachonce.work import Add, Address, Create, Item, Put, newer_by

from eachonce_workbench.afresh.wishes import said, text
from eachonce_workbench.certify.patience import ending

State = dict[Address, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Played:
    """What became of one event: `word` says how it ended, and `said` what its handler asked for.

    It is `blind` where its handler puts an item that it hasn't read, and it `adds` where that is all, in any order.
    """

    word: str
    said: tuple[str, ...]
    reads: frozenset[Address] = frozenset()
    writes: frozenset[Address] = frozenset()
    missing: frozenset[Address] = frozenset()
    blind: bool = False
    adds: bool = False

    @property
    def touched(self) -> frozenset[Address]:
        """The rows that it read or wrote."""
        return self.reads | self.writes

    @property
    def done(self) -> bool:
        """Whether it ended as it should."""
        return self.word == "done"

    @property
    def deferred(self) -> bool:
        """Whether it comes again."""
        return not self.done and not self.word.startswith("rejected")


@dataclass(slots=True)
class Rehearsal:
    """Plays events to handlers; `isolated` returns what admits an event's keys, where tenants are kept apart."""

    handlers: Mapping[str, Handler]
    isolated: Callable[[Event[Any]], Callable[[Address], None]] | None = None
    runs: int = 0
    seeds: State = field(default_factory=dict)

    def alone(self, event: Event[Any]) -> Played:
        """Play one event to rows that nobody has written."""
        return self.play(event, copy.deepcopy(self.seeds))

    def play(self, event: Event[Any], rows: State) -> Played:
        """Play one event, and change the rows as the layer would."""
        read: dict[Address, bool] = {}

        def fetch(address: Address) -> Item | None:
            item = rows.get(address)
            read[address] = item is not None
            return None if item is None else copy.deepcopy(item)

        self.runs += 1
        admit = None if self.isolated is None else self.isolated(event)
        work = Work(fetch, idempotency_key=f"rehearsed#{event.id}", admit=admit)
        asked: tuple[str, ...] = ()
        blind = False
        try:
            with ending(event.type):
                self.handlers[event.type].run(event, work)
            asked = said(work)
            word = _committed(work, event, rows)
        except (Reject, WorkError, ContractError) as error:
            word, blind = f"rejected: {type(error).__name__}", _is_blind(error)
        except Wait as error:
            word = f"waiting: {error}"
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, it comes again
            word = f"failing: {type(error).__name__}: {error}"
        missing = frozenset(address for address, there in read.items() if not there)
        adds = not read and all(isinstance(write, Add) for write in work.writes.values())
        return Played(word, asked, frozenset(read), frozenset(work.writes), missing, blind, adds)

    def ending(self, events: Sequence[Event[Any]]) -> tuple[Any, ...]:
        """Play events in this order, and what is put off again after the others; return what is left, to compare."""
        rows: State = copy.deepcopy(self.seeds)
        ends: dict[str, tuple[str, tuple[str, ...]]] = {}
        pending = list(events)
        while pending:
            deferred = []
            for event in pending:
                played = self.play(event, rows)
                told = tuple(line for line in played.said if line.startswith(("publishes", "answers")))
                ends[event.id] = (played.word.partition(":")[0], told if played.done else ())
                if played.deferred:
                    deferred.append(event)
            if len(deferred) == len(pending):
                break
            pending = deferred
        return {address: text(row) for address, row in rows.items()}, ends


def _is_blind(error: Exception) -> bool:
    """Whether it was raised by a put of what wasn't read: whatever the data, that line of the code is wrong."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_code is not Work.put.__code__:
        return False
    return trace.tb_frame.f_locals.get("newer_than") is None


def _committed(work: Work, event: Event[Any], rows: State) -> str:
    """Let a work take effect, all of it or nothing, and return what the event's end is called."""
    changed: State = {}
    for address, write in work.writes.items():
        row = rows.get(address)
        match write:
            case Create():
                if row is not None:
                    return "rejected: the item exists already"
                changed[address] = {**dict(address.key), **_stored(write.attributes)}
            case Put(newer_than=str() as attribute):
                note = newer_by(attribute)
                if _is_newer(row or {}, attribute, note, write.attributes[attribute], event.id):
                    changed[address] = _set(row, address, {**write.attributes, note: event.id})
            case Put():
                changed[address] = _set(row, address, write.attributes)
            case Add():
                known = row or {}
                sums = {name: known.get(name, 0) + Decimal(str(more)) for name, more in write.amounts.items()}
                changed[address] = _set(row, address, sums)
    rows.update(changed)
    return "done"


def _is_newer(row: Mapping[str, Any], attribute: str, note: str, value: Any, event_id: str) -> bool:
    known = row.get(attribute)
    if known is None:
        return True
    new = _value(value)
    if type(known) is not type(new):
        return False  # as DynamoDB has it: values of two types are not in order
    return bool(known < new or (known == new and str(row.get(note, "")) < event_id))


def _set(row: Item | None, address: Address, attributes: Item) -> dict[str, Any]:
    kept = {**dict(address.key), **(row or {})}
    for name in [name for name, value in attributes.items() if value is None]:
        kept.pop(name, None)
    return {**kept, **_stored(attributes)}


def _stored(attributes: Item) -> dict[str, Any]:
    return {name: _value(value) for name, value in attributes.items() if value is not None}


def _value(value: Any) -> Any:
    """Return a value as it comes back from a table."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _value(one) for name, one in value.items()}
    return value


def meet(played: Iterable[Played]) -> bool:
    """Whether an event touches a row that another one writes, unless all that is done to such rows is adding.

    Of events that were played alone: where none do, each does the same wherever it stands.
    """
    some = list(played)
    return any(
        (one.writes & other.touched or other.writes & one.reads) and not (one.adds and other.adds)
        for one, other in combinations(some, 2)
    )


def differing(rehearsal: Rehearsal, orders: Iterable[Sequence[Event[Any]]]) -> bool:
    """Whether some orders of the same events end differently."""
    several = iter(orders)
    first = rehearsal.ending(next(several))
    return any(rehearsal.ending(order) != first for order in several)
