"""What happened in the local cloud, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "published",  # an entry entered a bus
    "announced",  # a topic took a message
    "notified",  # a bucket told of a change
    "fired",  # the time of a schedule came, or a person said that it had
    "lost",  # an entry was taken, and named a bus that isn't there
    "matched",  # a rule chose an event
    "delivered",  # a target took it
    "undelivered",  # a target refused it for good: in its dead-letter queue, or lost
    "invoked",  # a function was handed a batch
    "attempted",  # the invocation ended, one way or another
    "retried",  # an asynchronous invocation failed, and waits to be tried again
    "concluded",  # an asynchronous invocation is over, and its destinations have been told
    "malformed",  # what a function returned to an API is no answer
    "acknowledged",  # a message was deleted
    "returned",  # a message goes back to its queue
    "dead-lettered",  # a message was moved to a dead-letter queue
    "switched",  # an event source mapping was turned on or off by a call
    "faulted",  # a function's call met a fault that is turned on
    "refused",  # a confined function tried what it may not
    "log",  # a line that a function printed
    "metric",  # an embedded metric that a function printed
]


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: its kind, and the fields that tell it."""

    kind: Kind
    fields: dict[str, Any]


class History:
    """Tells whoever listens what happens, as it happens; keeps nothing itself, so that its cost stays flat."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Happening], None]] = []

    def subscribe(self, listener: Callable[[Happening], None]) -> None:
        """Call `listener` with every happening from now on, in order, on the thread where it happens."""
        self._listeners.append(listener)

    def record(self, kind: Kind, **fields: Any) -> None:
        """Tell every listener."""
        if self._listeners:
            happening = Happening(kind, fields)
            for listener in self._listeners:
                listener(happening)
