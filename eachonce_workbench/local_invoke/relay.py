"""A way for containers to a port of this machine's loopback interface, for as long as it is open."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

_LOOPBACK = "127.0.0.1"
_CHUNK_BYTES = 65_536


class Relay(socketserver.ThreadingTCPServer):
    """Passes on what its neighbours send; whoever is not in its network is turned away.

    Linux takes what comes in at any interface for any address of its own. So that the address is a bridge's keeps
    nobody out; but the answers to a caller who feigns to be a neighbour stay on the bridge.
    """

    daemon_threads = True

    allow_reuse_address = True

    def __init__(self, bridge: IPv4Interface, port: int, *, at: int = 0) -> None:
        """Listen on the bridge's address and the port `at`, 0 for one that is free, on behalf of `port` of loopback."""
        super().__init__((str(bridge.ip), at), _Connection)
        self.port: int = self.server_address[1]
        self.used = False
        self.target = (_LOOPBACK, port)
        self._network = bridge.network

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - its form
        """Let neighbours in."""
        if IPv4Address(client_address[0]) not in self._network:
            return False
        self.used = True
        return True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke: both of its ends notice."""


@contextlib.contextmanager
def relaying(bridge: IPv4Interface, port: int, *, at: int = 0) -> Iterator[Relay]:
    """Give a relay that works, in threads of its own, until the context ends. Raises OSError when it can't listen."""
    with Relay(bridge, port, at=at) as relay:
        threading.Thread(target=relay.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        try:
            yield relay
        finally:
            relay.shutdown()


class _Connection(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as target:
            answers = threading.Thread(target=_pass_on, args=(target, self.request), daemon=True)
            answers.start()
            _pass_on(self.request, target)
            answers.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK_BYTES):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
