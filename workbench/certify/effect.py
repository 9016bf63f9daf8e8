"""Effects outside the work: what a handler does to the world while it runs, as Python's audit events tell it.

https://docs.python.org/3/library/audit_events.html
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_FILES = {
    "os.link": "links",
    "os.mkdir": "makes the folder",
    "os.remove": "removes the file",
    "os.rename": "renames the file",
    "os.rmdir": "removes the folder",
    "os.symlink": "links",
    "os.truncate": "cuts the file",
    "shutil.rmtree": "removes the folder",
    "sqlite3.connect": "opens the database",
}
# These would reach somebody: they are refused, so that nothing outside this process is ever told of a made-up event.
_REFUSED = {
    "os.exec": "starts a program",
    "os.posix_spawn": "starts a program",
    "os.spawn": "starts a program",
    "os.system": "starts a program",
    "smtplib.connect": "connects to a mail server",
    "socket.connect": "connects to",
    "socket.getaddrinfo": "looks up",
    "socket.sendto": "sends to",
    "subprocess.Popen": "starts a program",
    "urllib.Request": "sends an HTTP request to",
}


def is_refused(noted: str) -> bool:
    """Whether what was noted did not happen."""
    return noted.startswith(tuple(_REFUSED.values()))


class EffectRefusedError(ConnectionRefusedError):
    """The handler would have reached beyond this machine, on behalf of an event that never happened."""


class _Watch:
    """Whose effects are noted now; None where nobody's are."""

    noted: list[str] | None = None
    listening = False


@contextmanager
def watched(noted: list[str]) -> Iterator[None]:
    """Note in `noted` what the process does to the world meanwhile, in words."""
    if not _Watch.listening:
        sys.addaudithook(_heard)  # which can never be taken away again: it must cost nothing while nobody watches
        _Watch.listening = True
    outer, _Watch.noted = _Watch.noted, noted
    try:
        yield
    finally:
        _Watch.noted = outer


@contextmanager
def unwatched() -> Iterator[None]:
    """Note nothing meanwhile: what happens is the layer's doing, or this package's."""
    outer, _Watch.noted = _Watch.noted, None
    try:
        yield
    finally:
        _Watch.noted = outer


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    noted = _Watch.noted
    if noted is None or not arguments or "__pycache__" in str(arguments[0]):  # the last is Python itself, importing
        return
    if event == "open":
        if _writes(*arguments):
            noted.append(f"writes the file {_name(arguments[0])}")
    elif event in _FILES:
        noted.append(f"{_FILES[event]} {_name(arguments[0])}")
    elif event in _REFUSED:
        noted.append(f"{_REFUSED[event]} {_target(event, arguments)}".strip())
        raise EffectRefusedError(f"{event} is refused while handlers are certified")


def _writes(_: Any, mode: Any, flags: Any) -> bool:
    return any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool(int(flags or 0) & _WRITING)


def _name(path: Any) -> str:
    """Return a file's own name: its folder may be another one the next time."""
    return PurePath(os.fsdecode(path)).name if isinstance(path, str | bytes | os.PathLike) else "it has open"


def _target(event: str, arguments: tuple[Any, ...]) -> str:
    if event in {"socket.connect", "socket.sendto"}:
        return str(arguments[1][0] if isinstance(arguments[1], tuple) else arguments[1])
    return "" if _REFUSED[event] == "starts a program" else str(arguments[0])
