"""Handlers: which function handles which type of event.

A handler has done its work when it returns. What only begins then (a coroutine, a generator) would be acknowledged
without having run, so it is refused where it is registered, and where it is returned.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from eachonce.breaker import Breaker
from eachonce.description import Description, describing
from eachonce.errors import HandlerError
from eachonce.event import Event
from eachonce.marks import require_marks
from eachonce.model import is_model
from eachonce.work import Work

C = TypeVar("C")

Handle = Callable[[Event[C], Work], None]

_UNDONE = (Awaitable, Iterator, AsyncIterator, Future)
_ADVICE = "a handler has done its work when it returns: register a plain function, such as one that calls asyncio.run"
_DEEPEST = 100  # decorators and partials around one another


class Handler(msgspec.Struct, frozen=True, kw_only=True):
    """A function from an event to a unit of work, the contract of its events, and whether it has effects of its own.

    `needs` is the breaker of what it needs, where it has one, and `reads` are the services that it looks things up in.
    """

    contract: type[Any]
    handle: Handle[Any]
    external: bool = False
    uncertain: Literal["again", "reject"] = "again"
    description: Description
    needs: Breaker | None = None
    reads: tuple[str, ...] = ()

    def run(self, event: Event[Any], work: Work) -> None:
        """Call the function; raises HandlerError when what it returns has yet to be run."""
        handle: Callable[..., object] = self.handle
        returned = handle(event, work)
        if isinstance(returned, _UNDONE):
            if inspect.iscoroutine(returned):
                returned.close()  # or Python would warn of it, somewhere else
            raise HandlerError(f"it returned a {type(returned).__name__}, and nothing of it has run: {_ADVICE}")


class Handlers:
    """The handlers of one consumer, by event type."""

    def __init__(self) -> None:
        self._handlers: dict[tuple[str, str | None], Handler] = {}
        self.describes = False  # whether any contract says where the identity of a plain event lies
        self.raw: Description | None = None  # what describes a body that is data alone

    def on(
        self,
        contract: type[C],
        *,
        external: bool = False,
        uncertain: Literal["again", "reject"] = "again",
        needs: Breaker | None = None,
        reads: str | Sequence[str] = (),
        **described: Any,
    ) -> Callable[[Handle[C]], Handle[C]]:
        """Register the decorated function for events of `contract`: a Contract, a dataclass or a pydantic model.

        With `external` the function may have an effect outside the work (an e-mail, a payment): the event is claimed
        before it runs, so that no two workers run it at once, and `work.idempotency_key` is for the receiver. When an
        earlier run ended without a word, its effect is `uncertain`: run "again" with the same key, or "reject" the
        event for a person to decide. While the breaker of what it `needs` is open, its events are put off. It `reads`
        from these services of AWS's, such as "ssm", outside the work, and changes nothing there: what it is told is no
        part of the commit, and may be another thing the next time; `eachonce certify` then lets it ask. What else is
        said is as in `describe`, of a contract that nobody has described or that is to be another here. Raises
        HandlerError when the function can't be a handler, and ValueError when the type has one already.
        """
        made = making(contract, external=external, uncertain=uncertain, reads=reads, **described)
        if needs is not None and not isinstance(needs, Breaker):
            raise HandlerError(f"what a handler needs is a Breaker, and not a {type(needs).__name__}")

        def register(handle: Handle[C]) -> Handle[C]:
            handler = made(handle)
            self._add(handler if needs is None else replace(handler, needs=needs))
            return handle

        return register

    def _add(self, handler: Handler) -> None:
        described = handler.description
        if (described.type, described.source) in self._handlers:
            raise ValueError(f"{described.type} has a handler already")
        if described.raw and self.raw is not None:
            raise HandlerError(f"{described.type} is raw, and so is {self.raw.type}: nothing would tell them apart")
        self._handlers[described.type, described.source] = handler
        self.describes = self.describes or described.identity is not None
        self.raw = described if described.raw else self.raw

    def find(self, event_type: str, source: str | None = None) -> Handler | None:
        """Return the handler of a type of a source's events, or None: of all its kinds, such as `ObjectCreated:*`.

        Without a `source`, the first that takes the type from anybody or somebody.
        """
        found = self._find(event_type, source)
        kind, colon, _ = event_type.partition(":")
        return self._find(f"{kind}:*", source) if found is None and colon else found

    def _find(self, event_type: str, source: str | None) -> Handler | None:
        found = self._handlers.get((event_type, None)) if source is None else self._handlers.get((event_type, source))
        if found is not None:
            return found
        if source is not None:
            return self._handlers.get((event_type, None))
        return next((one for (known, _), one in self._handlers.items() if known == event_type), None)

    def __getitem__(self, event_type: str) -> Handler:
        """Return the handler of a type of event; raises KeyError."""
        found = self.find(event_type)
        if found is None:
            raise KeyError(event_type)
        return found

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """All of them, in order of registration."""
        return tuple(self._handlers.values())

    @property
    def contracts(self) -> tuple[type[Any], ...]:
        """The contracts that have a handler, in order of registration."""
        return tuple(handler.contract for handler in self._handlers.values())

    def described(self, event_type: str, source: str) -> Description | None:
        """Return what describes the events of a type and a source; None where there is no handler of theirs."""
        handler = self.find(event_type, source)
        return None if handler is None else handler.description


def making(
    contract: type[Any],
    *,
    external: bool = False,
    uncertain: Literal["again", "reject"] = "again",
    reads: str | Sequence[str] = (),
    **described: Any,
) -> Callable[[Handle[Any]], Handler]:
    """Return what makes a function the handler of a contract's events; raises HandlerError when either can't be."""
    if not is_model(contract):
        raise HandlerError("a handler is registered for a contract: `@consumer.on(OrderPlaced)`")
    description = describing(contract, **described)
    require_marks(contract, description)
    services = _services(reads)

    def make(handle: Handle[Any]) -> Handler:
        _require_plain(handle)
        return Handler(
            contract=contract,
            handle=handle,
            external=external,
            uncertain=uncertain,
            description=description,
            reads=services,
        )

    return make


def _services(reads: Any) -> tuple[str, ...]:
    """Return the services that a handler reads from; raises HandlerError when they are no names."""
    services = (reads,) if isinstance(reads, str) else reads
    if not isinstance(services, list | tuple | set | frozenset) or not all(
        isinstance(service, str) and service for service in services
    ):
        raise HandlerError(f'what a handler reads is named as boto3 names services, such as reads="ssm", not {reads!r}')
    return tuple(services)


def _require_plain(handle: Any) -> None:
    """Raise HandlerError unless calling `handle` with an event and a work runs it."""
    if not _takes_both(handle):
        raise HandlerError(f"a handler is called with an event and a work, and {_named(handle)} can't be")
    kind = next(filter(None, map(_kind, _behind(handle))), None)
    if kind is not None:
        raise HandlerError(f"{_named(handle)} is {kind}, and calling it runs nothing: {_ADVICE}")


def _takes_both(handle: Any) -> bool:
    if not callable(handle):
        return False
    try:
        # Not the signature of what is decorated: the decorator may call it with more.
        signature = inspect.signature(handle, follow_wrapped=False)
    except Exception:  # noqa: BLE001 - a signature that can't be told, for whatever reason, is no reason to refuse
        return True
    try:
        signature.bind(None, None)
    except TypeError:
        return False
    return True


def _behind(handle: Any) -> Iterator[Any]:
    """Yield a callable and what it stands for, as far as it says so: a partial, a method, an object, a decorator."""
    for _ in range(_DEEPEST):
        yield handle
        if isinstance(handle, partial):
            handle = handle.func
        elif (wrapped := getattr(handle, "__wrapped__", None)) is not None:
            handle = wrapped
        elif isinstance(handle, FunctionType | BuiltinFunctionType | MethodType | type):
            return
        else:
            handle = type(handle).__call__


def _kind(function: Any) -> str | None:
    if inspect.iscoroutinefunction(function):
        return "async"
    if inspect.isgeneratorfunction(function):
        return "a generator"
    return "an async generator" if inspect.isasyncgenfunction(function) else None


def _named(handle: Any) -> str:
    return str(getattr(handle, "__qualname__", type(handle).__name__))
