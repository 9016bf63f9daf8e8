"""Witnesses: the fewest events, deliveries and faults that show what is wrong, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import Any

from eachonce import Event

from eachonce_workbench.certify.ending import Difference, difference, seen
from eachonce_workbench.certify.exploration import Count, Exploration
from eachonce_workbench.certify.run import shown
from eachonce_workbench.certify.schedule import Schedule
from eachonce_workbench.certify.stage import Stage
from eachonce_workbench.simulator.fault import DeliveryFault


class Cause(StrEnum):
    """What a handler does that makes its events depend on more than themselves."""

    ORDER = "the order of arrival decides"
    COPY = "a copy, a crash or a lost answer changes the result"
    EFFECT = "it has an effect outside its work"
    MEMORY = "it remembers"
    PROCESS = "it depends on its process: what was read when it was imported, the order of sets, or a hash"
    CLOCK = "it asks for the time"
    CHANCE = "it draws by chance"
    FLOAT = "it counts in floats"
    KEYLESS = "its effect goes without its idempotency key"
    KEY = "its idempotency key changes"
    REFUSED = "its effect can't be tried here, so nothing is known of what follows: give it a stand-in that stays here"


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessStep:
    """One delivery of a way, in words, and all that is there after it, by where it is."""

    told: str
    there: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Two ways to deliver the same events, and what differs afterwards.

    `one_steps` and `other_steps` are those ways delivery by delivery, where they are more than a sentence.
    """

    cause: Cause
    events: tuple[str, ...]
    types: tuple[str, ...]
    one: str
    other: str
    where: str
    one_value: str
    other_value: str
    one_steps: tuple[WitnessStep, ...] = ()
    other_steps: tuple[WitnessStep, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.cause}.", *self.events]
        lines += [f"one way:   {self.one}", f"the other: {self.other}"]
        lines += [f"then {self.where} is", f"one way:   {self.one_value}", f"the other: {self.other_value}"]
        return "\n".join(lines)


def contradiction(stage: Stage, events: Sequence[Event[Any]], *, faults: int, count: Count) -> Witness | None:
    """Return the smallest witness that these events don't always end the same; None where every schedule agrees.

    Fewer events come first, then fewer faults, then fewer deliveries.
    """
    exploration = Exploration(stage, events, faults=faults, count=count)
    first = next(_contradictions(exploration), None)
    if first is None:
        return None
    for few in _subsets(events):
        for so_many in range(faults + 1):
            found = list(_contradictions(Exploration(stage, few, faults=so_many)))
            if found:
                one, other, what = min(found, key=lambda pair: _effort(pair[1]))
                return _witness(stage, few, one, other, what)
    return _witness(stage, events, *first)  # the same schedules end otherwise now: whatever else it is, it is no proof


def described(events: Sequence[Event[Any]]) -> tuple[str, ...]:
    """Return the events with their data, one a line."""
    return tuple(map(shown, events))


def _effort(schedule: Schedule) -> tuple[int, int, bool]:
    """Return how much a reader must follow: a copy is easier to imagine than an answer that is lost."""
    kinds = {taken.step.fault.kind for taken in schedule.steps if taken.step.fault is not None}
    return schedule.faults, len(schedule.steps), not kinds <= {DeliveryFault.SENT_AGAIN}


def _contradictions(exploration: Exploration) -> Iterator[tuple[Schedule, Schedule, Difference]]:
    first: Schedule | None = None
    for schedule in exploration.schedules():
        first = schedule if first is None else first
        what = difference(first.ending, schedule.ending)
        if what is not None:
            yield first, schedule, what


def _subsets(events: Sequence[Event[Any]]) -> Iterator[Sequence[Event[Any]]]:
    for size in range(1, len(events) + 1):
        yield from combinations(events, size)


def _witness(stage: Stage, events: Sequence[Event[Any]], one: Schedule, other: Schedule, what: Difference) -> Witness:
    return Witness(
        cause=Cause.COPY if other.faults else Cause.ORDER,
        events=described(events),
        types=tuple(dict.fromkeys(event.type for event in events)),
        one=str(one),
        other=str(other),
        where=what.where,
        one_value=what.one,
        other_value=what.other,
        one_steps=_steps(stage, events, one),
        other_steps=_steps(stage, events, other),
    )


def _steps(stage: Stage, events: Sequence[Event[Any]], schedule: Schedule) -> tuple[WitnessStep, ...]:
    endings = Exploration(stage, events, faults=schedule.faults).again(schedule)
    return tuple(
        WitnessStep(told=str(taken), there=seen(left)) for taken, left in zip(schedule.steps, endings, strict=True)
    )
