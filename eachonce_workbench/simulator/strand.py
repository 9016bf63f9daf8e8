"""Strands: functions that know nothing of asyncio, stopped wherever they wait and gone on with when it is over.

Exactly one strand runs at a time, in one thread, from one wait to the next: what happens between two AWS calls happens
at once, and the loop decides who goes on. So a run has one order of events, and the same one every time.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")


class Strand(greenlet):  # type: ignore[misc]
    """A function under way, for `owner` and in an environment of its own."""

    def __init__(
        self,
        function: Callable[[], Any],
        owner: Any,
        environment: MutableMapping[str, str],
        paused: Callable[[], object],
    ) -> None:
        super().__init__(function)
        self.paused = paused
        self.owner = owner
        self.environment = environment
        self.gr_context = contextvars.copy_context()


async def run(
    function: Callable[[], T],
    *,
    owner: Any,
    environment: MutableMapping[str, str],
    paused: Callable[[], object] = lambda: None,
) -> T:
    """Run a function to its end; where it calls `wait`, this waits instead, and calls `paused` each time.

    Cancelling raises CancelledError where the function waits. Must be awaited on the loop's own stack.
    """
    strand = Strand(function, owner, environment, paused)
    step: Any = _go_on(strand, strand.switch)
    while not strand.dead:
        try:
            result = await step
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the function's to deal with
            step = _go_on(strand, strand.throw, error)
        else:
            step = _go_on(strand, strand.switch, result)
    outcome: T = step
    return outcome


def wait(awaitable: Awaitable[T]) -> T:
    """Wait, in a strand, for something of the loop's. Raises what it raises."""
    return current().parent.switch(awaitable)  # type: ignore[no-any-return]


def current() -> Strand:
    """Return the strand that runs now. Raises RuntimeError where none does."""
    strand = getcurrent()
    if not isinstance(strand, Strand):
        raise RuntimeError("no strand runs here")  # noqa: TRY004 - it is the place that is wrong
    return strand


def in_strand() -> bool:
    """Whether a strand runs now."""
    return isinstance(getcurrent(), Strand)


def _go_on(strand: Strand, step: Callable[..., Any], *arguments: Any) -> Any:
    """Let a strand run up to its next wait or its end, seeing its own environment as the process's."""
    outside = os.environ
    os.environ = strand.environment  # type: ignore[assignment]  # noqa: B003 - Python's alone, and only for a moment
    try:
        return step(*arguments)
    finally:
        os.environ = outside  # noqa: B003 - as above
        strand.paused()
