"""Runs: what a handler was given, and what it made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from eachonce import Event, Work
from eachonce.handler import Handle, Handler
from eachonce.work import Address, Create, Item, Put

from eachonce_workbench.certify.effect import watched


@dataclass(slots=True)
class Run:
    """One run of a handler: the event, what it read, and what came of it.

    - `said` is the whole of what it asked for, as text: equal for equal works; an exception counts as an answer
    - `effects` are what it did outside its work, in words
    """

    event: Event[Any]
    key: str
    reads: dict[Address, Item | None] = field(default_factory=dict)
    work: Work | None = None
    said: tuple[str, ...] = ()
    raised: bool = False
    effects: list[str] = field(default_factory=list)


def observed(handler: Handler, own: list[str], tell: Callable[[Run], None]) -> Handle[Any]:
    """Return the handler's function, whose runs are told; `own` are the requests of clients that aren't the layer's."""

    def handle(event: Event[Any], work: Work) -> None:
        run = Run(event=event, key=work.idempotency_key, work=work)
        fetch = work._fetch  # noqa: SLF001 - what was read is not kept, only its revision

        def read(address: Address) -> Item | None:
            run.reads[address] = item = fetch(address)
            return item

        work._fetch = read  # noqa: SLF001 - as above
        before = len(own)
        try:
            with watched(run.effects):
                handler.run(event, work)
            run.said = said(work)
        except Exception as error:
            run.said, run.raised = (f"raises {type(error).__name__}: {error}",), True
            raise
        finally:
            run.effects += own[before:]
            tell(run)

    return handle


def named(handle: Callable[..., Any]) -> str:
    """Return the name by which people know a handler's function."""
    return str(getattr(handle, "__name__", type(handle).__name__))


def said(work: Work) -> tuple[str, ...]:
    """Return what a work asks for as text, one wish a line, in an order of its own."""
    wishes = [_write(address, work.writes[address]) for address in work.writes]
    wishes += [f"publishes {_published(data)}" for data in work.published]
    if work.result is not None:
        wishes.append(f"answers {text(work.result)}")
    return tuple(wishes)


def text(value: Any) -> str:
    """Return a value in words that are the same for equal values."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{name}: {text(inner)}" for name, inner in sorted(value.items())) + "}"
        case set() | frozenset():
            return "{" + ", ".join(sorted(map(text, value))) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(text, value)) + "]"
        case float():
            return f"{value!r} (a float)"
        case None:
            return "nothing"
    return str(value)


def _write(address: Address, write: Any) -> str:
    if isinstance(write, Create):
        return f"creates {address} with {text(write.attributes)}"
    if isinstance(write, Put):
        guard = "" if write.newer_than is None else f" if {write.newer_than} is newer"
        return f"puts {text(write.attributes)} into {address}{guard}"
    return f"adds {text(write.amounts)} to {address}"


def _published(data: Any) -> str:
    return f"{type(data).__name__} {msgspec.json.encode(data, order='sorted').decode()}"
