"""Endings: what a schedule leaves behind, as far as the business is concerned, and where two of them differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from eachonce.journal import TABLE, read_key, unpack_outbox
from eachonce.outcome import Verdict
from eachonce.work import CREATED_BY, WRITTEN_BY, Address

from eachonce_workbench.afresh.wishes import text
from eachonce_workbench.certify.files import written
from eachonce_workbench.certify.stage import Stage

# A copy of what is done, and what came too late to matter, are as good as done: the message leaves its queue.
_FINAL = {Verdict.DONE, Verdict.DUPLICATE, Verdict.STALE, Verdict.IGNORED}
# Who wrote an item last, and who created it, follows from the order alone. The note of who won by `newer_than` doesn't:
# it is the same in every order, like all other attributes.
_LAYERS = frozenset({WRITTEN_BY, CREATED_BY})
_WORDS = {Verdict.REJECT: "rejected", Verdict.WAIT: "still waiting", Verdict.RETRY: "still failing"}


@dataclass(frozen=True, slots=True)
class Ending:
    """The rows without the layer's own notes, what was published and how often, and what became of each event.

    `answers` are what the events' own callers are told, by event id, and `sent` is what was sent outside the work, and
    for which event. `files` are what is left in files that were written over, by their names.
    """

    rows: Mapping[Address, Mapping[str, Any]]
    published: Counter[str]
    verdicts: Mapping[str, str]
    answers: Mapping[str, str] = field(default_factory=dict)
    sent: frozenset[tuple[str, str]] = frozenset()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that two endings don't have in common: where it is, and what it is in each."""

    where: str
    one: str
    other: str


def ending(stage: Stage, verdicts: Mapping[str, Verdict], sent: frozenset[tuple[str, str]] = frozenset()) -> Ending:
    """Return what a schedule has left on a stage; `verdicts` are the last ones, by event id."""
    rows: dict[Address, Mapping[str, Any]] = {}
    published = Counter(stage.wire.bus)
    answers: dict[str, str] = {}
    for address, values in stage.wire.rows.all():
        if address.table != TABLE:
            rows[address] = {name: value for name, value in values.items() if name not in _LAYERS}
            continue
        if "outbox" in values:
            published.update(map(_event, unpack_outbox(values["outbox"])))
        if "result" in values:
            answers[read_key(values["pk"])[2]] = values["result"]
    return Ending(
        rows,
        published,
        {event: _word(verdict) for event, verdict in verdicts.items()},
        answers,
        sent,
        stage.files.left(),
    )


def seen(ending: Ending) -> dict[str, str]:
    """Return all that can be told of an ending, by where it is, in the words of a Difference."""
    return {
        **{f"{address}": text(row) for address, row in sorted(ending.rows.items(), key=lambda each: str(each[0]))},
        **{f"published {event}": _times(count) for event, count in sorted(ending.published.items()) if count},
        **{f"the answer to {event}": text(answer) for event, answer in sorted(ending.answers.items())},
        **{f"what is sent for {event}": _letters(ending, event) for event, _ in sorted(ending.sent)},
        **{f"the file {name}": content for name, content in sorted(ending.files.items())},
        **{f"what becomes of {event}": verdict for event, verdict in ending.verdicts.items()},
    }


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
    published = _published(one.published, other.published)
    if published is not None:
        return published
    for event, verdict in one.verdicts.items():
        if verdict != other.verdicts[event]:
            return Difference(f"what becomes of {event}", verdict, other.verdicts[event])
    for event in sorted(one.answers.keys() | other.answers.keys()):
        if one.answers.get(event) != other.answers.get(event):
            told, otherwise = text(one.answers.get(event)), text(other.answers.get(event))
            return Difference(f"the answer to {event}", told, otherwise)
    over = one.files.keys() | other.files.keys()
    for event in sorted({event for event, letter in one.sent ^ other.sent if not _is_into(letter, over)}):
        letters = [_letters(end, event) or "nothing" for end in (one, other)]
        return Difference(f"what is sent for {event}", letters[0], letters[1])
    for name in sorted(one.files.keys() & other.files.keys()):
        if one.files[name] != other.files[name]:
            return Difference(f"the file {name}", one.files[name], other.files[name])
    return None


def _is_into(letter: str, names: Iterable[str]) -> bool:
    """Whether something was written into one of these files."""
    return any(letter.startswith(written(name)) for name in names)


def _published(one: Counter[str], other: Counter[str]) -> Difference | None:
    for event in sorted(one.keys() | other.keys()):
        if one[event] != other[event]:
            alike = [known for known in other if known not in one and _without_id(known) == _without_id(event)]
            if alike and not other[event]:
                return Difference(f"the id of what is published, {_without_id(event)},", _id(event), _id(alike[0]))
            return Difference(f"published {event}", _times(one[event]), _times(other[event]))
    return None


def _without_id(published: str) -> str:
    return published.rpartition(" (id ")[0]


def _id(published: str) -> str:
    return published.rpartition(" (id ")[2].rstrip(")")


class _Published(msgspec.Struct):
    id: str
    type: str
    data: msgspec.Raw


def _event(encoded: msgspec.Raw) -> str:
    event = msgspec.json.decode(encoded, type=_Published)
    data = msgspec.json.encode(msgspec.json.decode(event.data), order="sorted").decode()
    return f"{event.type} {data} (id {event.id})"


def _letters(end: Ending, event: str) -> str:
    return "; ".join(sorted(letter for whose, letter in end.sent if whose == event))


def _word(verdict: Verdict) -> str:
    return "done" if verdict in _FINAL else _WORDS.get(verdict, str(verdict))


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
