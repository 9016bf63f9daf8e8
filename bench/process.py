"""A process of its own for each system: none finds what another has imported, made or kept."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bench.tables import ENVIRONMENT

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from bench.measuring import Measured, Task

_PATIENCE_SECONDS = 5
_MOST_OF_AN_ERROR = 2000


class SystemProcess:
    """A system that measures what it is told to, one task after the other, in its own process."""

    def __init__(self, name: str) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._connection, self._theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._theirs, name), daemon=True)

    def __enter__(self) -> Self:
        """Start it."""
        self._process.start()
        self._theirs.close()  # so that its death is told, and not waited for
        return self

    def measure(self, task: Task) -> Measured:
        """Return what it measured; raises RuntimeError with what went wrong there."""
        self._connection.send(task)
        measured, trouble = self._connection.recv()
        if trouble is not None:
            raise RuntimeError(f"{self.name} at {task}: {trouble}")
        return measured  # type: ignore[no-any-return]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.end()

    def end(self) -> None:
        """End it, whatever it is at; once more is harmless."""
        self._process.terminate()
        self._process.join(_PATIENCE_SECONDS)


def _serve(connection: Connection, name: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    os.environ.update(ENVIRONMENT)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        _measure_for_ever(connection, name)


def _measure_for_ever(connection: Connection, name: str) -> None:
    import boto3

    from bench.measuring import measure
    from bench.stand_in import StandIn
    from bench.systems import SYSTEMS

    stand_in = StandIn()
    boto3.setup_default_session()
    stand_in.stand(boto3.DEFAULT_SESSION)
    os.environ.update(SYSTEMS[name].environment)
    build = cache(SYSTEMS[name].build)
    while (task := _next(connection)) is not None:
        try:
            connection.send((measure(stand_in, build(task.work), task), None))
        except Exception as error:  # noqa: BLE001 - whoever asked tells it
            connection.send((None, f"{type(error).__name__}: {error}"[:_MOST_OF_AN_ERROR]))


def _next(connection: Connection) -> Task | None:
    try:
        task: Task = connection.recv()
    except EOFError:  # whoever started it is gone
        return None
    return task
