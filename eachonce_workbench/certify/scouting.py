"""Scouting: sends out a scout for a consumer, and sees whether its handlers remember what they were played."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from eachonce import Event
from eachonce.isolation import Isolation
from eachonce.work import Address

from eachonce_workbench.certify.constants import Code
from eachonce_workbench.certify.crowd import TENANTS
from eachonce_workbench.certify.palette import Palette
from eachonce_workbench.certify.paths import Paths
from eachonce_workbench.certify.rehearsal import Rehearsal
from eachonce_workbench.certify.scout import Scout
from eachonce_workbench.certify.stage import Stage
from eachonce_workbench.certify.subject import Subject
from eachonce_workbench.certify.witness import Cause, Witness, described

_FEW = 30
_IN_A_ROW = 130
Said = tuple[str, ...]
# What a handler does outside its work takes its time, and a client of AWS's a thousand times as much as all else.
_EFFORT_OF_EFFECTS = 0.2
_EFFORT_OF_CLIENTS = 0.03


def scouting(subject: Subject, stage: Stage, chosen_by: int) -> Scout:
    """Return a scout among the events of a consumer."""
    handlers = {handler.description.type: handler for handler in subject.handlers}
    code = Code.of([part for handler in handlers.values() for part in (handler.handle, handler.contract)])
    effects = stage.files.touched or any(handler.external for handler in handlers.values())
    effort = _EFFORT_OF_EFFECTS if effects else 1.0
    return Scout(
        handlers=handlers,
        rehearsal=Rehearsal(handlers, isolated=_isolation(subject)),
        palette=Palette(code.constants),
        paths=Paths(code.bodies),
        chosen_by=chosen_by,
        tenants=TENANTS if subject.has_tenants else (),
        effort=_EFFORT_OF_CLIENTS if stage.wire.own else effort,
    )


def warmed(scout: Scout, stage: Stage) -> Iterator[Witness]:
    """Yield what a handler says otherwise after many others than in a new process, once for each type.

    Of a counter that begins anew the same event tells, often enough; of a cache that forgets, many events, to and fro.
    """
    first: dict[int, Said] = {}
    found: set[str] = set()
    for events in _in_a_row(scout):
        stage.clear()
        for place, event in enumerate(events):
            warm = scout.rehearsal.alone(event).said
            if warm != first.setdefault(id(event), warm) and event.type not in found:
                witness = _remembered(scout, stage, event, place, {warm, first[id(event)]})
                if witness is not None:
                    found.add(event.type)
                    yield witness
                break  # to ask in a new process has made it forget


def _remembered(scout: Scout, stage: Stage, event: Event[Any], others: int, answers: set[Said]) -> Witness | None:
    """Return a witness that of two answers one is not a new process's; None where a new process has many."""
    cold: list[Said] = []
    for _ in range(2):
        stage.clear()
        cold.append(scout.rehearsal.alone(event).said)
    if cold[0] != cold[1]:
        return None
    warm = next(said for said in answers if said != cold[0])
    return Witness(
        cause=Cause.MEMORY,
        events=described([event]),
        types=(event.type,),
        one="it runs for the first time",
        other=f"it runs after {others} others",
        where="what its handler asks for",
        one_value="; ".join(cold[0]) or "nothing",
        other_value="; ".join(warm) or "nothing",
    )


def _in_a_row(scout: Scout) -> Iterator[Sequence[Event[Any]]]:
    """Yield rows of events: one of each type again and again, then all that were played, and all of them backwards."""
    events = {one: scout.crowd([one])[0] for one in scout.candidates}
    for name in scout.handlers:
        own = [one for one in scout.candidates if one.kind.type == name]
        for one in ([one for one in own if one.played.said] or own)[:1]:
            yield [events[one]] * max(_FEW, int(_IN_A_ROW * scout.effort))
    several = list(events.values())[: int(len(events) * scout.effort)]
    yield several
    yield several[::-1]


def _isolation(subject: Subject) -> Callable[[Event[Any]], Callable[[Address], None]] | None:
    if subject.isolated_by is None:
        return None
    isolation = Isolation(subject.isolated_by)
    return lambda event: partial(isolation.require_own, tenant=event.tenant or "")
