"""Scouting: sends out a scout for a consumer, and sees whether its handlers remember what they were played."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

_FEW = 3
# What a handler does outside its work takes its time, and a client of AWS's a thousand times as much as all else.
_EFFORT_OF_EFFECTS = 0.2
_EFFORT_OF_CLIENTS = 0.03


def scouting(subject: Subject, stage: Stage, chosen_by: int) -> Scout:
    """Return a scout among the events of a consumer."""
    handlers = {handler.description.type: handler for handler in subject.consumer.handlers}
    code = Code.of([part for handler in handlers.values() for part in (handler.handle, handler.contract)])
    effort = _EFFORT_OF_EFFECTS if any(handler.external for handler in handlers.values()) else 1.0
    return Scout(
        handlers=handlers,
        rehearsal=Rehearsal(handlers, isolated=_isolation(subject)),
        palette=Palette(code.constants),
        paths=Paths(code.bodies),
        chosen_by=chosen_by,
        tenants=() if subject.isolated_by is None else TENANTS,
        effort=_EFFORT_OF_CLIENTS if stage.wire.own else effort,
    )


def warmed(scout: Scout, stage: Stage) -> Iterator[Witness]:
    """Yield what a handler says otherwise after all that it was played than in a new process."""
    for name in scout.handlers:
        for one in [one for one in scout.candidates if one.kind.type == name][:_FEW]:
            (event,) = scout.crowd([one])
            runs, warm = scout.rehearsal.runs, scout.rehearsal.alone(event)
            stage.clear()
            cold = scout.rehearsal.alone(event)
            stage.clear()
            if cold.said == scout.rehearsal.alone(event).said != warm.said:
                yield Witness(
                    cause=Cause.MEMORY,
                    events=described([event]),
                    types=(name,),
                    one="it runs for the first time",
                    other=f"it runs after {runs} others",
                    where="what its handler asks for",
                    one_value="; ".join(cold.said) or "nothing",
                    other_value="; ".join(warm.said) or "nothing",
                )
                break


def _isolation(subject: Subject) -> Callable[[Event[Any]], Callable[[Address], None]] | None:
    if subject.isolated_by is None:
        return None
    isolation = Isolation(subject.isolated_by)
    return lambda event: partial(isolation.require_own, tenant=event.tenant or "")
