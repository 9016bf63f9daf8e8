"""How a container gets to the local cloud, which listens on the loopback interface alone."""

from __future__ import annotations

import contextlib
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from eachonce_workbench.cloud.loopback import CONTAINER_HOST
from eachonce_workbench.local_invoke.engine import Engine
from eachonce_workbench.local_invoke.error import InvokeError
from eachonce_workbench.local_invoke.relay import Relay, relaying

_ANSWER_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The local cloud as a container sees it: `address` is what it must take CONTAINER_HOST for."""

    port: int
    address: str
    relay: Relay | None = None

    @property
    def endpoint(self) -> str:
        """The URL that AWS's SDKs use in the container."""
        return f"http://{CONTAINER_HOST}:{self.port}"

    @property
    def missed(self) -> bool:
        """Whether it is certain that nothing has come this way."""
        return self.relay is not None and not self.relay.used


@contextlib.contextmanager
def reach(engine: Engine, port: int) -> Iterator[Reach]:
    """Let containers reach `port` of this machine's loopback interface until the context ends.

    An engine in a virtual machine brings CONTAINER_HOST to that interface by itself. For one on this machine, a relay
    listens in the containers' network.
    """
    bridge = engine.bridge()
    if bridge is None:
        yield Reach(port=port, address="host-gateway")
        return
    with relaying(bridge, port) as relay:
        yield Reach(port=relay.port, address=str(bridge.ip), relay=relay)


def require_local_cloud(endpoint: str) -> None:
    """Raise InvokeError unless something answers at `endpoint`."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(endpoint, timeout=_ANSWER_SECONDS).close()
    except urllib.error.HTTPError:
        return  # it answers, if only to say that the request is not signed
    except OSError as error:
        raise InvokeError(f"no local cloud answers at {endpoint}: start it with `make serve`") from error
