"""The container engine that `sam` uses, and the network that it shares with this machine."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network

from eachonce_workbench.local_invoke.error import InvokeError

# An engine, and what it calls the network that a container is in when nobody says otherwise.
_NETWORKS = {"docker": "bridge", "finch": "bridge", "podman": "podman"}
_SUBNET = re.compile(r'"subnet":\s*"([\d.]+/\d+)"', re.IGNORECASE)
_HOST_NAME = re.compile(r"^\s*(?:host)?name:\s*(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_ANSWER_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A container engine that answers; `description` is what it says of itself."""

    name: str
    description: str

    def bridge(self) -> IPv4Interface | None:
        """Give this machine's address in the network of the containers.

        None when it has none: the engine is in a virtual machine (Docker Desktop, Finch, Colima), or runs without
        privileges.
        """
        if not self._is_on_this_machine():
            return None
        inspected = _ask(self.name, "network", "inspect", _NETWORKS[self.name])
        bridges = (_own_address(IPv4Network(subnet, strict=False)) for subnet in _SUBNET.findall(inspected.stdout))
        return next((bridge for bridge in bridges if bridge is not None), None)

    def _is_on_this_machine(self) -> bool:
        # A virtual machine has a host name of its own, and a network that may well have the same addresses.
        own_name = socket.gethostname().lower()
        return own_name in (found.lower() for found in _HOST_NAME.findall(self.description))


def running_engine() -> Engine:
    """Return the container engine that runs here. Raises InvokeError when none does."""
    installed = [name for name in _NETWORKS if shutil.which(name)]
    for name in installed:
        answer = _ask(name, "info")
        if answer.returncode == 0:
            return Engine(name=name, description=answer.stdout)
    there = f"{' and '.join(installed)} is installed, but no engine answers" if installed else "none is installed"
    raise InvokeError(
        f"sam local invoke needs a container engine (Docker, Finch or Podman): {there}. "
        "Without one, `make run` and `make serve` run the same functions as processes."
    )


def _ask(engine: str, *question: str) -> subprocess.CompletedProcess[str]:
    command = [engine, *question]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False)  # noqa: S603 - fixed words
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, returncode=1, stdout="", stderr="")


def _own_address(network: IPv4Network) -> IPv4Interface | None:
    """The address that this machine would send from to a neighbour in `network`, if it is in it itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(network.network_address + 1), 9))  # which sends nothing
        except OSError:
            return None
        own = IPv4Interface(f"{probe.getsockname()[0]}/{network.prefixlen}")
    return own if own.ip in network else None
