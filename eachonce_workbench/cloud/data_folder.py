"""A folder that keeps what tables, queues and buckets hold while no local cloud runs."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from eachonce_workbench.cloud.store.kept import Kept, KeptError

_FILE = "data.msgpack"
_LOCK = "lock"


class DataFolderError(Exception):
    """The folder can't be used: another local cloud has it, or it can't be read or written."""


class DataFolder:
    """What is kept in one folder, for one local cloud at a time: that of whoever is in its context."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE
        self._folder = folder
        self._written = b""

    def __enter__(self) -> Self:
        """Make the folder, and keep others out. Raises DataFolderError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self._folder / _LOCK).open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise DataFolderError(f"{self._folder}: another local cloud has it") from None
        except OSError as error:
            raise DataFolderError(f"{self._folder}: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let others in."""
        self._lock.close()

    def read(self) -> Kept:
        """Return what was kept, nothing in a new folder. Raises DataFolderError."""
        try:
            self._written = self._file.read_bytes()
            return Kept.decoded(self._written)
        except FileNotFoundError:
            return Kept()
        except (OSError, KeptError) as error:
            raise DataFolderError(f"{self._file}: {error}") from error

    def write(self, kept: Kept) -> None:
        """Keep this in place of what was kept before: all of it or nothing, whatever happens. Raises OSError."""
        text = kept.encoded()
        if text == self._written:
            return
        new = self._file.with_suffix(".new")
        with new.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)
        self._written = text
