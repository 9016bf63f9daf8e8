"""A seccomp filter over the calls by which a process reaches another one: sockets, and nothing else.

https://docs.kernel.org/userspace-api/seccomp_filter.html. The filter sees numbers, no addresses: who is called is for
the `supervisor` to see, which answers the calls that are refused and tells of them. A filter holds for all that the
process starts, and for C code as for Python; nothing takes it away again.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eachonce_workbench.cloud.confinement.kernel import machine, renounce_privileges, system_call
from eachonce_workbench.cloud.confinement.limits import Limits

Instruction = tuple[int, int, int, int]
"""A BPF instruction: code, how far to jump if true and if false, and its constant."""

_SET_MODE_FILTER, _GET_ACTION_AVAILABLE, _NEW_LISTENER = 1, 2, 1 << 3  # linux/seccomp.h, as all that follows
_KILL_PROCESS, _ERRNO, _NOTIFY, _ALLOW = 0x80000000, 0x00050000, 0x7FC00000, 0x7FFF0000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they are in struct seccomp_data
_X32 = 0x40000000  # the bit of x86-64's second set of numbers for the same calls
_MSG_FASTOPEN = 0x20000000  # a send that connects, https://docs.kernel.org/networking/ip-sysctl.html, tcp_fastopen


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """The numbers of system calls on one processor, and the processor's own (linux/audit.h)."""

    architecture: int
    seccomp: int
    socket: int
    connect: int
    bind: int
    listen: int
    sendto: int
    sendmsg: int
    sendmmsg: int
    io_uring_setup: int = 425


_CALLS = {
    "x86_64": Calls(
        architecture=0xC000003E,
        seccomp=317,
        socket=41,
        connect=42,
        bind=49,
        listen=50,
        sendto=44,
        sendmsg=46,
        sendmmsg=307,
    ),
    "aarch64": Calls(
        architecture=0xC00000B7,
        seccomp=277,
        socket=198,
        connect=203,
        bind=200,
        listen=201,
        sendto=206,
        sendmsg=211,
        sendmmsg=269,
    ),
}


def calls() -> Calls | None:
    """Return this machine's calls; None where this filter is not written for it."""
    return _CALLS.get(machine() or "")


def can_notify(known: Calls) -> bool:
    """Whether the kernel can ask a supervisor (since Linux 5.0). Raises OSError where it knows no seccomp."""
    try:
        system_call(known.seccomp, _GET_ACTION_AVAILABLE, 0, ctypes.byref(ctypes.c_uint32(_NOTIFY)))
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            return False
        raise
    return True


def install(known: Calls, limits: Limits) -> int | None:
    """Filter this thread's calls, and those of all that it starts, for good. Raises OSError.

    Returns the file descriptor by which a supervisor is asked about what is refused; None where nobody can be.
    """
    renounce_privileges()
    if can_notify(known):
        try:
            return _install(known, program(known, limits, supervised=True), _NEW_LISTENER)
        except OSError as error:
            if error.errno != errno.EBUSY:  # a filter that is there already has a supervisor; there can be but one
                raise
    _install(known, program(known, limits, supervised=False), 0)
    return None


def program(known: Calls, limits: Limits, *, supervised: bool) -> list[Instruction]:
    """Return the filter.

    A socket may be made, since libraries make some when they are imported; it can't reach anybody. Without a
    supervisor and with ports open, Landlock judges TCP, and there is no other kind of socket.
    """
    refuse = _give(_NOTIFY) if supervised else _give(_ERRNO | errno.EACCES)
    judged = limits.ports and not supervised
    return [
        _load(_ARCHITECTURE),
        *_unless((known.architecture,), _give(_KILL_PROCESS)),
        _load(_NUMBER),
        (0x35, 0, 1, _X32),  # if at least
        _give(_ERRNO | errno.ENOSYS),
        # Its requests pass no filter: https://man7.org/linux/man-pages/man7/io_uring.7.html
        *_when(known.io_uring_setup, [_give(_ERRNO | errno.ENOSYS)]),
        *_when(known.socket, list(_of_socket(refuse, tcp_only=bool(judged)))),
        *_when(known.connect, [_give(_ALLOW) if judged else refuse]),
        *_when(known.bind, [refuse]),
        *_when(known.listen, [refuse]),
        *_when(known.sendto, [*_word_of(4, 0), *_unless((0,), refuse), *_word_of(4, 1), *_unless((0,), refuse)]),
        *_when(known.sendmsg, _of_message(2, refuse, judged=bool(judged))),
        *_when(known.sendmmsg, _of_message(3, refuse, judged=bool(judged))),
        _give(_ALLOW),
    ]


def _of_socket(refuse: Instruction, *, tcp_only: bool) -> Iterator[Instruction]:
    """Yield the judgement of socket(family, type, protocol): protocols that Landlock doesn't see are none of ours."""
    inet = (socket.AF_INET, socket.AF_INET6)
    families = inet if tcp_only else (*inet, socket.AF_UNIX)
    kinds = (socket.SOCK_STREAM,) if tcp_only else (socket.SOCK_STREAM, socket.SOCK_DGRAM)
    yield from _word_of(0, 0)
    # C libraries ask for the addresses of this machine by netlink, and do without: nobody need be told.
    yield from _when_held(_NETLINK, [_give(_ERRNO | errno.EAFNOSUPPORT)])
    yield from _unless(families, refuse)
    yield from _word_of(1, 0)
    yield (0x54, 0, 0, 0xF)  # and: without SOCK_CLOEXEC and SOCK_NONBLOCK
    yield from _unless(kinds, refuse)
    yield from _word_of(2, 0)
    yield from _unless((0, socket.IPPROTO_TCP, socket.IPPROTO_UDP), refuse)


def _of_message(flags: int, refuse: Instruction, *, judged: bool) -> list[Instruction]:
    """Return the judgement of a message, which may have an address; a TCP socket has no use for one but to connect."""
    if not judged:
        return [refuse]
    return [*_word_of(flags, 0), (0x54, 0, 0, _MSG_FASTOPEN), *_unless((0,), refuse)]


_NETLINK = 16


def _load(offset: int) -> Instruction:
    return (0x20, 0, 0, offset)


def _word_of(argument: int, half: int) -> list[Instruction]:
    """Load the low (0) or high (1) word of an argument; both processors are little-endian."""
    return [_load(_ARGUMENTS + 8 * argument + 4 * half)]


def _give(action: int) -> Instruction:
    return (0x06, 0, 0, action)


def _when(number: int, then: Sequence[Instruction]) -> list[Instruction]:
    """For one call: load its number, do this, and allow it where this has come to nothing else."""
    return [_load(_NUMBER), *_when_held(number, [*then, _give(_ALLOW)])]


def _when_held(value: int, then: Sequence[Instruction]) -> list[Instruction]:
    return [(0x15, 0, len(then), value), *then]


def _unless(values: Sequence[int], then: Instruction) -> list[Instruction]:
    """Do `then` unless what is loaded is one of these values."""
    return [*((0x15, len(values) - place, 0, value) for place, value in enumerate(values)), then]


def _install(known: Calls, instructions: Sequence[Instruction], flags: int) -> int:
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in instructions))
    # struct sock_fprog: a length, and a pointer after padding.
    whole = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(code)))
    return system_call(known.seccomp, _SET_MODE_FILTER, flags, whole)
