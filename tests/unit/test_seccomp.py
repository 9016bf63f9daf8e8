"""The filter over system calls, as a processor's kernel would read it: both processors' filters, on any machine."""

from __future__ import annotations

import errno
import socket

import pytest

from eachonce_workbench.cloud.confinement.limits import Limits
from eachonce_workbench.cloud.confinement.seccomp import _CALLS, Calls, Instruction, program

ALLOWED, ASKED, KILLED = 0x7FFF0000, 0x7FC00000, 0x80000000
REFUSED, UNKNOWN, NO_FAMILY = (0x00050000 | error for error in (errno.EACCES, errno.ENOSYS, errno.EAFNOSUPPORT))

NOWHERE, CLOUD = Limits(writable=()), Limits(writable=(), ports=(4566,))
POINTER = 0x7FFF_0000_0000  # whose low word is 0
FAST_OPEN, MPTCP, UDP_LITE = 0x20000000, 262, 136


def decided(known: Calls, instructions: list[Instruction], number: int, *arguments: int) -> int:
    """Return what the filter comes to, as https://docs.kernel.org/networking/filter.html says BPF is run."""
    words = {0: number, 4: known.architecture}
    for place, argument in enumerate(arguments):
        words |= {16 + 8 * place: argument & 0xFFFFFFFF, 20 + 8 * place: argument >> 32}
    held = at = 0
    while True:
        code, if_true, if_false, constant = instructions[at]
        at += 1
        match code:
            case 0x20:
                held = words.get(constant, 0)
            case 0x54:
                held &= constant
            case 0x15:
                at += if_true if held == constant else if_false
            case 0x35:
                at += if_true if held >= constant else if_false
            case 0x06:
                return constant


@pytest.fixture(params=_CALLS)
def known(request: pytest.FixtureRequest) -> Calls:
    return _CALLS[request.param]


@pytest.mark.parametrize(("supervised", "refused"), [(True, ASKED), (False, REFUSED)])
def test_without_open_ports_nobody_is_reached(known: Calls, supervised: bool, refused: int) -> None:
    """Sockets may be made, and nothing can be done with them that would reach anybody."""
    filtered = program(known, NOWHERE, supervised=supervised)

    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            assert decided(known, filtered, known.socket, family, kind | 0o2000000 | 0o4000, 0) == ALLOWED
    for call in (known.connect, known.bind, known.listen, known.sendmsg, known.sendmmsg):
        assert decided(known, filtered, call, 3, POINTER, 1) == refused
    assert decided(known, filtered, known.sendto, 3, POINTER, 1, 0, POINTER, 16) == refused
    assert decided(known, filtered, known.sendto, 3, POINTER, 1, 0, 1, 16) == refused
    assert decided(known, filtered, known.sendto, 3, POINTER, 1, 0, 0, 0) == ALLOWED


@pytest.mark.parametrize("limits", [NOWHERE, CLOUD])
@pytest.mark.parametrize(("supervised", "refused"), [(True, ASKED), (False, REFUSED)])
def test_kinds_of_sockets_that_nothing_else_confines_are_not_made(
    known: Calls, limits: Limits, supervised: bool, refused: int
) -> None:
    """Raw ones, other families, and protocols that pass for TCP or UDP; netlink is missed by nobody."""
    filtered = program(known, limits, supervised=supervised)
    kinds = [(2, 3, 1), (17, 3, 0), (40, 1, 0), (2, 1, MPTCP), (2, 2, UDP_LITE), (2, 5, 0)]

    assert {decided(known, filtered, known.socket, *kind) for kind in kinds} == {refused}
    assert decided(known, filtered, known.socket, 16, 3, 0) == NO_FAMILY


def test_with_open_ports_the_supervisor_judges_who_is_called(known: Calls) -> None:
    """The filter sees no addresses."""
    filtered = program(known, CLOUD, supervised=True)

    for call in (known.connect, known.sendmsg, known.sendmmsg):
        assert decided(known, filtered, call, 3, POINTER, 1) == ASKED


def test_without_a_supervisor_there_is_nothing_but_tcp_which_landlock_judges(known: Calls) -> None:
    """A message that opens a connection on its way is none that Landlock sees."""
    filtered = program(known, CLOUD, supervised=False)

    assert decided(known, filtered, known.connect, 3, POINTER, 16) == ALLOWED
    assert decided(known, filtered, known.socket, socket.AF_INET, socket.SOCK_STREAM, 6) == ALLOWED
    assert decided(known, filtered, known.socket, socket.AF_INET, socket.SOCK_DGRAM, 0) == REFUSED
    assert decided(known, filtered, known.socket, socket.AF_UNIX, socket.SOCK_STREAM, 0) == REFUSED
    assert decided(known, filtered, known.sendmsg, 3, POINTER, 0) == ALLOWED
    assert decided(known, filtered, known.sendmsg, 3, POINTER, FAST_OPEN | 0x40) == REFUSED
    assert decided(known, filtered, known.sendmmsg, 3, POINTER, 1, FAST_OPEN) == REFUSED


def test_no_other_way_into_the_kernel_is_left(known: Calls) -> None:
    """Neither a ring of requests, nor another processor's numbers for the same calls."""
    filtered = program(known, CLOUD, supervised=True)
    foreign = Calls(
        **{name: getattr(known, name) for name in Calls.__slots__ if name != "architecture"}, architecture=3
    )

    assert decided(known, filtered, known.io_uring_setup, 8, POINTER) == UNKNOWN
    assert decided(known, filtered, 0x40000000 | known.connect, 3, POINTER, 16) == UNKNOWN
    assert decided(foreign, filtered, known.connect, 3, POINTER, 16) == KILLED
    assert decided(known, filtered, 0) == ALLOWED
