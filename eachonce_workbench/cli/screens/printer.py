"""Lines for whoever looks on, who may look away: nothing here waits for a terminal or a pipe."""

from __future__ import annotations

import contextlib
import os
import queue
import threading

_MAX_WAITING = 10_000
_LAST_SECONDS = 1.0


class Printer:
    """Writes lines to a file descriptor, from a thread of its own; those that nobody reads are counted, not kept."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(_MAX_WAITING)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write_all, name="printer", daemon=True)

    def start(self) -> None:
        """Begin to write; until then lines wait."""
        self._thread.start()

    def print(self, line: str) -> None:
        """Have a line written, soon."""
        try:
            if self._dropped:
                self._lines.put_nowait(f"({self._dropped} lines were not shown)")
                self._dropped = 0
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what waits, if somebody reads it at once."""
        try:
            self._lines.put(None, timeout=_LAST_SECONDS)
        except queue.Full:
            self._forget_what_waits()
            self._lines.put_nowait(None)
        if self._thread.is_alive():
            self._thread.join(_LAST_SECONDS)

    def _forget_what_waits(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._lines.get_nowait()

    def _write_all(self) -> None:
        # Not sys.stdout, whose lock a thread that is stuck in a write would keep from Python's own end.
        with contextlib.suppress(OSError):
            while (line := self._lines.get()) is not None:
                data = f"{line}\n".encode(errors="replace")
                while data:
                    data = data[os.write(self._descriptor, data) :]
