"""Newcomers: processes beside this one, that are asked what handlers say there; they end when this one does."""

from __future__ import annotations

import atexit
import os
import select
import subprocess
import sys
from functools import cache
from pathlib import Path

import msgspec

from eachonce_workbench.afresh.request import Request, Said

_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 60.0
# This process's own is drawn by chance where nobody says it.
_HASH_SEEDS = ("20260101", "4", "977", "31337", "271828")
MOST = len(_HASH_SEEDS) - 1

_answers = msgspec.json.Decoder(list[Said | None])


class Newcomer:
    """A process that runs functions when it is asked to. Not for threads."""

    def __init__(self, turn: int) -> None:
        """Start the `turn`-th, below MOST: each has a seed of its own. Raises OSError where none may be started."""
        own = os.environ.get("PYTHONHASHSEED")
        environment = os.environ | {"PYTHONHASHSEED": [seed for seed in _HASH_SEEDS if seed != own][turn]}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "eachonce_workbench.afresh"],
            cwd=_ROOT,
            env=environment | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(self.end)

    def ask(self, request: Request) -> list[Said | None]:
        """Return what each case's function says, None where it raises; nothing where no answer comes."""
        if self._process.poll() is not None or self._process.stdin is None or self._process.stdout is None:
            return []
        self._process.stdin.write(msgspec.json.encode(request) + b"\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], _PATIENCE_SECONDS)[0]:
            self.end()
            return []
        try:
            return _answers.decode(self._process.stdout.readline())
        except msgspec.DecodeError:
            return []

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.communicate()


@cache
def newcomer(turn: int = 0) -> Newcomer | None:
    """Return the `turn`-th of this process; None where no program may be started."""
    try:
        return Newcomer(turn)
    except OSError:
        return None
