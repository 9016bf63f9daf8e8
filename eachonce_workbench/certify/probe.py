"""Probes: whether a handler's work follows from its event and its reads, and from nothing else."""

from __future__ import annotations

import copy
import os
import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import msgspec
from eachonce import Work
from eachonce.work import Add, Address, Item

from eachonce_workbench.certify.exploration import Count
from eachonce_workbench.certify.run import Run
from eachonce_workbench.certify.stage import Stage
from eachonce_workbench.certify.witness import Cause, Witness, contradiction
from eachonce_workbench.cloud.confinement.words import is_refused
from eachonce_workbench.simulator.clock import START
from eachonce_workbench.simulator.outside.effect import only_asks

_OTHER_TIMES = (START + timedelta(days=400, hours=13, minutes=7), START - timedelta(days=3000, hours=5))
_MOST_OTHERS = 12

Said = tuple[str, ...]
Look = Callable[[Run], Witness | None]


class Probe:
    """Runs handlers again on what they were given before, each time with one thing of the world changed."""

    def __init__(self, stage: Stage, *, external: frozenset[str]) -> None:
        """Probe a stage's handlers; those of the `external` types may have effects of their own."""
        self._stage = stage
        self._last: Run
        self._external = external

    def finding(self, runs: Sequence[Run], others: Sequence[Run], *, faults: int) -> Witness | None:
        """Return a witness that one type's handler is no function of event and reads; None where no probe tells.

        `runs` are that handler's, `others` any of the consumer's, which may leave something behind for it.
        """
        cases, neighbours = list(_unlike(runs)), list(_unlike(others))[:_MOST_OTHERS]
        looks: list[Look] = [
            lambda run: self._floats(run) or self._change(run) or self._keyless(run),
            lambda run: self._effect(run, faults=faults),
            lambda run: self._after(run, neighbours),
        ]
        for look in looks:  # what costs least comes first
            found = next(filter(None, map(look, cases)), None)
            if found is not None:
                return found
        return _inconsistent(runs)

    def _change(self, run: Run) -> Witness | None:
        """Look for something but event and reads that the work depends on: one change at a time."""
        first = self._said(run)
        if (other := self._said(run)) != first:  # in a process as new, at the same time, with the same luck
            if not self._stage.forgets:
                return _changed(run, Cause.MEMORY, "it runs for the first time", "it runs again", first, other)
            return _changed(run, Cause.CHANCE, "it runs in a new process", "it runs in another", first, other)
        if (again := self._said(run, anew=False)) != first:
            return _changed(run, Cause.MEMORY, "it runs for the first time", "it runs again", first, again)
        for now in _OTHER_TIMES:
            if (later := self._said(run, now=now)) != first:
                return _changed(run, Cause.CLOCK, f"the time is {START}", f"the time is {now}", first, later)
        if (drawn := self._said(run, seed=1)) != first:
            return _changed(run, Cause.CHANCE, "chance decides", "chance decides otherwise", first, drawn)
        return None

    def _after(self, run: Run, others: Sequence[Run]) -> Witness | None:
        """Look for something that another event leaves behind in the process."""
        first = self._said(run)
        for other in others:
            self._said(other)
            if (after := self._said(run, anew=False)) != first:
                return _changed(run, Cause.MEMORY, "it runs alone", f"it runs after {_named(other)}", first, after)
        return None

    def _keyless(self, run: Run) -> Witness | None:
        """Look for an effect that goes without the key by which its receiver would know it again."""
        if run.event.type not in self._external or not run.sent:
            return None
        told, otherwise = self._sent(run, run.key), self._sent(_renamed(run), f"{run.key}/2")
        if not told or told != otherwise:
            return None
        keys = (f"its idempotency key is {run.key}", "its idempotency key is another")
        return _witness(run, Cause.KEYLESS, *keys, "what is sent", told[0], otherwise[0])

    def _sent(self, run: Run, key: str) -> Said:
        self._said(run, key=key)
        return self._last.sent

    def _said(
        self, run: Run, *, now: datetime = START, seed: int = 0, anew: bool = True, key: str | None = None
    ) -> Said:
        """Return what the handler asks for when it runs on an earlier run's event and reads; `anew` in a new process.

        The process's memory is made to forget, which is as good as a new one.
        """

        def fetch(address: Address) -> Item | None:
            return copy.deepcopy(run.reads.get(address))

        if anew:
            self._stage.clear()
        self._stage.wire.rows.put_back({})
        self._stage.files.put_back({})
        self._stage.travel(now)
        with _chance(seed), suppress(Exception):  # an exception is an answer, too, and the run has kept it
            event = run.event.with_data(copy.deepcopy(run.event.data))
            self._stage.handle(event, Work(fetch, idempotency_key=run.key if key is None else key))
        self._last = self._stage.runs.pop()
        return (*self._last.said, *self._last.sent)

    def _floats(self, run: Run) -> Witness | None:
        where = next(_floats(run.work), None) if run.work is not None else None
        if where is None:
            return None
        return _witness(run, Cause.FLOAT, "its sums are exact", "its sums are rounded", where, "a Decimal", "a float")

    def _effect(self, run: Run, *, faults: int) -> Witness | None:
        """Show what an effect outside the work leads to: what it does twice, or that it may."""
        if run.event.type in self._external:
            return _refused(run)
        if not run.effects:
            return None
        effects = sorted(run.effects, key=_is_read)
        seen = contradiction(self._stage, [run.event], faults=max(1, faults), count=Count())
        if seen is not None:
            return Witness(
                cause=Cause.EFFECT,
                events=(run.shown, f"its handler {effects[0]}"),
                types=(run.event.type,),
                one=seen.one,
                other=seen.other,
                where=seen.where,
                one_value=seen.one_value,
                other_value=seen.other_value,
                one_steps=seen.one_steps,
                other_steps=seen.other_steps,
            )
        what = "what its handler has done without its work"
        once, more = effects[0], f"{effects[0]}, and again with the next delivery"
        return _witness(
            run, Cause.EFFECT, "e1 is delivered once", "e1's worker dies before it commits", what, once, more
        )


