"""A run's own folder, by the same name each time where it can be: a template that is told of it is translated once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MOST = 100  # at once, and left by those that were killed


@contextmanager
def own_folder() -> Iterator[Path]:
    """Give an empty folder that nobody else has, and that is gone afterwards."""
    folder = _first_free()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _first_free() -> Path:
    for number in range(_MOST):
        folder = Path(tempfile.gettempdir(), f"eachonce-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder
    return Path(tempfile.mkdtemp(prefix="eachonce-"))
