"""Server-sent events: what has changed, told a few times a second however much happens.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from starlette.responses import StreamingResponse

PAUSE_SECONDS = 0.5
"""The least time between two messages: a page that is redrawn more often is neither read nor cheap."""

_HEARTBEAT_SECONDS = 10.0


def stream(state: Callable[[], dict[str, Any]], *, ended: Callable[[], None] = lambda: None) -> StreamingResponse:
    """Answer with `state`, at once and whenever it has changed, until the page goes; then call `ended`."""

    async def told() -> AsyncIterator[bytes]:
        try:
            before: dict[str, Any] | None = None
            silent = 0.0
            while True:
                now = state()
                if now != before:
                    before, silent = now, 0.0
                    yield b"data: " + msgspec.json.encode(now) + b"\n\n"
                elif silent >= _HEARTBEAT_SECONDS:
                    silent = 0.0
                    yield b": still here\n\n"
                await asyncio.sleep(PAUSE_SECONDS)
                silent += PAUSE_SECONDS
        finally:
            ended()

    return StreamingResponse(told(), media_type="text/event-stream")
