"""ReceiveMessage that waits for a message without holding up the loop.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
"""

from __future__ import annotations

import asyncio
from typing import Any

from eachonce_workbench.cloud.store.protocol import Response, decoded
from eachonce_workbench.cloud.store.store import Store

LONGEST_WAIT_SECONDS = 20

# A message that becomes visible by itself wakes nobody, and its time may move with the clock: look again this often.
_LOOK_AGAIN_SECONDS = 0.5

_NOTHING = b"{}"
"""The body of an answer without messages."""


class LongPoll:
    """Receives for the wire, again and again until there is a message or the time is up."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed: dict[str, asyncio.Event] = {}

    async def receive(self, headers: dict[str, str], body: bytes, path: str) -> Response:
        """ReceiveMessage's answer."""
        params = decoded(body)
        name = str(params.get("QueueUrl", path)).rpartition("/")[2]
        ends_at = asyncio.get_running_loop().time() + self._wait_seconds(name, params)
        while True:
            answer = self._store.handle("sqs", headers, body, path)
            left = ends_at - asyncio.get_running_loop().time()
            if left <= 0 or answer[0] != 200 or answer[2] != _NOTHING:
                return answer
            await self._until_changed(name, min(left, _LOOK_AGAIN_SECONDS))

    def _wait_seconds(self, name: str, params: dict[str, Any]) -> float:
        asked = params.get("WaitTimeSeconds")
        if asked is None:
            return self._store.queues.default_wait_seconds(name)
        return asked if isinstance(asked, int) and 0 < asked <= LONGEST_WAIT_SECONDS else 0

    async def _until_changed(self, name: str, seconds: float) -> None:
        changed = self._changed.get(name)
        if changed is None:
            changed = self._changed[name] = asyncio.Event()
            self._store.queues.on_send(name, changed.set)
        changed.clear()
        try:
            await asyncio.wait_for(changed.wait(), seconds)
        except TimeoutError:
            return
