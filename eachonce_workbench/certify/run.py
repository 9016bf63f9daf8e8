"""Runs: what a handler was given, and what it made of it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from eachonce import Event, Work
from eachonce.handler import Handle, Handler
from eachonce.work import Address, Item

from eachonce_workbench.afresh.wishes import said
from eachonce_workbench.certify.effect import watched
from eachonce_workbench.certify.patience import ending

_LOOKING = ("Get", "BatchGet", "Query", "Scan", "List", "Describe", "Head")


@dataclass(frozen=True, slots=True)
class Request:
    """What a client of a handler's own asked of AWS: in words, and to the letter but for its headers."""

    operation: str
    words: str
    letter: str

    @property
    def looks(self) -> bool:
        """Whether it changes nothing."""
        return self.operation.startswith(_LOOKING)


@dataclass(slots=True)
class Run:
    """One run of a handler: the event, what it read, and what came of it.

    - `said` is the whole of what it asked for, as text: equal for equal works; an exception counts as an answer
    - `effects` are what it did outside its work, in words, and `sent` is what it asked of AWS there, to the letter
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


def observed(handler: Handler, own: list[Request], tell: Callable[[Run], None]) -> Handle[Any]:
    """Return the handler's function, whose runs are told; `own` are the requests of clients that aren't the layer's."""

    def handle(event: Event[Any], work: Work) -> None:
        run = Run(event=event, key=work.idempotency_key, work=work, shown=shown(event))
        fetch = work._fetch  # noqa: SLF001 - what was read is not kept, only its revision

        def read(address: Address) -> Item | None:
            run.reads[address] = item = fetch(address)
            return item

        work._fetch = read  # noqa: SLF001 - as above
        before, threads = len(own), set(threading.enumerate())
        try:
            with watched(run.effects), ending(event.type):
                handler.run(event, work)
            run.said = said(work)
        except Exception as error:
            run.said, run.raised = (f"raises {type(error).__name__}: {error}",), True
            raise
        finally:
            run.effects += map(_left, filter(_is_no_pools, set(threading.enumerate()) - threads))
            run.effects += [request.words for request in own[before:]]
            run.sent = tuple(request.letter for request in own[before:] if not request.looks)
            tell(run)

    return handle


def _left(thread: threading.Thread) -> str:
    """Say that a thread runs on: what it does for the work comes too late, or just in time."""
    named = re.sub("[0-9]+", "", thread.name.partition(" (")[0])
    return f"leaves a thread running, {named.rstrip('-_')}"


def _is_no_pools(thread: threading.Thread) -> bool:
    """Whether a thread doesn't belong to a pool, where it waits for its next task."""
    return not thread.name.startswith("ThreadPoolExecutor")


def shown(event: Event[Any]) -> str:
    """Return an event with its data, in a line."""
    return f"{event.id}: {event.type} {msgspec.json.encode(event.data).decode()}"


def named(handle: Callable[..., Any]) -> str:
    """Return the name by which people know a handler's function."""
    return str(getattr(handle, "__name__", type(handle).__name__))
