"""What was sent last, of each kind, from one start of the local cloud to the next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

_MOST_KINDS = 200
_MOST_BYTES = 256 * 1024

Texts = dict[str, str]


class Kept:
    """The texts of the last form of each kind, in memory, and in a file where there is a folder."""

    def __init__(self, folder: Path | None) -> None:
        """Read what the file in the bundle's `folder` has; one that nobody can read is none."""
        self._file = None if folder is None else folder / ".run" / "console" / "sent.json"
        self._texts: dict[str, Texts] = {}
        try:
            if self._file is not None:
                self._texts = msgspec.json.decode(self._file.read_bytes(), type=dict[str, Texts])
        except (OSError, msgspec.MsgspecError, UnicodeError):
            self._texts = {}

    def last(self, name: str) -> Texts | None:
        """Return the texts that were last sent under a name."""
        return self._texts.get(name)

    def keep(self, name: str, texts: Mapping[str, str]) -> None:
        """Keep texts in memory, unless they are large."""
        if sum(map(len, texts.values())) > _MOST_BYTES:
            return
        self._texts.pop(name, None)
        self._texts[name] = dict(texts)
        while len(self._texts) > _MOST_KINDS:
            del self._texts[next(iter(self._texts))]

    def save(self) -> None:
        """Write the file; what can't be written is kept in memory alone. Blocks."""
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            written = self._file.with_suffix(".new")
            written.write_bytes(msgspec.json.encode(self._texts))
            written.replace(self._file)
        except OSError:
            return
