"""What a command keeps of its last result, in the bundle's own folder, for whoever looks at it later."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

FOLDER = ".run"
"""Where, in a bundle's folder, commands leave what they want to find again; nobody's version control has it."""

_MOST_BYTES = 32 * 1024 * 1024


class KeptError(ValueError):
    """What lies there was left by another version, or by somebody else; the message says why."""


def keep(path: Path, document: Any) -> None:
    """Write a result, whole or not at all, whoever else reads or writes it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".new", delete=False, encoding="utf-8") as new:
        json.dump(document, new, indent=2)
        new.write("\n")
    Path(new.name).replace(path)


def kept(path: Path, kind: type[T]) -> T | None:
    """Return the result that lies there; None where none does. Raises KeptError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise KeptError(f"{path} is larger than any that is written here")
        return read(path.read_text(encoding="utf-8"), kind)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise KeptError(f"{path} can't be read: {error}") from error


def read(text: str, kind: type[T]) -> T:
    """Return a result as it was written. Raises ValueError.

    Texts of whoever was simulated may hold half a character (a lone surrogate), which Python's own JSON alone reads.
    """
    try:
        return msgspec.convert(json.loads(text), kind)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
