"""The guard: what Python code does to the world, as audit events tell it, refused where it goes beyond the limits.

https://docs.python.org/3/library/audit_events.html. It gives what is tried its best name, and is all there is where the
kernel confines nothing; what C code does, it doesn't see.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path, PurePath
from typing import Any

from eachonce_workbench.cloud.confinement.limits import Limits
from eachonce_workbench.cloud.confinement.words import in_words, tried


@dataclass(frozen=True, slots=True)
class _Change:
    """What an event does to files: in words, as done and as tried, and which arguments are its paths and folders.

    A path may begin at an open folder, whose descriptor is an argument of its own. A link stands for what it leads to
    where the change `follows` it.
    """

    done: str
    tried: str
    paths: tuple[int, ...] = (0,)
    folders: tuple[int, ...] = ()
    follows: bool = False


_CHANGES = {
    "os.chmod": _Change("changes the rights of", "change the rights of", folders=(2,), follows=True),
    "os.chown": _Change("changes the owner of", "change the owner of", folders=(3,), follows=True),
    "os.link": _Change("makes the link", "make the link", paths=(1,), folders=(3,)),
    "os.mkdir": _Change("makes the folder", "make the folder", folders=(2,)),
    "os.remove": _Change("removes the file", "remove the file", folders=(1,)),
    "os.rename": _Change("renames the file", "rename the file", paths=(0, 1), folders=(2, 3)),
    "os.rmdir": _Change("removes the folder", "remove the folder", folders=(1,)),
    "os.symlink": _Change("makes the link", "make the link", paths=(1,), folders=(2,)),
    "os.truncate": _Change("cuts the file", "cut the file", follows=True),
    "os.utime": _Change("changes the times of", "change the times of", folders=(3,), follows=True),
    "shutil.rmtree": _Change("removes the folder", "remove the folder", folders=(1,)),
    "sqlite3.connect": _Change("opens the database", "open the database", follows=True),
}
_OPEN = _Change("writes the file", "write the file", follows=True)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_ADDRESSED = {
    "socket.bind": "listen on",
    "socket.connect": "connect to",
    "socket.sendmsg": "send to",
    "socket.sendto": "send to",
}
_NAMED = frozenset({"socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname"})
# Of libraries that know better whom they call than the sockets below them.
_CALLED = {
    "ftplib.connect": "connect to",
    "http.client.connect": "connect to",
    "imaplib.open": "connect to",
    "poplib.connect": "connect to",
    "smtplib.connect": "connect to the mail server",
}
_REACHING = frozenset({*_ADDRESSED, *_NAMED, *_CALLED, "urllib.Request"})
_PROGRAMS = frozenset(
    {"os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.spawn", "subprocess.Popen"}
)


class RefusedError(PermissionError):
    """The code would have reached beyond its limits, on behalf of an event that never happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What is refused, and who is told of it: `refused` of what was tried, `changing` of what is about to change.

    The latter is within the limits, and is told in words and with its paths. `answered` are the audit events of
    libraries that are answered in this process, and so reach nobody.
    """

    limits: Limits
    refused: Callable[[str], object]
    changing: Callable[[str, Sequence[str]], object] = lambda _, __: None
    programs: bool = False
    answered: frozenset[str] = frozenset()

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Judge an audit event. Raises RefusedError."""
        if event == "open":
            if _writes(*arguments):
                self._change(_OPEN, arguments[:1])
        elif event in _CHANGES:
            self._change(_CHANGES[event], arguments)
        elif event in _PROGRAMS:
            if not self.programs:
                self._refuse("start a program")
        elif event in _REACHING and event not in self.answered:
            what = _reached(event, arguments, self.limits)
            if what is not None:
                self._refuse(what)

    def _change(self, change: _Change, arguments: tuple[Any, ...]) -> None:
        paths = list(_paths(change, arguments))
        for path in paths:
            if not self.limits.may_write(path, follow=change.follows):
                self._refuse(f"{change.tried} {path}")
        if paths and paths[0] != os.devnull:
            # By its own name: its folder may be another one the next time.
            self.changing(f"{change.done} {PurePath(paths[0]).name}", paths)

    def _refuse(self, what: str) -> None:
        self.refused(tried(what))
        raise RefusedError(f"{tried(what)}: refused")


class _Post:
    """Who is on guard now: nobody, or the last one to come."""

    guard: Guard | None = None
    listening = False


@contextmanager
def guarded(guard: Guard | None) -> Iterator[None]:
    """Let this one be on guard meanwhile, in all threads, in place of whoever is; or nobody."""
    outer = _Post.guard
    post(guard)
    try:
        yield
    finally:
        _Post.guard = outer


def post(guard: Guard | None) -> None:
    """Let this one be on guard from now on."""
    if not _Post.listening and guard is not None:
        sys.addaudithook(_heard)  # which can never be taken away again: it must cost nothing while nobody is on guard
        _Post.listening = True
    _Post.guard = guard


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    guard = _Post.guard
    if guard is not None and arguments:
        guard.hear(event, arguments)


def _writes(path: Any, mode: Any, flags: Any) -> bool:
    if isinstance(path, int):
        return False  # it is open already
    return any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool(int(flags or 0) & _WRITING)


def _paths(change: _Change, arguments: tuple[Any, ...]) -> Iterator[str]:
    """Yield the paths that would change, as they are seen from here."""
    for place, folder in zip_longest(change.paths, change.folders):
        given = arguments[place]
        if not isinstance(given, str | bytes | os.PathLike):  # it is open already
            continue
        path = os.fsdecode(given)
        if change is _CHANGES["sqlite3.connect"]:
            path = path.removeprefix("file:").partition("?")[0]
        if path in {"", ":memory:"} or "__pycache__" in path:  # the last is Python itself, importing
            continue
        at = -1 if folder is None else arguments[folder]
        yield path if at is None or at < 0 else str(PurePath(_open_folder(at), path))


def _open_folder(descriptor: int) -> str:
    """Return an open folder's path; where the system doesn't tell, it is taken for a temporary one."""
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return tempfile.gettempdir()


def _reached(event: str, arguments: tuple[Any, ...], limits: Limits) -> str | None:
    """Return what would reach somebody, in words; None where nothing does, or may."""
    if event in _ADDRESSED:
        address = arguments[1]
        if address is None or (event == "socket.connect" and limits.may_connect(address)):
            return None
        if event == "socket.bind" and isinstance(address, tuple) and address[1] == 0:
            return None  # as libraries do when they are imported, to see which kinds of addresses there are
        return f"{_ADDRESSED[event]} {_address(address)}"
    if event in _NAMED:
        return None if limits.may_look_up(arguments[0]) else f"look up {_text(arguments[0])}"
    if event in _CALLED:
        host, port = arguments[1], arguments[2]
        return None if limits.may_connect((host, port)) else f"{_CALLED[event]} {_address((host, port))}"
    return None if limits.ports else f"send an HTTP request to {arguments[0]}"


def _address(address: Any) -> str:
    if isinstance(address, tuple) and len(address) >= 2:
        return in_words((_text(address[0]), address[1]))
    return in_words(_text(address).replace("\0", "@"))


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes | bytearray) else str(value)
