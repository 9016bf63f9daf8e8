"""The supervisor: a process beside a confined one, which the kernel asks about each call that its filter refuses.

It reads whom the call is for, so that C code and programs that were started are told of as Python code is.
https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import ipaddress
import os
import select
import shutil
import signal
import socket
import struct
from dataclasses import dataclass

from eachonce_workbench.cloud.confinement.kernel import let_read
from eachonce_workbench.cloud.confinement.limits import Limits
from eachonce_workbench.cloud.confinement.seccomp import Calls
from eachonce_workbench.cloud.confinement.words import Address, in_words, tell, tried

_RECEIVE, _SEND, _STILL_ASKED = 0xC0502100, 0xC0182101, 0x40082102  # SECCOMP_IOCTL_NOTIF_RECV, _SEND, _ID_VALID
_QUESTION = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif: id, pid, flags; number, architecture, pointer, arguments
_ANSWER = struct.Struct("=QqiI")  # struct seccomp_notif_resp: id, value, error, flags
_GO_ON = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE

_LONGEST_ADDRESS = 128  # struct sockaddr_storage
_MOST_MESSAGES = 1024  # UIO_MAXIOV
_MESSAGE_BYTES, _VECTOR_BYTES = 16, 64  # msg_name and msg_namelen of struct msghdr; the whole of struct mmsghdr

# Where the C library asks for names of users and hosts before it looks for itself: nobody's attempt to reach anybody.
_NAME_SERVICES = ("/run/nscd/", "/var/run/nscd/", "/run/systemd/")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a call: it goes on, or it fails; `what` was tried, in words, where it is worth telling."""

    goes_on: bool = False
    what: str | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call that waits for an answer."""

    id: int
    thread: int
    number: int
    arguments: tuple[int, ...]


def supervise(known: Calls, limits: Limits, listener: int | None, pipe: int, *, folder: str | None = None) -> None:
    """Start a supervisor, which lasts as long as this process; it writes what was tried to `pipe`, a line each.

    When it ends it removes `folder`, which a confined process can't do for itself. For a process of one thread.
    """
    until, _ = os.pipe()
    told_pid, tell_pid = os.pipe()
    between = os.fork()
    if between == 0:  # and once more, so that the supervisor is no child that anybody here could wait for
        if os.fork() == 0:
            os.write(tell_pid, str(os.getpid()).encode())
            _stand_by(known, limits, listener, pipe, until, folder)
        os._exit(0)
    os.close(tell_pid)
    os.waitpid(between, 0)
    let_read(int(os.read(told_pid, 16)))
    for descriptor in (told_pid, until, listener):
        if descriptor is not None:
            os.close(descriptor)
    # What is left of this process's side, the writing end of `until`, closes when the process is gone.


def _stand_by(known: Calls, limits: Limits, listener: int | None, pipe: int, until: int, folder: str | None) -> None:
    """Live as the supervisor, and end."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the other
        _close_all_but(pipe, until, listener)
        os.set_blocking(pipe, False)
        waiting = select.poll()
        waiting.register(until, select.POLLIN)
        if listener is not None:
            waiting.register(listener, select.POLLIN)
        while (ready := dict(waiting.poll())) and until not in ready:
            if listener is not None:
                _answer(known, limits, listener, pipe)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os._exit(0)


def _close_all_but(*kept: int | None) -> None:
    """Close what was inherited: whoever reads a confined process's output waits until nobody can write it."""
    known = sorted(descriptor for descriptor in kept if descriptor is not None)
    for low, high in zip((-1, *known), (*known, os.sysconf("SC_OPEN_MAX")), strict=True):
        os.closerange(low + 1, high)


