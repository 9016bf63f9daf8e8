"""The cell of a function's process: its limits, a temporary folder of its own, and what is heard from in there."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from eachonce_workbench.cloud.confinement.limits import Limits
from eachonce_workbench.cloud.confinement.words import told

Tell = Callable[[str], object]

_INMATE = str(Path(__file__).with_name("inmate.py"))


class Cell(Protocol):
    """Where one process lives; on a loop's thread, from before it starts until it has ended."""

    environment: Mapping[str, str]
    descriptors: Sequence[int]

    def before(self, *ports: int) -> Sequence[str]:
        """Return what comes before Python's own arguments, if these ports of this machine are all that is reached."""
        ...

    def started(self) -> None:
        """The process has what it was given."""

    def hear(self) -> None:
        """Tell all that has been tried so far, so that it comes before its invocation's end."""

    def close(self) -> None:
        """The process has ended."""


class OpenCell:
    """No confinement: a person's own development, with the network that it needs."""

    environment: Mapping[str, str] = {}
    descriptors: Sequence[int] = ()

    def before(self, *ports: int) -> Sequence[str]:  # noqa: ARG002 - all can be
        """Return nothing."""
        return ()

    def started(self) -> None:
        """Nothing was given."""

    def hear(self) -> None:
        """Nothing is heard."""

    def close(self) -> None:
        """Nothing is left."""


class ClosedCell:
    """No network but some local ports, no files but some folders and its own; `tell` is told what is tried."""

    def __init__(self, writable: Sequence[Path], tell: Tell) -> None:
        self._folder = tempfile.mkdtemp(prefix="eachonce-")
        self._writable = writable
        self._tell = tell
        self._source, self._sink = os.pipe()
        os.set_blocking(self._source, False)
        asyncio.get_running_loop().add_reader(self._source, self._readable)
        self.environment: Mapping[str, str] = {"TMPDIR": self._folder}
        self.descriptors: Sequence[int] = (self._sink,)

    def before(self, *ports: int) -> Sequence[str]:
        """Return what confines the process first."""
        limits = Limits.of(*self._writable, self._folder, ports=ports)
        return _INMATE, limits.encode(), str(self._sink)

    def started(self) -> None:
        """Leave the pipe's writing end to the process alone."""
        os.close(self._sink)
        self._sink = -1

    def close(self) -> None:
        """Hear the last of it, and remove its folder."""
        if self._sink >= 0:
            self.started()
        self.hear()
        asyncio.get_running_loop().remove_reader(self._source)
        os.close(self._source)
        shutil.rmtree(self._folder, ignore_errors=True)

    def hear(self) -> None:
        """Tell what has been tried so far."""
        self._told()

    def _readable(self) -> None:
        if not self._told():  # the end of the pipe stays readable for ever: stop looking, or the loop would spin
            asyncio.get_running_loop().remove_reader(self._source)

    def _told(self) -> bool:
        lines = told(self._source)
        for line in lines:
            self._tell(line)
        return bool(lines)


Cells = Callable[[Tell], Cell]


def open_cells(_: Tell) -> Cell:
    """Return a cell that confines nothing."""
    return OpenCell()


def closed_cells(*writable: Path) -> Cells:
    """Return what makes cells in which these folders can be written."""
    return partial(ClosedCell, writable)
