"""Runs: what a handler was given, and what it made of it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from eachonce import Event, Work
from eachonce.handler import Handle, Handler
from eachonce.model import encode
from eachonce.work import Address, Item

from eachonce_workbench.afresh.wishes import said
from eachonce_workbench.certify.effect import watched
from eachonce_workbench.certify.files import Changes, Files, written
from eachonce_workbench.certify.open_files import OpenFiles, State
from eachonce_workbench.certify.patience import ending
from eachonce_workbench.simulator.outside.effect import only_asks


@dataclass(frozen=True, slots=True)
class Request:
    """What a client of a handler's own asked of which service: in words, and to the letter but for its headers."""

    service: str
    operation: str
    words: str
    letter: str

    @property
    def looks(self) -> bool:
        """Whether it changes nothing."""
        return only_asks(self.operation)


@dataclass(slots=True)
class Run:
    """One run of a handler: the event, what it read, and what came of it.

    - `said` is the whole of what it asked for, as text: equal for equal works; an exception counts as an answer
    - `effects` are what it did outside its work, in words, and `sent` is what it asked of AWS there or added to files,
      to the letter
    - `shown` is the event as it came: a handler may have changed its data
    """

    event: Event[Any]
    key: str
    reads: dict[Address, Item | None] = field(default_factory=dict)
    work: Work | None = None
    said: tuple[str, ...] = ()
    raised: bool = False
    effects: list[str] = field(default_factory=list)
    sent: tuple[str, ...] = ()
    shown: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """What a handler may reach outside its work: `own` are the requests of clients that aren't the layer's."""

    own: list[Request]
    files: Files = field(default_factory=Files)
    open_files: OpenFiles = field(default_factory=OpenFiles)


def observed(handler: Handler, world: World, tell: Callable[[Run], None]) -> Handle[Any]:
    """Return the handler's function, whose runs are told, with what it does to the world."""
    own = world.own

    def handle(event: Event[Any], work: Work) -> None:
        run = Run(event=event, key=work.idempotency_key, work=work, shown=shown(event))
        fetch = work._fetch  # noqa: SLF001 - what was read is not kept, only its revision

        def read(address: Address) -> Item | None:
            run.reads[address] = item = fetch(address)
            return item

        work._fetch = read  # noqa: SLF001 - as above
        before, threads = len(own), set(threading.enumerate())
        changes, states = world.files.begin(), world.open_files.states()
        try:
            with watched(run.effects, changes.note), ending(event.type):
                handler.run(event, work)
            run.said = said(work)
        except Exception as error:
            run.said, run.raised = (f"raises {type(error).__name__}: {error}",), True
            raise
        finally:
            run.effects += map(_left, filter(_is_no_pools, set(threading.enumerate()) - threads))
            run.effects += [
                request.words for request in own[before:] if not (request.looks and request.service in handler.reads)
            ]
            run.sent = tuple(request.letter for request in own[before:] if not request.looks)
            _note_files(run, world, changes, states)
            tell(run)

    return handle


def _note_files(run: Run, world: World, changes: Changes, states: Mapping[int, State]) -> None:
    effects, letters = world.files.end(changes)
    run.effects += effects
    added = list(world.open_files.written(states))
    if changes.words:
        run.effects += [f"leaves the file {name} open" for name in world.open_files.look()]
    run.effects += [f"writes into the open file {name}" for name, _ in added]
    run.sent += (*letters, *(f"{written(name)}{text}" for name, text in added))


def _left(thread: threading.Thread) -> str:
    """Say that a thread runs on: what it does for the work comes too late, or just in time."""
    named = re.sub("[0-9]+", "", thread.name.partition(" (")[0])
    return f"leaves a thread running, {named.rstrip('-_')}"


def _is_no_pools(thread: threading.Thread) -> bool:
    """Whether a thread doesn't belong to a pool, where it waits for its next task."""
    return not thread.name.startswith("ThreadPoolExecutor")


def shown(event: Event[Any]) -> str:
    """Return an event with its data, in a line; a request with what its path names."""
    asked = dict(event.request.path_parameters)
    where = f" {msgspec.json.encode(asked).decode()}" if asked else ""
    return f"{event.id}: {event.type}{where} {msgspec.json.encode(event.data, enc_hook=encode).decode()}"


Form = tuple[Any, ...]
"""Of which calls the layer makes a run's work: which kinds of reads and writes in which tables, and whether more."""


def form(run: Run) -> Form:
    """Return the form of a run's work."""
    work = run.work
    if work is None:
        return (run.event.type, run.raised)
    writes = sorted((address.table, type(write).__name__) for address, write in work.writes.items())
    reads = sorted((address.table, item is not None) for address, item in run.reads.items())
    more = bool(work.published), work.result is not None, bool(run.sent)
    return (run.event.type, run.raised, tuple(writes), tuple(reads), more)


def named(handle: Callable[..., Any]) -> str:
    """Return the name by which people know a handler's function."""
    return str(getattr(handle, "__name__", type(handle).__name__))
