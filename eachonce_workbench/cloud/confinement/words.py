"""What was tried, in words, and how one process tells another of it."""

from __future__ import annotations

import contextlib
import os

_TRIED = "tried to "

Address = tuple[str, int] | str | None
"""A host and its port, the path of a Unix socket, or nothing that can be read."""


def tried(what: str) -> str:
    """Return what was tried and refused, as its story goes on after whoever tried it."""
    return f"{_TRIED}{what}"


def is_refused(told: str) -> bool:
    """Whether what was told did not happen."""
    return told.startswith(_TRIED)


def in_words(address: Address) -> str:
    """Return an address as people write it."""
    match address:
        case (host, port):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case str():
            return address or "a socket without a name"
    return "an address that can't be read"


def tell(pipe: int, what: str) -> None:
    """Write a line into a pipe; where nobody reads it any more, it is lost."""
    with contextlib.suppress(OSError):
        os.write(pipe, f"{what}\n".encode(errors="replace"))


def told(pipe: int) -> list[str]:
    """Return the lines that a pipe, which doesn't block, has now."""
    with contextlib.suppress(BlockingIOError):
        return os.read(pipe, 65_536).decode(errors="replace").splitlines()
    return []
