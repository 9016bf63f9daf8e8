"""What a build was made of: the next one takes seconds, and is left out where it would come to the same."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from eachonce_workbench.cloud.watch import look


class Built:
    """The note of a build, in a file: by which command, of which files, and what was there when it had ended.

    Files are told apart by when they were changed and by their size. Those in hidden folders, and what Python compiled,
    are no part of a build.
    """

    def __init__(self, note: Path, *, command: Sequence[str], sources: Collection[Path], product: Path) -> None:
        """Look at the sources, files and folders, as they are now: what changes while a build runs wants another."""
        self._note = note
        self._product = product
        self._sources = _digest([*command], sources)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody else builds there, and let nobody else begin."""
        self._note.parent.mkdir(exist_ok=True)
        with self._note.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def stands(self) -> bool:
        """Whether the last build was of the same, and nobody has built since."""
        try:
            return self._note.read_text(encoding="utf-8") == self._now()
        except (OSError, UnicodeDecodeError):
            return False

    def note(self) -> None:
        """Note that this was built."""
        self._note.write_text(self._now(), encoding="utf-8")

    def _now(self) -> str:
        return f"{self._sources} {_digest([], [self._product])}\n"


def _digest(command: Sequence[str], places: Collection[Path]) -> str:
    seen = sorted((str(path), *status) for path, status in look(places).items())
    return hashlib.sha256(json.dumps([command, seen]).encode()).hexdigest()
