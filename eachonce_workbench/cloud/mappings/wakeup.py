"""Waiting until something happens, or until a time is up."""

from __future__ import annotations

import asyncio
import contextlib


class Wakeup:
    """A bell for one sleeper: a ring that comes while nobody sleeps ends the next sleep at once."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """End the sleep, from the loop's thread; many rings are as one."""
        self._rung.set()

    async def sleep(self, seconds: float | None) -> bool:
        """Wait for a ring, at most for `seconds`, where None is for ever; return whether it rang."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        rung = self._rung.is_set()
        self._rung.clear()
        return rung
