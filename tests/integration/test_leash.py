"""Whatever becomes of a local cloud, its functions' processes end with it."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.interruptible import started

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Busy:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: busy, Handler: app.handler, Runtime: python3.11, Timeout: 600, MemorySize: 256}
"""

CLOUD = """
import asyncio, sys
from pathlib import Path
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.history import History

async def main():
    history = History()
    history.subscribe(lambda happening: happening.kind == "log" and print(happening.fields["line"], flush=True))
    async with LocalCloud(Path(sys.argv[1]), port=None, history=history) as cloud:
        await cloud.invoke("Busy", b"{}")

asyncio.run(main())
"""

# Each prints the ids of the processes that must not be left.
BUSY = {
    "in Python": "print(os.getpid(), flush=True)\nwhile True: pass",
    "in C, with the interpreter's lock": "print(os.getpid(), flush=True)\nsum(range(10**18))",
    "with every signal blocked": """
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        print(os.getpid(), flush=True)
        while True: pass
    """,
    "in a process of its own": """
        child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        print(os.getpid(), child.pid, flush=True)
        while True: pass
    """,
    "in a fork": """
        child = os.fork()
        if child: print(os.getpid(), child, flush=True)
        while True: pass
    """,
}


@pytest.fixture(params=BUSY.values(), ids=BUSY.keys())
def template(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "busy").mkdir()
    body = textwrap.indent(textwrap.dedent(request.param), "    ")
    source = f"import os, signal, subprocess, sys\ndef handler(event, context):\n{body}\n"
    (tmp_path / "busy" / "app.py").write_text(source)
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


@contextmanager
def running(template: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A program with a local cloud of one busy function, and the ids of what is busy."""
    with subprocess.Popen([sys.executable, "-c", CLOUD, template], stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            yield program, [int(pid) for pid in program.stdout.readline().split()]
        finally:
            program.kill()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def assert_gone(pids: list[int]) -> None:
    """The kernel takes a moment to end a killed process that is nobody's child any more."""
    patience = time.monotonic() + 30
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < patience:
        time.sleep(0.01)
    assert not left


def test_a_busy_function_dies_with_a_local_cloud_that_is_killed(template: Path) -> None:
    """Nobody is left to end it, and it doesn't listen to anybody."""
    with running(template) as (program, pids):
        assert all(alive(pid) for pid in pids)

        program.kill()

        assert_gone(pids)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda ending: ending.name)
def test_serve_ends_by_every_signal_as_by_ctrl_c(ending: signal.Signals, tmp_path: Path) -> None:
    """With one line, and the exit status of a program that was interrupted."""
    template = tmp_path / "template.yaml"
    template.write_text("Resources: {Errands: {Type: AWS::SQS::Queue}}")

    with started("serve", "--port", "0", "--template", str(template)) as program:
        assert program.stdout is not None
        while not (line := program.stdout.readline()).startswith("listening on"):
            assert line, "it never listened"

        program.send_signal(ending)
        _, told = program.communicate(timeout=60)

    assert (program.returncode, told) == (130, "stopped\n")
