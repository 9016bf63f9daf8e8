"""Endings: what a schedule leaves behind, as far as the business is concerned, and where two of them differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from eachonce.journal import TABLE, unpack_outbox
from eachonce.outcome import Verdict
from eachonce.work import CREATED_BY, WRITTEN_BY, Address

from eachonce_workbench.certify.run import text
from eachonce_workbench.certify.stage import Stage

# A copy of what is done, and what came too late to matter, are as good as done: the message leaves its queue.
_FINAL = {Verdict.DONE, Verdict.DUPLICATE, Verdict.STALE, Verdict.IGNORED}
_WORDS = {Verdict.REJECT: "rejected", Verdict.WAIT: "still waiting", Verdict.RETRY: "still failing"}


@dataclass(frozen=True, slots=True)
class Ending:
    """The rows without the layer's own notes, what was published and how often, and what became of each event."""

    rows: Mapping[Address, Mapping[str, Any]]
    published: Counter[str]
    verdicts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that two endings don't have in common: where it is, and what it is in each."""

    where: str
    one: str
    other: str


def ending(stage: Stage, verdicts: Mapping[str, Verdict]) -> Ending:
    """Return what a schedule has left on a stage; `verdicts` are the last ones, by event id."""
    rows: dict[Address, Mapping[str, Any]] = {}
    published = Counter(stage.wire.bus)
    for address, values in stage.wire.rows.all():
        if address.table != TABLE:
            rows[address] = {name: value for name, value in values.items() if not _own(name, value, stage.name)}
        elif "outbox" in values:
            published.update(map(_event, unpack_outbox(values["outbox"])))
    return Ending(rows, published, {event: _word(verdict) for event, verdict in verdicts.items()})


def difference(one: Ending, other: Ending) -> Difference | None:
    """Return where two endings differ; None where they don't."""
    for address in sorted(one.rows.keys() | other.rows.keys(), key=str):
        mine, theirs = one.rows.get(address), other.rows.get(address)
        if mine is None or theirs is None:
            if mine is not theirs:
                return Difference(f"{address}", text(mine), text(theirs))
            continue
        for name in sorted(mine.keys() | theirs.keys()):
            if mine.get(name) != theirs.get(name):
                return Difference(f"{address}, {name}", text(mine.get(name)), text(theirs.get(name)))
    for event in sorted(one.published.keys() | other.published.keys()):
        if one.published[event] != other.published[event]:
            return Difference(f"published {event}", _times(one.published[event]), _times(other.published[event]))
    for event, verdict in one.verdicts.items():
        if verdict != other.verdicts[event]:
            return Difference(f"what becomes of {event}", verdict, other.verdicts[event])
    return None


class _Published(msgspec.Struct):
    id: str
    type: str
    data: msgspec.Raw


def _event(encoded: msgspec.Raw) -> str:
    event = msgspec.json.decode(encoded, type=_Published)
    data = msgspec.json.encode(msgspec.json.decode(event.data), order="sorted").decode()
    return f"{event.type} {data} (id {event.id})"


def _own(name: str, value: Any, consumer: str) -> bool:
    """Whether an attribute is the layer's: the marks of who wrote or created it, or gave an attribute its value."""
    return name in {WRITTEN_BY, CREATED_BY} or (
        name.endswith("_by") and isinstance(value, str) and value.startswith(f"{consumer}#")
    )


def _word(verdict: Verdict) -> str:
    return "done" if verdict in _FINAL else _WORDS.get(verdict, str(verdict))


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
