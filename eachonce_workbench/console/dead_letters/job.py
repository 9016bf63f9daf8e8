"""Work on dead letters in the background: a thread of its own, whose progress is seen, and which can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Literal

from eachonce_workbench.operations.letters import Rounds
from eachonce_workbench.operations.redrive import Tally

Verb = Literal["redrive", "archive", "drop"]


class Job:
    """One piece of work on some letters. What it tells may be read from any thread.

    `tally` is what became of the letters so far, and `lines` what its pace said. `error` is what ended it too early,
    `file` where it put letters, and `ended` when it was over (seconds since 1970).
    """

    def __init__(
        self,
        number: int,
        verb: Verb,
        *,
        letters: int,
        consumers: frozenset[str],
        rate: float | None = None,
        file: str = "",
    ) -> None:
        self.number = number
        self.verb = verb
        self.consumers = consumers
        self.rate = rate
        self.file = file
        self.tally = Tally(chosen=letters)
        self.began = time.time()
        self.ended: float | None = None
        self.error = ""
        self.lines: list[str] = []
        self._passed = 0
        self._stop = threading.Event()
        self._over = threading.Event()

    @property
    def passed(self) -> int:
        """How many letters were looked at."""
        return self._passed

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self.ended is None

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def start(self, work: Callable[[Job], Rounds]) -> None:
        """Begin. A thread that nobody waits for: what ends the process leaves letters where they are, or a copy."""
        threading.Thread(target=self._run, args=(work,), name=f"letters-{self.number}", daemon=True).start()

    def stop(self) -> None:
        """End after the round that is under way."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait until it is over; return whether it is."""
        return self._over.wait(seconds)

    def sleep(self, seconds: float) -> None:
        """Sleep as a pace does, unless somebody stops it."""
        if self._stop.wait(seconds):
            raise _StoppedError

    def _run(self, work: Callable[[Job], Rounds]) -> None:
        try:
            with suppress(_StoppedError), closing(work(self)) as rounds:
                for count in rounds:
                    self._passed += count
                    if self._stop.is_set():
                        break
        except Exception as error:  # noqa: BLE001 - a thread's end: whatever it was, the page is to say so
            self.error = str(error) or type(error).__name__
        finally:
            self.ended = time.time()
            self._over.set()


class _StoppedError(Exception):
    """Somebody stopped the job while it waited."""
