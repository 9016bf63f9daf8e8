"""What a slider plays: steps, one after the other, in one way or in two ways beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from eachonce_workbench.certify.last import LastStep, LastWitness
from eachonce_workbench.simulator.steps import Left, Step


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One step as it is shown: `when` on its clock, by `who`, and what it `left` otherwise than it was."""

    told: str
    kind: str = ""
    when: str = ""
    who: str = ""
    left: list[Left] = []


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Scenes in their order, and how it ends."""

    title: str
    scenes: list[Scene]
    ending: str = ""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A step worth going to: its number, from 1 on, and why."""

    number: int
    kind: str
    told: str


def way_of(steps: Sequence[Step]) -> Way:
    """Return what was played of a simulation."""
    return Way(
        title="What happened",
        scenes=[
            Scene(told=step.told, kind=step.kind, when=span(step.at), who=step.who, left=step.left) for step in steps
        ],
    )


def ways_of(witness: LastWitness) -> list[Way]:
    """Return the two ways of a certificate's witness, beside each other."""
    return [
        Way(title="One way", scenes=_scenes(witness.one_steps, witness.one), ending=witness.one_value),
        Way(title="The other", scenes=_scenes(witness.other_steps, witness.other), ending=witness.other_value),
    ]


def marks_of(way: Way) -> list[Mark]:
    """Return the steps at which something goes wrong, and those at which a promise is broken."""
    return [
        Mark(number=number, kind=scene.kind, told=scene.told)
        for number, scene in enumerate(way.scenes, start=1)
        if scene.kind in ("fault", "broken")
    ]


def span(seconds: float) -> str:
    """Return virtual time as a clock shows it: hours, minutes, and seconds to the thousandth.

    >>> span(1.102), span(3_725.5)
    ('0:00:01.102', '1:02:05.500')
    """
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:06.3f}"


def _scenes(steps: Sequence[LastStep], told: str) -> list[Scene]:
    """Return the scenes of a way: one where it is but a sentence. What is as it was before is not said again."""
    if not steps:
        return [Scene(told=told)]
    scenes = []
    before: dict[str, str] = {}
    for step in steps:
        gone = [Left(where=where, now="") for where in before if where not in step.there]
        left = [Left(where=where, now=now) for where, now in step.there.items() if before.get(where) != now]
        scenes.append(Scene(told=step.told, left=[*left, *gone]))
        before = step.there
    return scenes
