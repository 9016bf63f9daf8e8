"""Server-sent events: what has changed, told a few times a second however much happens.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

PAUSE_SECONDS = 0.5
"""The least time between two messages: a page that is redrawn more often is neither read nor cheap."""

_HEARTBEAT_SECONDS = 10.0


class Streams:
    """All that is streamed to pages, until they go or the console ends."""

    def __init__(self) -> None:
        self._ending = asyncio.Event()

    def end(self) -> None:
        """End every stream at once: a server that stops waits for what it is at."""
        self._ending.set()

    def answer(self, state: Callable[[], dict[str, Any]], *, ended: Callable[[], None] = lambda: None) -> Response:
        """Answer with `state`, at once and whenever it has changed, until the page goes; then call `ended`."""
        return StreamingResponse(self._told(state, ended), media_type="text/event-stream")

    async def _told(self, state: Callable[[], dict[str, Any]], ended: Callable[[], None]) -> AsyncIterator[bytes]:
        try:
            before: dict[str, Any] | None = None
            silent = 0.0
            while not self._ending.is_set():
                now = state()
                if now != before:
                    before, silent = now, 0.0
                    yield b"data: " + msgspec.json.encode(now) + b"\n\n"
                elif silent >= _HEARTBEAT_SECONDS:
                    silent = 0.0
                    yield b": still here\n\n"
                await self._pause()
                silent += PAUSE_SECONDS
        finally:
            ended()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), PAUSE_SECONDS)
