"""Judgement: what must hold of every batch, however hostile its records are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from eachonce import EachonceError
from eachonce.listener import Delivery
from eachonce.outcome import Verdict

from tests.shop.fuzz.cases import Batch
from tests.shop.fuzz.junk import telltale
from tests.shop.fuzz.samples import FIFO_POST
from tests.shop.fuzz.world import Ending, Json, World

_DEFERRED = {Verdict.RETRY, Verdict.WAIT, Verdict.ABANDONED}
_DONE = {Verdict.DONE, Verdict.DUPLICATE}

# Why a message comes again, but for its handler's sake: its neighbours'.
_WAITED_FOR = (
    "an earlier event of its lane is not done",
    "another worker has begun this event",
    "what it read changed during each of",
)

_PUT_OFF = "not yet in the dead-letter queue: another event of its message comes again"

# What names an event is told where it is asked for, and nowhere else.
_NAMES = {"message_id", "event_id", "event_type", "subject", "causationid"}
_HOPS = "it is more than 32 hops"  # the one reason that has ids in it: of the chain that does not end


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that did not hold, and what was seen instead."""

    rule: str
    seen: str


def broken(batch: Batch, records: list[Any], ending: Ending, world: World) -> Broken | None:
    """Return the first rule that does not hold of a batch that was handled."""
    return next(_broken(batch, records, ending, world), None)


def leaks(world: World) -> Iterator[Broken]:
    """Yield what the journal tells of the data where people look."""
    for row in world.journal():
        told = [row.get("reason", ""), *(error[name] for error in row.get("errors", ()) for name in error)]
        for text in told:
            if (sign := telltale(text)) and _HOPS not in text:
                yield Broken("no value of an event is in the journal's reasons", sign)


def _broken(batch: Batch, records: list[Any], ending: Ending, world: World) -> Iterator[Broken]:
    named = [record for record in records if _is_named(record)]
    yield from _escaped(ending, named, records)
    if not named:
        return
    heard = world.heard(batch.consumer, named)
    verdicts = [(line["message_id"], Verdict(line["message"])) for line in ending.logs]
    yield from _outcomes(heard, verdicts, ending)
    yield from _fates(named, heard, verdicts, ending, fifo=batch.consumer == FIFO_POST)
    yield from _neighbours(batch, verdicts, world)
    yield from _told(ending)


def _escaped(ending: Ending, named: list[Json], records: list[Any]) -> Iterator[Broken]:
    """An exception means that a record could not be named, and the other way round."""
    expected = len(named) < len(records)
    if isinstance(ending.raised, EachonceError) if expected else ending.raised is None:
        return
    yield Broken("no exception escapes but for a record that can't be named", repr(ending.raised)[:500])


def _outcomes(heard: list[Delivery], verdicts: list[tuple[str, Verdict]], ending: Ending) -> Iterator[Broken]:
    asked, answered = Counter(delivery.whole[:256] for delivery in heard), Counter(name for name, _ in verdicts)
    if {name[:255] for name in asked} != {name[:255] for name in answered} or asked.total() != answered.total():
        yield Broken(
            "one outcome a record, and an event of several, in the log",
            f"{asked - answered} missing, {answered - asked} too many",
        )
    if ending.counted != len(heard):
        yield Broken("one outcome a record, in the metrics", f"{ending.counted} of {len(heard)}")


def _fates(
    named: list[Json], heard: list[Delivery], verdicts: list[tuple[str, Verdict]], ending: Ending, *, fifo: bool
) -> Iterator[Broken]:
    """What is deferred comes again, and what is rejected is buried, with its reason and as it came."""
    deferred = sorted(name for name, verdict in verdicts if verdict in _DEFERRED)
    if ending.raised is None:
        returned = [failure["itemIdentifier"][:255] for failure in ending.response["batchItemFailures"]]
        if set(returned) != {name[:255] for name in deferred}:
            yield Broken("what is deferred comes again, and nothing else", f"{returned}, and {deferred} are")
    for line in ending.logs:
        handled = (
            line.get("event_type") == "Moody"
            or line.get("reason", "").startswith(_WAITED_FOR)
            or _PUT_OFF in line.get("reason", "")
        )
        if line["message"] in _DEFERRED and not handled:
            yield Broken(
                "nothing comes again but for its handler's sake", f"{line.get('event_type')}: {line.get('reason')}"
            )
    rejected = [name for name, verdict in verdicts if verdict is Verdict.REJECT]
    buried = [letter["attributes"].get("MessageDeduplicationId", "m-").partition("/")[0] for letter in ending.letters]
    if fifo:  # where a name is taken once, by whichever message has it first
        rejected, buried = ([*{name for name in names if name.startswith("m-")}] for names in (rejected, buried))
    if len(rejected) != len(buried):
        yield Broken("each rejected message is buried", f"{len(buried)} letters of {len(rejected)}")
    came = {form for record in named for form in _forms(record)} | {delivery.body for delivery in heard}
    for letter in ending.letters:
        notes = {name: value["stringValue"] for name, value in letter["messageAttributes"].items()}
        if not notes.get("reason"):
            yield Broken("each dead letter has its reason", str(letter)[:300])
        if letter["body"] not in came:
            yield Broken("each dead letter has its body as it came", letter["body"][:300])


def _neighbours(batch: Batch, verdicts: list[tuple[str, Verdict]], world: World) -> Iterator[Broken]:
    verdict_of = dict(verdicts)
    for case in batch.cases:
        if case.neighbour is None:
            continue
        if verdict_of.get(case.message_id) not in _DONE:
            yield Broken("a good neighbour is done", f"{case.neighbour}: {verdict_of.get(case.message_id)}")
        elif (times := world.greeted(case.neighbour)) != 1:
            yield Broken("a good neighbour's effect happens once", f"{case.neighbour}: {times} times")


def _told(ending: Ending) -> Iterator[Broken]:
    for line in ending.lines:
        told = json.dumps({name: value for name, value in line.items() if name not in _NAMES}, ensure_ascii=False)
        if (sign := telltale(told)) and _HOPS not in told:
            yield Broken("no value of an event is printed", sign)
    for letter in ending.letters:
        notes = {name: value for name, value in letter["messageAttributes"].items() if name != "event_id"}
        told = json.dumps(notes, ensure_ascii=False)
        if (sign := telltale(told)) and _HOPS not in told:
            yield Broken("no value of an event is in a dead letter's notes", sign)


def _forms(record: Json) -> list[str]:
    """Return the bodies that a dead letter of this record may have: its own, or all of it, where that is no text."""
    forms = [json.dumps({"messageId": record["messageId"]})]
    with suppress(ValueError, TypeError):
        forms.append(json.dumps(record, default=repr))
    return [record["body"], *forms] if isinstance(record.get("body"), str) else forms


def _is_named(record: Any) -> bool:
    """Whether Lambda can be told of a record: its message id is text that can be written."""
    name = record.get("messageId") if isinstance(record, dict) else None
    return isinstance(name, str) and name != "" and name.isascii() | (name.encode(errors="replace").decode() == name)
