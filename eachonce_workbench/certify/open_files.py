"""Open files: what a handler writes to a file that was open already, which no audit event tells."""

from __future__ import annotations

import fcntl
import gc
import io
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath

_DESCRIPTORS = Path("/dev/fd")
_STREAMS = (0, 1, 2)

State = tuple[int, int, int]
"""How long a file is, when it was written last, and how far this process is in it."""


@dataclass(slots=True)
class OpenFiles:
    """The files that are open for writing in this process, but for its own streams, and what it was given by others.

    Who starts it may write to such a file at any time, as to the log of a whole build.
    """

    _known: dict[int, tuple[int, int]] = field(default_factory=dict)
    _buffered: list[io.IOBase] = field(default_factory=list)

    def look(self) -> list[str]:
        """Look which there are, and return the names of those that weren't open the last time."""
        before, self._known = self._known, dict(_writable())
        if self._known != before:  # which is rare, and to look for what buffers them takes long
            kinds = (io.TextIOWrapper, io.BufferedIOBase)
            self._buffered = [one for one in gc.get_objects() if issubclass(type(one), kinds)]
        return [_name(number) for number, inode in self._known.items() if before.get(number) != inode]

    def states(self) -> dict[int, State]:
        """Return how each file is now, with all that has been written into it."""
        if not self._known:
            return {}
        for one in self._buffered:
            with suppress(Exception):  # it is closed, or for reading
                one.flush()
        return {number: state for number in self._known if (state := _state(number)) is not None}

    def written(self, before: Mapping[int, State]) -> Iterator[tuple[str, str]]:
        """Yield the name of each file that was written since then, and what was added to it."""
        for number, state in self.states().items():
            if number in before and _wrote(number, before[number], state):
                yield _name(number), _added(number, before[number][0])


def _writable() -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield the descriptors of regular files that are open for writing, and which files they are."""
    streams = {(one.st_dev, one.st_ino) for number in _STREAMS if (one := _stat(number)) is not None}
    try:
        numbers = sorted(int(name) for name in os.listdir(_DESCRIPTORS))  # noqa: PTH208 - names are all that is needed
    except OSError:
        return
    found = {}
    for number in numbers:
        here = _stat(number)
        if here is None or not stat.S_ISREG(here.st_mode) or (here.st_dev, here.st_ino) in streams:
            continue
        with suppress(OSError):
            if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
                found[number] = (here.st_dev, here.st_ino)
    given = _of_ancestors() if found else set()
    yield from ((number, inode) for number, inode in found.items() if inode not in given)


def _of_ancestors() -> set[tuple[int, int]]:
    """Return the files that whoever started this process has open, as far as the system tells."""
    found: set[tuple[int, int]] = set()
    process = os.getppid()
    with suppress(OSError, ValueError):
        while process > 1:
            for path in Path(f"/proc/{process}/fd").iterdir():
                with suppress(FileNotFoundError):
                    here = path.stat()
                    found.add((here.st_dev, here.st_ino))
            # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the parent is the second after the name
            process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return found


def _stat(number: int) -> os.stat_result | None:
    try:
        return os.fstat(number)
    except OSError:
        return None


def _state(number: int) -> State | None:
    here = _stat(number)
    return None if here is None else (here.st_size, here.st_mtime_ns, os.lseek(number, 0, os.SEEK_CUR))


def _wrote(number: int, before: State, now: State) -> bool:
    """Whether this process wrote to a file; another one may add to it as well, and then it's only longer."""
    if before[:2] == now[:2]:
        return False
    return before[2] != now[2] or not fcntl.fcntl(number, fcntl.F_GETFL) & os.O_APPEND


def _name(number: int) -> str:
    """Return a file's name; one without a name, as a temporary file, has none that is the same twice."""
    with suppress(OSError):
        path = str((Path("/proc/self/fd") / str(number)).readlink())
        if not path.endswith("(deleted)"):
            return PurePath(path).name
    return "without a name"


def _added(number: int, size: int) -> str:
    """Return what is beyond this size; nothing where the system doesn't let an open file be opened again."""
    with suppress(OSError), (_DESCRIPTORS / str(number)).open("rb") as again:
        again.seek(size)
        return again.read().decode(errors="backslashreplace")
    return ""
