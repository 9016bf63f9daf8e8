"""How the local cloud is served: its socket, its address, and the server on it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator

import uvicorn

from eachonce_workbench.cloud.web.wire import Spelling

App = Callable[..., Awaitable[None]]
"""What answers requests, by ASGI: https://asgi.readthedocs.io/en/latest/specs/main.html."""

# An idle connection costs nothing here, and a client that finds its connection closed has to send again.
KEEP_ALIVE_SECONDS = 3600


def listen(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    """A socket that listens on an address of this machine; port 0 takes any that is free.

    Raises OSError when the port is taken.
    """
    # asyncio turns off Nagle's algorithm, which would cost 40 ms a request, only where the protocol is spelt out.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
        listening.setblocking(False)  # noqa: FBT003 - its only form
    except OSError:
        listening.close()
        raise
    return listening


def endpoint_of(listening: socket.socket) -> str:
    """The URL that clients use."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server:
    """Serves an ASGI app on a socket, on the running loop, until it is stopped; leaves signals to its owner."""

    def __init__(self, app: App, listening: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            log_level="warning",
            lifespan="off",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
            server_header=False,
            ws="none",
            http=Spelling,
        )
        self._uvicorn = _Uvicorn(config)
        self._listening = listening
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when requests are answered."""
        self._serving = asyncio.create_task(self._uvicorn.serve(sockets=[self._listening]), name="server")
        while not self._uvicorn.started and not self._serving.done():
            await asyncio.sleep(0)
        if self._serving.done():
            await self._serving

    async def stop(self) -> None:
        """Close every connection and the socket; idempotent."""
        self._uvicorn.should_exit = True
        if self._serving is not None:
            await self._serving
        self._listening.close()


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the local cloud's owner decides what Ctrl-C means."""
        yield
