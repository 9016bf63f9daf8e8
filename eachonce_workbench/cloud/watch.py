"""Which files of some folders have changed: looked at now and then, which works on every file system."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path

_PAUSE_SECONDS = 0.5
_SETTLING_SECONDS = 0.1
# Looking takes at most so much of a processor, however many files there are.
_SHARE = 0.05

# What programs write beside code, and what nobody edits.
_PASSED_BY = frozenset({"__pycache__", "node_modules", "venv"})

_Seen = dict[Path, tuple[int, int]]


class Watch:
    """The files below some folders, and some files by themselves."""

    def __init__(self, places: Collection[Path]) -> None:
        """Take the places, and look at what is there now."""
        self._places = set(places)
        self._seen = look(self._places)

    def add(self, places: Collection[Path]) -> None:
        """Take more places, as they are now."""
        new = set(places) - self._places
        self._places |= new
        self._seen |= look(new)

    async def changes(self) -> set[Path]:
        """Return the files that were changed, made or removed since the last time, once there are any.

        An editor, or a checkout, writes several files: they are told together, when no more of them come.
        """
        while True:
            started = time.perf_counter()
            changed = await self._changed()
            if changed:
                return changed | await self._settled()
            took = time.perf_counter() - started
            await asyncio.sleep(max(_PAUSE_SECONDS, took / _SHARE))

    async def _settled(self) -> set[Path]:
        more: set[Path] = set()
        while True:
            await asyncio.sleep(_SETTLING_SECONDS)
            changed = await self._changed()
            if not changed:
                return more
            more |= changed

    async def _changed(self) -> set[Path]:
        seen, self._seen = self._seen, await asyncio.to_thread(look, self._places)
        return {path for path, _ in seen.items() ^ self._seen.items()}


def look(places: Collection[Path]) -> _Seen:
    """Give when each file was changed, and its size."""
    seen: _Seen = {}
    for place in places:
        for path in _files(place) if place.is_dir() else (place,):
            try:
                status = path.stat()
            except OSError:  # it is gone already
                continue
            seen[path] = status.st_mtime_ns, status.st_size
    return seen


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _PASSED_BY]
        yield from (Path(where, name) for name in names if not name.endswith(".pyc"))