def _answer(known: Calls, limits: Limits, listener: int, pipe: int) -> None:
    question = bytearray(_QUESTION.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, question)
    except OSError:  # whoever asked is gone, or was interrupted and will ask again
        return
    asked_id, thread, _, number, _, _, *arguments = _QUESTION.unpack(question)
    asked = _Asked(asked_id, thread, number, tuple(arguments))
    judgement = _judged(known, limits, asked, listener)
    if judgement.what is not None:
        tell(pipe, tried(judgement.what))
    error, flags = (0, _GO_ON) if judgement.goes_on else (-errno.EACCES, 0)
    with contextlib.suppress(OSError):
        fcntl.ioctl(listener, _SEND, _ANSWER.pack(asked.id, 0, error, flags))


def _judged(known: Calls, limits: Limits, asked: _Asked, listener: int) -> Judgement:
    """Return the judgement of a call.

    The kernel reads the address again when a call goes on. A thread that changes it in between is stopped by Landlock,
    which knows the ports, too; code that attacks whoever examines it is not what this is made for.
    """
    if asked.number == known.socket:
        return Judgement(what=f"open a socket of family {asked.arguments[0]}, kind {asked.arguments[1] & 0xF}")
    if asked.number == known.listen:
        return Judgement(what="listen")
    try:
        address = _address(known, asked)
        fcntl.ioctl(listener, _STILL_ASKED, asked.id.to_bytes(8, "little"))  # or it was another process's memory
    except OSError:
        address = b"?"
    if address == b"":
        return Judgement(goes_on=bool(limits.ports), what=None if limits.ports else "send a message")
    to = _parsed(address)
    if asked.number == known.connect and limits.may_connect(to):
        return Judgement(goes_on=True)
    verb = {known.connect: "connect to", known.bind: "listen on"}.get(asked.number, "send to")
    return Judgement(what=None if _reaches_nobody(to) else f"{verb} {in_words(to)}")


def _address(known: Calls, asked: _Asked) -> bytes:
    """Return the address that a call names; none where it names none. Raises OSError."""
    first = asked.arguments[1]
    if asked.number in (known.connect, known.bind):
        return _memory(asked.thread, first, min(asked.arguments[2], _LONGEST_ADDRESS))
    if asked.number == known.sendto:
        return _memory(asked.thread, asked.arguments[4], min(asked.arguments[5], _LONGEST_ADDRESS))
    count = min(asked.arguments[2], _MOST_MESSAGES) if asked.number == known.sendmmsg else 1
    for place in range(count):
        name, length = struct.unpack("=QI4x", _memory(asked.thread, first + place * _VECTOR_BYTES, _MESSAGE_BYTES))
        if name:
            return _memory(asked.thread, name, min(length, _LONGEST_ADDRESS)) or b"?"
    return b""


def _memory(thread: int, place: int, size: int) -> bytes:
    memory = os.open(f"/proc/{thread}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(memory, size, place)
    finally:
        os.close(memory)


def _parsed(address: bytes) -> Address:
    """Return (host, port), the path of a Unix socket, or None for anything else."""
    family = int.from_bytes(address[:2], "little")
    if family == socket.AF_UNSPEC and len(address) >= 2:
        return "nobody", 0  # which undoes an earlier connect
    if family == socket.AF_INET and len(address) >= 8:
        return str(ipaddress.ip_address(address[4:8])), int.from_bytes(address[2:4], "big")
    if family == socket.AF_INET6 and len(address) >= 24:
        host = ipaddress.IPv6Address(address[8:24])
        return str(host.ipv4_mapped or host), int.from_bytes(address[2:4], "big")
    if family == socket.AF_UNIX:
        path = address[2:]
        return os.fsdecode(path.rstrip(b"\0").replace(b"\0", b"@") if path[:1] == b"\0" else path.partition(b"\0")[0])
    return None


def _reaches_nobody(address: Address) -> bool:
    """Whether a library only looks around: port 0 is nobody's, and the C library's name services are its own."""
    if isinstance(address, str):
        return address.startswith(_NAME_SERVICES)
    return address is not None and address[1] == 0
