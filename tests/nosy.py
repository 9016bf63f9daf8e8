"""Code that tries to tell the outside of events, by every way that there is, and an outside that listens."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import Self

CONSUMER = """
from eachonce import Consumer, Contract, Event, Work


class Sold(Contract, frozen=True, kw_only=True):
    item: str


consumer = Consumer("nosy")


@consumer.on(Sold)
def count_and_tell(event: Event[Sold], work: Work) -> None:
    tell_everybody()
    work.add("Stock", {"item": event.data.item}, sold=1)
"""

TRIES = """
import ctypes, os, socket, struct, subprocess, sys, urllib.request

HOST, PORT, UDP_PORT, FILE = "127.0.0.1", {port}, {udp_port}, {file!r}
ADDRESS = struct.pack("=H", socket.AF_INET) + struct.pack("!H", PORT) + socket.inet_aton(HOST) + bytes(8)


def in_c():
    c = ctypes.CDLL(None)
    c.connect(c.socket(socket.AF_INET, socket.SOCK_STREAM, 0), ADDRESS, len(ADDRESS))


def in_c_by_fast_open():
    c = ctypes.CDLL(None)
    c.sendto(c.socket(socket.AF_INET, socket.SOCK_STREAM, 0), b"x", 1, 0x20000000, ADDRESS, len(ADDRESS))


def in_c_by_datagram():
    c = ctypes.CDLL(None)
    address = ADDRESS[:2] + struct.pack("!H", UDP_PORT) + ADDRESS[4:]
    c.sendto(c.socket(socket.AF_INET, socket.SOCK_DGRAM, 0), b"x", 1, 0, address, len(address))


def in_c_to_a_file():
    c = ctypes.CDLL(None)
    c.close(c.open((FILE + ".c").encode(), os.O_CREAT | os.O_WRONLY, 0o600))


def by_another_program():
    program = f"import socket; socket.create_connection(({{HOST!r}}, {{PORT}}), timeout=1)"
    subprocess.run([sys.executable, "-c", program], stderr=subprocess.DEVNULL, check=False)


WAYS = {{
    "http": lambda: urllib.request.urlopen(f"http://{{HOST}}:{{PORT}}/", timeout=1),
    "socket": lambda: socket.create_connection((HOST, PORT), timeout=1),
    "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (HOST, UDP_PORT)),
    "message": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, (HOST, UDP_PORT)),
    "mapped": lambda: socket.create_connection(("::ffff:" + HOST, PORT), timeout=1),
    "c": in_c,
    "fast open": in_c_by_fast_open,
    "c datagram": in_c_by_datagram,
    "program": by_another_program,
    "file": lambda: open(FILE, "w"),
    "c file": in_c_to_a_file,
}}


def tell_everybody():
    for way in WAYS.values():
        try:
            way()
        except OSError:
            pass
    if opened is not None:
        opened.send(b"x")


try:
    opened = socket.create_connection((HOST, PORT), timeout=1)
except OSError:
    opened = None
"""


class Outside:
    """A listener on this machine, by TCP and UDP, and a file that nobody has any business to write."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        for listener in (self._tcp, self._udp):
            listener.setblocking(False)
        self.port = self._tcp.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tcp.close()
        self._udp.close()

    @property
    def tries(self) -> str:
        """The source of `tell_everybody`, which tries every way to this outside, and tries one when it is imported."""
        return TRIES.format(port=self.port, udp_port=self._udp.getsockname()[1], file=str(self._file))

    def reached(self) -> list[str]:
        """Return how the outside was reached since the last time: nothing that was sent is lost before it is read."""
        ways = [f"file {path.name}" for path in self._file.parent.glob(f"{self._file.name}*")]
        with suppress(BlockingIOError):
            while True:
                self._tcp.accept()[0].close()
                ways.append("connection")
        with suppress(BlockingIOError):
            while self._udp.recv(1):
                ways.append("datagram")
        return ways
