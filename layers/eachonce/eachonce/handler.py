"""Handlers: which function handles which type of event.

A handler has done its work when it returns. What only begins then (a coroutine, a generator) would be acknowledged
without having run, so it is refused where it is registered, and where it is returned.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Literal, TypeVar

from eachonce.contract import Contract
from eachonce.errors import HandlerError
from eachonce.event import Event
from eachonce.work import Work

C = TypeVar("C", bound=Contract)

Handle = Callable[[Event[C], Work], None]

_UNDONE = (Awaitable, Iterator, AsyncIterator, Future)
_ADVICE = "a handler has done its work when it returns: register a plain function, such as one that calls asyncio.run"
_DEEPEST = 100  # decorators and partials around one another


@dataclass(frozen=True, slots=True)
class Handler:
    """A function from an event to a unit of work, the contract of its events, and whether it has effects of its own."""

    contract: type[Contract]
    handle: Handle[Any]
    external: bool = False
    uncertain: Literal["again", "reject"] = "again"

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
        self._by_type: dict[str, Handler] = {}

    def on(
        self, contract: type[C], *, external: bool = False, uncertain: Literal["again", "reject"] = "again"
    ) -> Callable[[Handle[C]], Handle[C]]:
        """Register the decorated function for events of `contract`.

        With `external` the function may have an effect outside the work (an e-mail, a payment): the event is claimed
        before it runs, so that no two workers run it at once, and `work.idempotency_key` is for the receiver. When an
        earlier run ended without a word, its effect is `uncertain`: run "again" with the same key, or "reject" the
        event for a person to decide. Raises HandlerError when the function can't be a handler, and ValueError when the
        type has one already.
        """
        if not (isinstance(contract, type) and issubclass(contract, Contract)):
            raise HandlerError("a handler is registered for a contract: `@consumer.on(OrderPlaced)`")

        def register(handle: Handle[C]) -> Handle[C]:
            _require_plain(handle)
            if contract.event_type() in self._by_type:
                raise ValueError(f"{contract.event_type()} has a handler already")
            self._by_type[contract.event_type()] = Handler(contract, handle, external, uncertain)
            return handle

        return register

    def find(self, event_type: str) -> Handler | None:
        """Return the handler of a type of event, or None."""
        return self._by_type.get(event_type)

    def __getitem__(self, event_type: str) -> Handler:
        """Return the handler of a type of event; raises KeyError."""
        return self._by_type[event_type]

    @property
    def contracts(self) -> tuple[type[Contract], ...]:
        """The contracts that have a handler, in order of registration."""
        return tuple(handler.contract for handler in self._by_type.values())


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
