"""A printer waits for nobody."""

from __future__ import annotations

import contextlib
import os

from eachonce_workbench.cli.screens import printer
from eachonce_workbench.cli.screens.printer import Printer


def test_lines_are_written_in_order() -> None:
    """All of them, by the time that it is closed."""
    source, sink = os.pipe()
    writing = Printer(sink)
    writing.start()
    for number in range(100):
        writing.print(str(number))

    writing.close()

    os.close(sink)
    with os.fdopen(source) as read:
        assert read.read().split() == [str(number) for number in range(100)]


def test_a_pipe_that_nobody_reads_holds_nobody_up(monkeypatch) -> None:
    """Neither who prints nor who closes; what doesn't fit is let go, and the thread ends with its write."""
    monkeypatch.setattr(printer, "_MAX_WAITING", 10)
    monkeypatch.setattr(printer, "_LAST_SECONDS", 0)
    source, sink = os.pipe()
    fill(sink)
    writing = Printer(sink)
    writing.start()

    for number in range(1_000):
        writing.print(str(number))
    writing.close()

    assert writing._dropped > 0
    os.set_blocking(source, False)
    while writing._thread.is_alive():
        with contextlib.suppress(BlockingIOError):
            os.read(source, 65_536)
    os.close(source)
    os.close(sink)


def fill(sink: int) -> None:
    """Write into a pipe until there is no room."""
    os.set_blocking(sink, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(sink, b"x")
    os.set_blocking(sink, True)


def test_a_pipe_that_is_closed_breaks_nothing() -> None:
    """As when the output goes to `head`."""
    source, sink = os.pipe()
    os.close(source)
    writing = Printer(sink)
    writing.start()

    for _ in range(100):
        writing.print("x" * 100_000)
    writing.close()

    os.close(sink)
    assert not writing._thread.is_alive()