@contextmanager
def _chance(seed: int) -> Iterator[None]:
    """Let all that Python draws by chance be drawn from this seed meanwhile."""
    drawn, state = random.Random(seed), random.getstate()  # noqa: S311 - the same every time is what it is for
    random.seed(seed)
    with (
        patch.object(os, "urandom", drawn.randbytes),
        patch.object(random, "_urandom", drawn.randbytes),
        patch.object(uuid, "_generate_time_safe", None),
        patch.object(uuid, "_last_timestamp", None),
    ):
        try:
            yield
        finally:
            random.setstate(state)


def _unlike(runs: Iterable[Run]) -> Iterator[Run]:
    """Yield each event and reads once."""
    seen: set[tuple[str, bytes, str]] = set()
    for run in runs:
        if (case := _case(run)) not in seen:
            seen.add(case)
            yield run


def _inconsistent(runs: Iterable[Run]) -> Witness | None:
    """Find two runs on the same event and reads that asked for different things, or were given different keys."""
    first: dict[tuple[str, bytes, str], Run] = {}
    for run in runs:
        known = first.setdefault(_case(run), run)
        if known.key != run.key:
            return _changed(run, Cause.KEY, "its first run", "its next run", (known.key,), (run.key,))
        if known.said != run.said:
            return _changed(run, Cause.MEMORY, "it runs in one schedule", "it runs in another", known.said, run.said)
    return None


def _case(run: Run) -> tuple[str, bytes, str]:
    return run.event.id, run.event.encode(), str((run.event.request.path, sorted(run.reads.items(), key=str)))


def _refused(run: Run) -> Witness | None:
    """Tell of a handler that may have an effect of its own, and failed since it could not have it here."""
    tried = next(filter(is_refused, run.effects), None)
    if tried is None or not run.raised:
        return None
    return _witness(
        run, Cause.REFUSED, "its handler runs elsewhere", "its handler runs here", "its effect", tried, "none"
    )


def _is_read(effect: str) -> bool:
    return effect.startswith("calls ") and only_asks(effect.removeprefix("calls "))


def _floats(work: Work) -> Iterator[str]:
    for address, write in work.writes.items():
        values = write.amounts if isinstance(write, Add) else write.attributes
        for name, value in values.items():
            if _holds_float(value):
                yield f"{address}, {name}"


def _holds_float(value: Any) -> bool:
    match value:
        case float():
            return True
        case dict():
            return any(map(_holds_float, value.values()))
        case list() | tuple() | set() | frozenset():
            return any(map(_holds_float, value))
    return False


def _changed(run: Run, cause: Cause, one: str, other: str, first: Said, second: Said) -> Witness:
    longest = max(len(first), len(second))
    pairs = zip((*first, *[""] * (longest - len(first))), (*second, *[""] * (longest - len(second))), strict=True)
    mine, theirs = next(((mine, theirs) for mine, theirs in pairs if mine != theirs), ("", ""))
    return _witness(run, cause, one, other, "what its handler asks for", mine or "nothing", theirs or "nothing")


def _witness(run: Run, cause: Cause, one: str, other: str, where: str, mine: str, theirs: str) -> Witness:
    return Witness(
        cause=cause,
        events=(run.shown,),
        types=(run.event.type,),
        one=one,
        other=other,
        where=where,
        one_value=mine,
        other_value=theirs,
    )


def _renamed(run: Run) -> Run:
    """Return the run of an event that says the same under another id: a key of its own may be made of that."""
    return replace(run, event=msgspec.structs.replace(run.event, id=f"{run.event.id}/2"))


def _named(run: Run) -> str:
    return run.shown
