"""A command of ours in a process of its own, which Ctrl-C reaches however the tests were started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]

# A shell lets its background jobs ignore SIGINT, and what they start inherits that.
_PROGRAM = """
import signal
from eachonce_workbench.cli.app import app

signal.signal(signal.SIGINT, signal.default_int_handler)
app()
"""


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start `eachonce` with these arguments; whatever happens, it doesn't outlive the test."""
    command = [sys.executable, "-u", "-c", _PROGRAM, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as program:
        try:
            yield program
        finally:
            program.kill()
