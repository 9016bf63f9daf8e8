"""Addresses as the kernel has them, in words, and whom a call may be for."""

from __future__ import annotations

import socket
import struct

import pytest

from eachonce_workbench.cloud.confinement.limits import Limits
from eachonce_workbench.cloud.confinement.supervisor import _parsed, _reaches_nobody
from eachonce_workbench.cloud.confinement.words import in_words

V4 = struct.pack("=H", socket.AF_INET) + struct.pack("!H", 443) + socket.inet_aton("203.0.113.9") + bytes(8)
V6 = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", 443, 0) + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
MAPPED = V6[:8] + socket.inet_pton(socket.AF_INET6, "::ffff:127.0.0.1")
UNIX = struct.pack("=H", socket.AF_UNIX)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (V4, "203.0.113.9:443"),
        (V6, "[2001:db8::1]:443"),
        (MAPPED, "127.0.0.1:443"),
        (UNIX + b"/run/docker.sock\0", "/run/docker.sock"),
        (UNIX + b"\0bus\0\0", "@bus"),
        (UNIX, "a socket without a name"),
        (V4[:5], "an address that can't be read"),
        (b"?", "an address that can't be read"),
        (b"", "an address that can't be read"),
    ],
)
def test_an_address_is_told_as_people_write_it(address: bytes, words: str) -> None:
    """Whatever a program passes to the kernel, it is told of."""
    assert in_words(_parsed(address)) == words


@pytest.mark.parametrize(
    ("address", "nobody"),
    [
        (V4, False),
        (V4[:2] + b"\0\0" + V4[4:], True),
        (struct.pack("=H", socket.AF_UNSPEC) + bytes(14), True),
        (UNIX + b"/var/run/nscd/socket\0", True),
        (UNIX + b"/run/docker.sock\0", False),
        (b"?", False),
    ],
)
def test_a_library_that_looks_around_reaches_nobody(address: bytes, nobody: bool) -> None:
    """It is refused all the same, and no handler is blamed for it."""
    assert _reaches_nobody(_parsed(address)) is nobody


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        (("127.0.0.1", 4566), True),
        (("localhost", 4566), True),
        (("::1", 4566, 0, 0), True),
        (("127.0.0.1", 4567), False),
        (("203.0.113.9", 4566), False),
        (("localhost.example.org", 4566), False),
        ("/run/docker.sock", False),
        (None, False),
    ],
)
def test_an_open_port_is_this_machines_own(address: object, allowed: bool) -> None:
    """The same port elsewhere is somebody else's."""
    assert Limits(writable=(), ports=(4566,)).may_connect(address) is allowed
