"""The warden: a process that outlives its parent for a moment, and ends the processes that it left behind.

PR_SET_PDEATHSIG (see bootstrap.py) is Linux's, and isn't inherited: what a function has started lives on. The warden
holds a pipe's end instead, and kills whole groups. When the parent ends, by whatever signal, the pipe does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys


class Warden:
    """Knows the process groups that mustn't outlive this process; its own process starts with the first of them."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the warden's process, if there is none yet."""
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - this very file
                [sys.executable, "-I", "-S", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # what is meant for the parent's group is not for the warden
            )

    def watch(self, group: int) -> None:
        """Have the group of this leader killed when this process ends; the warden must have been started."""
        self._tell(b"+%d\n" % group)

    def release(self, group: int) -> None:
        """Forget a group: its number may soon be another's."""
        self._tell(b"-%d\n" % group)

    def stop(self) -> None:
        """End the warden, and what it watches."""
        if self._process is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.communicate()
            self._process = None

    def _tell(self, line: bytes) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):  # somebody has ended the warden: there is still PR_SET_PDEATHSIG
            self._process.stdin.write(line)
            self._process.stdin.flush()


def main() -> None:
    """Keep the groups that standard input names until it ends, and kill those that are left."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        (groups.add if line.startswith(b"+") else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
