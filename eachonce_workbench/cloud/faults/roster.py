"""Who makes a call: each process of a function signs with an access key of its own."""

from __future__ import annotations

from typing import Protocol


class Worker(Protocol):
    """A function's process, while it lasts; on the loop's thread."""

    @property
    def function(self) -> str:
        """The function's logical id."""
        ...

    @property
    def request_id(self) -> str | None:
        """The invocation that it is at."""
        ...

    def kill(self) -> None:
        """End it, at once: the invocation ends as a crash."""
        ...

    async def gone(self) -> None:
        """Wait until nothing is left of it."""
        ...


class Roster:
    """The workers that there are, by their access keys."""

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}
        self._last = 0

    def enter(self, worker: Worker) -> str:
        """Return the access key by which a worker is known from now on."""
        self._last += 1
        key = f"local-{self._last}"
        self._workers[key] = worker
        return key

    def leave(self, key: str) -> None:
        """Forget the worker with this key."""
        self._workers.pop(key, None)

    def who(self, key: str) -> Worker | None:
        """Return the worker with this key; None for all who are none."""
        return self._workers.get(key)
