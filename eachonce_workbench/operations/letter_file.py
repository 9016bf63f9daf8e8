"""Dead letters in a file: one JSON object a line, with all that SQS gave of a message."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from eachonce_workbench.operations.dead_letter import DeadLetter


class LetterFile:
    """A new file that letters are put into; nothing of it is there before the first, and it is never written over.

    Raises FileExistsError, and OSError as the file system does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        if self._file is not None:
            self._file.close()

    def keep(self, letters: Sequence[DeadLetter]) -> None:
        """Put letters into the file; they are on the disk when this returns."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("xb")
            _sync(self.path.parent)  # a new file's name is the folder's, and isn't on the disk with it
        # All lines at once: whoever is killed meanwhile leaves whole ones, but for the last.
        self._file.write(b"".join(line_of(letter) for letter in letters))
        self._file.flush()
        os.fsync(self._file.fileno())
        self.count += len(letters)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def line_of(letter: DeadLetter) -> bytes:
    """Return a letter as a line of JSON, in ASCII, so that it is as it was; binary attributes are in base64."""
    document = letter.as_dict() | {
        "group_id": letter.group_id,
        "attributes": letter.attributes,
        "body": letter.body,
    }
    return json.dumps(document, separators=(",", ":"), default=_base64).encode() + b"\n"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
