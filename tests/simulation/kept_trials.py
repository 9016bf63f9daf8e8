"""What wrong layers came to, kept in a file: whoever goes on later tries no layer twice on the same code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from tests.simulation.wrong_layers import WrongLayer


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What a wrong layer came to: the promises that were broken, by the first seed that broke one."""

    broken: tuple[str, ...] = ()
    seed: int | None = None
    seen: str = ""


class _Line(msgspec.Struct, frozen=True):
    key: str
    tried: Tried


class KeptTrials:
    """A file of trials; `code` is the digest of all that they ran on, and what ran on another isn't known."""

    def __init__(self, path: Path, *, code: str) -> None:
        self._path = path
        self._code = code
        lines = path.read_bytes().splitlines() if path.exists() else []
        self._known = {line.key: line.tried for line in _whole(lines)}

    def of(self, layer: WrongLayer) -> Tried | None:
        """Return what a layer came to; None where it wasn't tried, was another one, or was tried on other code."""
        return self._known.get(self._key(layer))

    def note(self, layer: WrongLayer, tried: Tried) -> None:
        """Add what a layer came to, at once."""
        line = _Line(self._key(layer), tried)
        self._known[line.key] = tried
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(b"\n" + msgspec.json.encode(line))

    def _key(self, layer: WrongLayer) -> str:
        return sha256(self._code.encode() + msgspec.json.encode(layer)).hexdigest()


def digest(places: Iterable[Path]) -> str:
    """Return the digest of files, and of all but compiled code in folders."""
    seen = sha256()
    for path in sorted(file for place in places for file in _files(place)):
        seen.update(f"{path} {sha256(path.read_bytes()).hexdigest()}\n".encode())
    return seen.hexdigest()


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    else:
        yield from (path for path in place.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _whole(lines: Iterable[bytes]) -> Iterator[_Line]:
    """Yield what was written to its end: whoever was stopped has left half a line."""
    for line in lines:
        try:
            yield msgspec.json.decode(line, type=_Line)
        except msgspec.DecodeError:
            continue
