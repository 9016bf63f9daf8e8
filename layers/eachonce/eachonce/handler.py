"""Handlers: which function handles which type of event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from eachonce.contract import Contract
from eachonce.event import Event
from eachonce.work import Work

C = TypeVar("C", bound=Contract)

Handle = Callable[[Event[C], Work], None]


@dataclass(frozen=True, slots=True)
class Handler:
    """A function from an event to a unit of work, the contract of its events, and whether it has effects of its own."""

    contract: type[Contract]
    handle: Handle[Any]
    external: bool = False
    uncertain: Literal["again", "reject"] = "again"


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
        event for a person to decide.
        """

        def register(handle: Handle[C]) -> Handle[C]:
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
