"""Books: what a bundle says of its own, so that a run has something to send and something to be right about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from eachonce_workbench.run.reconciliation import Reconciliation

Scan = Callable[[str], Iterable[Mapping[str, Any]]]
"""Gives all items of a table (its logical id), as plain values."""


class BooksError(Exception):
    """The inputs can't be read, or there are no such books; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Something that goes into a bundle from outside; `payload` is JSON, and `target` a logical id, name or ARN.

    A function is invoked with it, and its answer is waited for. A queue gets it as a message's body, with the string
    attributes and, if it is a FIFO queue, in the `group`. A bus gets it as an entry of PutEvents. `origin` is for the
    books alone.
    """

    name: str
    kind: Literal["function", "queue", "bus"]
    target: str
    payload: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None
    origin: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to, when all is quiet.

    `answers` are the functions' own, by the names of the inputs; `folder` is the one that the books were given.
    """

    scan: Scan
    folder: Path
    answers: Mapping[str, bytes]


class Books(Protocol):
    """What a bundle knows of itself: what goes in, and what must have come of it. For one run at a time."""

    def parameters(self, folder: Path) -> Mapping[str, str]:
        """Return values of the template's parameters; `folder` is the run's own, and functions may write to it."""
        ...

    def inputs(self, source: Path | None, limit: int | None) -> Sequence[Input]:
        """Return what is to be sent, under names that differ: the first `limit` of them, all where it is None.

        `source` is what a person named, and None the bundle's own. An input whose function fails is sent again: to send
        it twice must be safe. Raises BooksError.
        """
        ...

    def reconcile(self, inputs: Sequence[Input], outcome: Outcome) -> Reconciliation | None:
        """Compare what is there with what these inputs must have led to, in whatever order; None if nobody can say."""
        ...
