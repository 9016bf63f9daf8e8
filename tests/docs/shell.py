"""A page's shell: its commands, one after the other, as a person would type them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

_DONE = "--- done"
_PATIENCE_SECONDS = 120


class Shell:
    """A bash in a folder, which keeps its working folder and its variables from one block to the next."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_heeding_interrupts,
        )
        self._log = folder.with_name(f"{folder.name}.log")
        self._seen = 0
        self._meanwhile: int | None = None
        # A job of its own group can be ended by Ctrl-C, as at a keyboard.
        self.run("set -m")

    def run(self, commands: str, *, fails: bool = False) -> str:
        """Run commands, each of which succeeds, unless the last one `fails`; return what they print."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{_watched(commands)}\necho {_DONE} $?\n")
        self._bash.stdin.flush()
        printed = []
        for line in self._bash.stdout:
            if line.startswith(_DONE):
                status = int(line.split()[-1])
                break
            printed.append(line)
        else:
            raise AssertionError(f"the shell has ended:\n{''.join(printed)}")
        output = "".join(printed)
        assert (status != 0) is fails, f"status {status} of\n{commands}\n{output}"
        return output

    def begin(self, commands: str) -> None:
        """Run commands that don't end, beside the others."""
        assert self._meanwhile is None, "one thing at a time keeps running"
        self._log.touch()
        one_line = "; ".join(commands.splitlines())
        self._meanwhile = int(self.run(f"( {one_line} ) >{self._log} 2>&1 & echo $!").split()[-1])

    def wait_for(self, expected: str) -> None:
        """Wait until what keeps running prints this; what it printed before counts only once."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        while True:
            lines = self._log.read_text(encoding="utf-8").splitlines()[self._seen :]
            if (end := end_of_match(expected, lines, whole=False)) is not None:
                self._seen += end
                return
            there = "\n".join(lines)
            assert time.monotonic() < ends, f"expected\n{expected}\nand there is\n{there}"
            time.sleep(0.05)

    def __enter__(self) -> Self:
        """Nothing more to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and what it has begun."""
        if self._meanwhile is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._meanwhile, signal.SIGINT)
        try:
            self._bash.communicate("wait\n", timeout=_PATIENCE_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._bash.pid, signal.SIGKILL)


def _heeding_interrupts() -> None:
    """Let Ctrl-C end what the shell begins, however the tests were started: background jobs are made to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _watched(commands: str) -> str:
    """Return the commands as a group that stops at the first one that fails, in this very shell."""
    # An ERR trap would tell of each, but can't leave a group; `&&` between statements is what a person's eye does.
    lines = _statements(commands)
    return "{ " + " && ".join(lines) + "\n}" if lines else "true"


def _statements(commands: str) -> list[str]:
    """Return the statements of a text: lines, joined where one goes on in the next; comments are left out."""
    joined = re.sub(r"\\\n\s*", " ", commands)
    lines = [re.sub(r"(^|\s)#\s.*$", "", line).strip() for line in joined.splitlines()]
    return [line for line in lines if line]


def end_of_match(expected: str, lines: Sequence[str], *, whole: bool) -> int | None:
    """Return the number of the line after those that are like `expected`, or None.

    `...` is anything, on its line or, alone on a line, over lines. With `whole` nothing may stand before or after.
    """
    parts = _parts(expected.strip("\n").splitlines())
    place, loose = 0, not whole
    for number, part in enumerate(parts):
        if part and number == len(parts) - 1 and whole and loose:
            place = max(place, len(lines) - len(part))  # the last part is at the end, wherever else it would fit
        starts = range(place, len(lines) - len(part) + 1) if loose or number else [place]
        found = next((start for start in starts if _fits(part, lines[start : start + len(part)])), None)
        if found is None:
            return None
        place, loose = found + len(part), True
    return None if whole and parts[-1] and place < len(lines) else place


def _parts(expected: Sequence[str]) -> list[list[str]]:
    """Return the runs of lines between the lines that are anything; empty where one begins or ends the text."""
    parts: list[list[str]] = [[]]
    for line in expected:
        if line.strip() == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def _fits(part: Sequence[str], lines: Sequence[str]) -> bool:
    return len(part) == len(lines) and all(_line(one).fullmatch(line) for one, line in zip(part, lines, strict=True))


def _line(expected: str) -> re.Pattern[str]:
    """Return what a line must be like; spaces may be more."""
    parts = (r"\s+".join(map(re.escape, re.split(r"\s+", part))) for part in expected.rstrip().split("..."))
    return re.compile(".*".join(parts) + r"\s*")
