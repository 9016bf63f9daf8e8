"""What processor time is spent on: AWS's calls, and log lines. What is left is a system's own, and its handler's."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any
from unittest.mock import patch


class Clock:
    """Adds up the processor time of what it times, in all threads."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = Lock()

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the same function, timed."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.thread_time() - began
                with self._lock:
                    self.seconds += took

        return timed


@contextmanager
def spent() -> Iterator[tuple[Clock, Clock]]:
    """Time boto3's calls, the stand-in's part of them included, and Python's logging, whichever system uses them."""
    from botocore.client import BaseClient

    calls, logs = Clock(), Clock()
    with _all_in(calls, BaseClient, "_make_api_call"), _all_in(logs, logging.Logger, "_log"):
        yield calls, logs


def _all_in(clock: Clock, owner: type, method: str) -> AbstractContextManager[Any]:
    return patch.object(owner, method, clock.timed(getattr(owner, method)))
