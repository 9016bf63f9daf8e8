"""The confinement of one's own process: for good, by all that the system has for it."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial

from eachonce_workbench.cloud.confinement import landlock, seccomp
from eachonce_workbench.cloud.confinement.guard import Guard, post
from eachonce_workbench.cloud.confinement.limits import Limits
from eachonce_workbench.cloud.confinement.supervisor import supervise
from eachonce_workbench.cloud.confinement.words import tell, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What confines a process: `lacking` says in words what the kernel doesn't do, and `programs` whether it does all.

    Where it does, a program that is started is confined, too.
    """

    lacking: tuple[str, ...]

    @property
    def programs(self) -> bool:
        """Whether whatever the process starts is confined as it is."""
        return not self.lacking

    def __str__(self) -> str:
        return f"not confined by the kernel: {'; '.join(self.lacking)}. Python's own calls are refused all the same"


class _Process:
    """What is known of this process; nothing where it isn't confined."""

    limits: Limits | None = None
    guard: Guard | None = None
    pipe: int | None = None


def confine(*writable: str | os.PathLike[str]) -> Means:
    """Confine this process and all that it starts, for good: no network, no files but these and a folder of its own.

    That folder becomes the one for temporary files. To be called before there is a second thread.
    """
    folder = tempfile.mkdtemp(prefix="eachonce-")
    # What others believe is not for examined code to write, and a cache is.
    os.environ["TMPDIR"] = os.environ["XDG_CACHE_HOME"] = folder
    tempfile.tempdir = None
    limits = Limits.of(*writable, folder)
    source, sink = os.pipe()
    os.set_blocking(source, False)
    means = restrict(limits, sink, folder=folder)
    guard = Guard(limits=limits, refused=partial(tell, sink), programs=means.programs)
    post(guard)
    _Process.limits, _Process.guard, _Process.pipe = limits, guard, source
    return means


def restrict(limits: Limits, pipe: int, *, folder: str | None = None) -> Means:
    """Let the kernel hold this process to its limits as far as it can; what was tried is told to `pipe`."""
    lacking: list[str] = []
    known = seccomp.calls()
    listener = None
    if known is None:
        lacking.append(f"seccomp is not used on {sys.platform} with this processor")
    else:
        try:
            listener = seccomp.install(known, limits)
        except OSError as error:
            lacking.append(f"seccomp: {error.strerror}")
        supervise(known, limits, listener, pipe, folder=folder)
    if known is None and folder is not None:
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    lacking += _landlocked(limits, supervised=listener is not None)
    return Means(lacking=tuple(lacking))


def _landlocked(limits: Limits, *, supervised: bool) -> Iterator[str]:
    """Apply Landlock, and say what it doesn't do here."""
    version = landlock.version()
    try:
        if version:
            landlock.restrict(limits, version)
    except OSError as error:
        yield f"Landlock: {error.strerror}"
        return
    if not version:
        yield "files can be written, since there is no Landlock"
    if limits.ports and not supervised and version < landlock.KNOWS_TCP:
        yield "any TCP port can be reached, since nobody supervises and Landlock knows ports from Linux 6.7 on"


def limits() -> Limits:
    """Return what this process is confined to; where it isn't, what the code that it examines should be."""
    return _within(tempfile.gettempdir()) if _Process.limits is None else _Process.limits


@cache
def _within(folder: str) -> Limits:
    """Return limits of one folder; to find out where it really is takes longer than most handlers."""
    return Limits.of(folder)


def confines_programs() -> bool:
    """Whether what this process starts is confined as it is."""
    return _Process.guard is not None and _Process.guard.programs


def standing() -> Guard | None:
    """Return who is on guard in this process whoever else is not."""
    return _Process.guard


def refused() -> list[str]:
    """Return what has been tried and refused since the last time, other than what a guard of its own has told."""
    return [] if _Process.pipe is None else told(_Process.pipe)
