"""Virtual time: an event loop whose clock moves only while nothing else is to be done, and then at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")

START = datetime(2026, 1, 1, tzinfo=UTC)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeps cost no time: where another loop would wait for its next timer, this one moves its clock there."""

    def __init__(self, shift: Callable[[float], None]) -> None:
        """Make a loop at time 0; `shift` is told of every step, in seconds."""
        super().__init__()
        self._seconds = 0.0
        self._shift = shift
        self._poll = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._select  # type: ignore[attr-defined]

    def time(self) -> float:
        """Return the seconds since the loop was made."""
        return self._seconds

    def _select(self, timeout: float | None) -> list[Any]:
        if timeout == 0:
            # Nothing here comes from outside but the loop's own wake-up call, which can wait for a quiet moment.
            return []
        ready: list[Any] = self._poll(0)
        if not ready and timeout is None:
            raise RuntimeError("everything waits, and nothing will ever happen")
        if not ready and timeout is not None and timeout > 0:
            self._seconds += timeout
            self._shift(timeout)
        return ready


def run(main: Coroutine[Any, Any, T], *, start: datetime = START) -> T:
    """Run `main` to its end on a virtual loop; the system's clock, as Python sees it, moves along from `start`."""
    import time_machine  # which imports pytest

    with (
        time_machine.travel(start, tick=False) as traveller,
        asyncio.Runner(loop_factory=lambda: VirtualLoop(traveller.shift)) as runner,
    ):
        return runner.run(main)
