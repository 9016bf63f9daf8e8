"""The files that handlers change: put back before each schedule, as rows are, and compared after it.

What is gone when a handler returns was a scratch file, and no effect. What a handler adds to the end of a file is sent,
so to say: it is the same in any order, or it isn't. What it writes over something else is compared as it is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from eachonce_workbench.certify.effect import unwatched

_TIMES = "changes the times of"  # which no content tells


@dataclass(frozen=True, slots=True)
class Content:
    """What is at a path: a file's bytes and its rights; a folder, or anything else, has no bytes."""

    rights: int
    text: bytes | None

    @classmethod
    def at(cls, path: str) -> Content | None:
        """Return what is there now; None where nothing is, or nobody may look."""
        with suppress(OSError):
            here = Path(path)
            return cls(here.stat().st_mode & 0o7777, here.read_bytes() if here.is_file() else None)
        return None

    def put(self, path: Path) -> None:
        """Let this be there."""
        if self.text is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.text)
        path.chmod(self.rights)


Kept = Mapping[str, Content | None]


@dataclass(slots=True)
class Changes:
    """What one run changes: what it is called, with the paths, and what was there before."""

    words: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    before: dict[str, Content | None] = field(default_factory=dict)

    def note(self, words: str, paths: Sequence[str]) -> None:
        """Note what is at some paths before it changes, and how that is called."""
        self.words.append((words, tuple(paths)))
        for path in paths:
            if path not in self.before:
                self.before[path] = Content.at(path)

    def lasting(self) -> dict[str, Content | None]:
        """Return what is there now, where something is left of what was done."""
        now = {path: Content.at(path) for path in self.before}
        return {path: content for path, content in now.items() if content is not None or self.before[path] is not None}


@dataclass(slots=True)
class Files:
    """The files that handlers have changed so far; `rewritten` are the names of those that had other texts in them.

    They are `touched` where a handler has changed any, if only for a while.
    """

    rewritten: set[str] = field(default_factory=set)
    touched: bool = False
    _first: dict[str, Content | None] = field(default_factory=dict)

    def begin(self) -> Changes:
        """Return what notes the changes of a run."""
        return _Noting(self._first)

    def end(self, changes: Changes) -> tuple[list[str], list[str]]:
        """Return what a run has changed for good, in words, and what it has added to files, to the letter."""
        if not changes.words:
            return [], []
        self.touched = True
        now = changes.lasting()
        for path in [path for path in changes.before.keys() - now.keys() if self._first.get(path) is None]:
            self._first.pop(path, None)  # the next scratch file has another name
        other = {path: content for path, content in now.items() if content != changes.before[path]}
        effects = [
            words
            for words, paths in changes.words
            if not other.keys().isdisjoint(paths) or (words.startswith(_TIMES) and not now.keys().isdisjoint(paths))
        ]
        return effects, list(self._added(changes.before, other))

    def keep(self) -> Kept:
        """Return what is there now."""
        return {path: Content.at(path) for path in self._first}

    def put_back(self, kept: Kept) -> None:
        """Make the files what they were when they were kept, and others what they were before any handler."""
        if not self._first:
            return
        with unwatched():
            for path, first in sorted(self._first.items()):
                _put(kept.get(path, first), Path(path))
            for path in sorted(self._first, reverse=True):
                if kept.get(path, self._first[path]) is None:
                    _remove(Path(path))
        for path in [path for path, first in self._first.items() if first is None and path not in kept]:
            del self._first[path]

    def left(self) -> dict[str, str]:
        """Return what is in the files that had other texts before, by their names."""
        paths = [path for path in self._first if PurePath(path).name in self.rewritten]
        found = {PurePath(path).name: Content.at(path) for path in paths}
        return {name: "nothing" if one is None else _shown(one.text or b"") for name, one in found.items()}

    def _added(self, before: Mapping[str, Content | None], now: Mapping[str, Content | None]) -> Iterator[str]:
        for path, content in now.items():
            known, name = before[path], PurePath(path).name
            text = None if content is None else content.text
            old = b"" if known is None else known.text
            if text is None and (known is None or old is None):
                continue  # a folder
            if text is None or old is None or not text.startswith(old):
                self.rewritten.add(name)
            elif text != old:
                yield f"{written(name)}{_shown(text[len(old) :])}"


class _Noting(Changes):
    """Changes of which it is kept for ever what was there first."""

    __slots__ = ("_first",)

    def __init__(self, first: dict[str, Content | None]) -> None:
        super().__init__()
        self._first = first

    def note(self, words: str, paths: Sequence[str]) -> None:
        super().note(words, paths)
        for path in paths:
            self._first.setdefault(path, self.before[path])


def written(name: str) -> str:
    """Return how it begins what is said of something added to a file."""
    return f"writes into {name}: "


def _put(wanted: Content | None, path: Path) -> None:
    if wanted is not None and Content.at(str(path)) != wanted:
        with suppress(OSError):
            wanted.put(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


def _shown(text: bytes) -> str:
    return text.decode(errors="backslashreplace")
