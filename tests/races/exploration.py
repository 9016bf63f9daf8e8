"""The exploration of a scene: every schedule with up to so many preemptions, those with the fewest first.

Most races show with one or two (Musuvathi and Qadeer, "Iterative Context Bounding", 2007), and so many can be tried one
by one. Where a thread waits or ends anyway, each of the others may go on, at no price.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from unittest.mock import patch

import eachonce.aws
import eachonce.circuit
import eachonce.circuits
import eachonce.group_commit
import eachonce.lanes

from tests.races.statements import paused
from tests.races.turns import Over, Schedule, Step, TurnLock, TurnRLock, Turns


class Play:
    """A scene as it is played once: what its threads do, and what must hold of it in the end."""

    def threads(self) -> Sequence[Callable[[], object]]:
        """Return what is done side by side."""
        raise NotImplementedError

    def around(self) -> AbstractContextManager[object]:
        """Return what surrounds its threads."""
        return nullcontext()

    def broken(self) -> Iterator[str]:
        """Yield what doesn't hold now, in words."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Something that threads share, played anew for each schedule.

    A thread may be stopped at each statement of the modules that are `watched`.
    """

    name: str
    play: Callable[[], Play]
    watched: tuple[ModuleType, ...]
    preemptions: int = 2  # so many are tried where there is time


@dataclass(frozen=True, slots=True)
class Race:
    """A schedule under which something does not hold, and what."""

    broken: str
    schedule: Schedule
    story: tuple[str, ...]  # where a thread was stopped, and who went on

    def __str__(self) -> str:
        return "\n  ".join([self.broken, *self.story])


@dataclass(slots=True)
class Explored:
    """What was played: how many schedules, before which statements a thread was stopped, and the first race, if any."""

    schedules: int = 0
    places: set[str] = field(default_factory=set)
    race: Race | None = None

    def note(self, turns: Turns, schedule: Schedule, broken: str | None) -> None:
        """Take in how one schedule went."""
        self.schedules += 1
        self.places.update(turns.steps[number].place for number in schedule)
        if broken is not None:
            self.race = Race(broken, schedule, _story(turns.steps, schedule))


def explore(scene: Scene) -> Explored:
    """Play a scene under every schedule of up to so many preemptions as it says; ends at the first race."""
    explored = Explored()
    waiting: list[list[dict[int, int]]] = [[{}], *([] for _ in range(scene.preemptions))]
    stage = _Stage(scene)
    with paused(scene.watched, stage.pause):
        for spent, schedules in enumerate(waiting):
            while schedules and explored.race is None:
                schedule = schedules.pop()
                turns, broken = stage.played(schedule)
                explored.note(turns, schedule, broken)
                first = max(schedule, default=-1) + 1
                for number, step in enumerate(turns.steps[first:], start=first):
                    schedules += [schedule | {number: other} for other in step.free]
                    if spent < scene.preemptions:
                        waiting[spent + 1] += [schedule | {number: other} for other in step.others]
    return explored


class _Stage:
    """Where a scene is played, again and again."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._turns = Turns({})

    def pause(self, place: str) -> None:
        """Let another thread of the play go on, where its schedule says so."""
        self._turns.pause(place)

    def played(self, schedule: Schedule) -> tuple[Turns, str | None]:
        """Play it under a schedule; return how it went, and what does not hold, if anything."""
        turns = self._turns = Turns(schedule)
        with _in_turns(turns):
            play = self._scene.play()
            with play.around():
                turns.run(play.threads())
            if turns.stuck is not None:
                return turns, turns.stuck
            if turns.raised:
                return turns, f"{type(turns.raised[0]).__name__} is raised: {turns.raised[0]}"
            return turns, next(play.broken(), None)


@contextmanager
def _in_turns(turns: Turns) -> Iterator[None]:
    """Let locks and the layer's threads be those of a run, and properties be made once as in Python 3.12: or twice."""

    class Threads:
        """A ThreadPoolExecutor as far as the layer uses one."""

        def __init__(self, *_: Any, **__: Any) -> None:
            """Take an executor's arguments: the layer begins no more than there may be."""

        def submit(self, function: Callable[[], Any]) -> Future[Any]:
            ends: Future[Any] = Future()

            def live() -> None:
                try:
                    ends.set_result(function())
                except Over:
                    raise
                except BaseException as error:  # noqa: BLE001 - it is its caller's
                    ends.set_exception(error)

            turns.begin(live)
            return ends

    def wait(threads: set[Future[Any]], *, timeout: float | None, return_when: str) -> Any:
        def enough() -> bool:
            ended = [one for one in threads if one.done()]
            return len(ended) == len(threads) or any(one.exception() is not None for one in ended)

        turns.wait_until(enough, "other threads", impatient=timeout is not None)
        ended = {one for one in threads if one.done()}
        return ended, threads - ended

    with ExitStack() as stack:
        stack.enter_context(patch.object(eachonce.lanes, "ThreadPoolExecutor", Threads))
        stack.enter_context(patch.object(eachonce.lanes, "wait", wait))
        for module in (eachonce.circuit, eachonce.circuits, eachonce.group_commit):
            stack.enter_context(patch.object(module, "Lock", lambda: TurnLock(turns)))
        stack.enter_context(patch.object(eachonce.aws, "_making", TurnRLock(turns)))
        stack.enter_context(patch.object(threading, "Lock", lambda: TurnLock(turns)))
        stack.enter_context(patch.object(threading, "RLock", lambda: TurnRLock(turns)))
        stack.enter_context(patch.object(functools.cached_property, "__get__", _made_as_it_comes))
        yield


def _made_as_it_comes(made: functools.cached_property[Any], owner: Any, _: type | None = None) -> Any:
    """Python 3.11 holds a lock meanwhile, and no later one does: two threads may make it, and the last one's stays."""
    if owner is None:
        return made
    name = made.attrname or ""
    if name not in owner.__dict__:
        owner.__dict__[name] = made.func(owner)
    return owner.__dict__[name]


def _story(steps: Sequence[Step], schedule: Schedule) -> tuple[str, ...]:
    return tuple(f"{steps[number].place}: thread {thread} goes on" for number, thread in sorted(schedule.items()))
