"""Afresh: handlers on what they were given before, in a process that imported them at another time.

What a module read when it was imported, the process's number, the order of sets and the hashes of texts are others
there.
"""

from __future__ import annotations

import dis
import pickle
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from types import CodeType
from typing import Any

from eachonce.handler import Handler

from eachonce_workbench.afresh.newcomer import MOST, newcomer
from eachonce_workbench.afresh.request import Case, Request
from eachonce_workbench.certify.constants import Code
from eachonce_workbench.certify.effect import unwatched
from eachonce_workbench.certify.requests import told
from eachonce_workbench.certify.run import Run
from eachonce_workbench.certify.subject import Subject
from eachonce_workbench.certify.witness import Cause, Witness
from eachonce_workbench.simulator.clock import START

_MOST = 12
_HASHING = frozenset({"set", "frozenset", "hash"})
_MAKES_A_SET = frozenset({"BUILD_SET", "SET_ADD", "SET_UPDATE"})  # https://docs.python.org/3/library/dis.html
_IMPORTED = START + timedelta(days=97, hours=7, minutes=13, seconds=3)


def said_afresh(subject: Subject, runs: Sequence[Run]) -> list[tuple[Run, tuple[str, ...]]]:
    """Return some runs of a consumer's handlers, each with what the handler says to the same in a new process.

    A function that its module doesn't name, as one inside another, is not tried, and neither is what had an effect of
    its own or raised something.
    """
    cases = [pair for handler in subject.handlers for pair in _cases(handler, runs)]
    if not cases:
        return []
    request = Request(
        path=[*subject.path, *sys.path],
        environment=subject.environment,
        imported_at=_IMPORTED.isoformat(),
        now=START.isoformat(),
        cases=[case for _, case in cases],
    )
    found = []
    for turn in range(MOST if _goes_by_hashes(subject) else 1):
        with unwatched():
            beside = newcomer(turn)
            answers = [] if beside is None else beside.ask(request)
        found += [(run, said) for (run, _), said in zip(cases, answers, strict=False) if said is not None]
    return found


def _goes_by_hashes(subject: Subject) -> bool:
    """Whether the code makes sets, or asks for hashes: two seeds may well give the same order."""
    bodies = Code.of(handler.handle for handler in subject.handlers).bodies
    return any(not _HASHING.isdisjoint(body.co_names) or _makes_a_set(body) for body in bodies)


def _makes_a_set(body: CodeType) -> bool:
    return any(instruction.opname in _MAKES_A_SET for instruction in dis.get_instructions(body))


def witness_of(run: Run, said: tuple[str, ...]) -> Witness:
    """Return a witness that a handler said something else in a new process."""
    return Witness(
        cause=Cause.PROCESS,
        events=(run.shown,),
        types=(run.event.type,),
        one="it runs in this process",
        other="it runs in another",
        where="what its handler asks for",
        one_value="; ".join(run.said) or "nothing",
        other_value="; ".join(said) or "nothing",
    )


def _cases(handler: Handler, runs: Sequence[Run]) -> Iterator[tuple[Run, Case]]:
    where = (getattr(handler.handle, "__module__", None), getattr(handler.handle, "__qualname__", None))
    if not all(isinstance(part, str) for part in where) or "<" in str(where[1]):
        return
    seen: set[bytes] = set()
    for run in runs:
        if run.event.type != handler.description.type or run.raised or run.effects or len(seen) == _MOST:
            continue
        given = _pickled(run)
        if given is not None and given not in seen:
            seen.add(given)
            yield run, Case(module=str(where[0]), name=str(where[1]), key=run.key, given=given)


def _pickled(run: Run) -> bytes | None:
    attributes = {name: getattr(run.event, name) for name in run.event.__struct_fields__}
    attributes["request"] = told(run.event.request)
    given: Any = (attributes, dict(run.reads))
    try:
        return pickle.dumps(given)
    except Exception:  # noqa: BLE001 - a class that its module doesn't name, or anything else of a user's
        return None
