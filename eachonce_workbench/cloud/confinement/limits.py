"""Limits: what a confined process may reach, and where it may write."""

from __future__ import annotations

import ipaddress
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Folders and files that may be written, and the TCP ports of this machine's loopback that may be connected to."""

    writable: tuple[str, ...]
    ports: tuple[int, ...] = ()

    @classmethod
    def of(cls, *writable: str | os.PathLike[str], ports: tuple[int, ...] = ()) -> Limits:
        """Return limits with these paths, as they are without links; nothing is lost in the null device."""
        return cls(writable=tuple(os.path.realpath(path) for path in (*writable, os.devnull)), ports=ports)

    @classmethod
    def decode(cls, text: str) -> Limits:
        """Return what `encode` has encoded."""
        values = json.loads(text)
        return cls(writable=tuple(values["writable"]), ports=tuple(values["ports"]))

    def encode(self) -> str:
        """Return the limits as text, for another process."""
        return json.dumps(asdict(self))

    def may_write(self, path: str, *, follow: bool = True) -> bool:
        """Whether a path leads to, or into, something writable; `follow` its last part where that is a link."""
        folder, name = os.path.split(path)
        real = os.path.realpath(path) if follow else str(Path(os.path.realpath(folder or os.curdir), name))
        return any(real == own or real.startswith(own.rstrip(os.sep) + os.sep) for own in self.writable)

    def may_connect(self, address: Any) -> bool:
        """Whether (host, port, ...) is an open port of the loopback."""
        return isinstance(address, tuple) and address[1] in self.ports and is_local(address[0])

    @staticmethod
    def may_look_up(host: Any) -> bool:
        """Whether a host's name is found without asking anybody."""
        return not host or is_local(host) or _is_number(host)


def is_local(host: Any) -> bool:
    """Whether a host is this machine's loopback, by name or by number."""
    return _text(host) == "localhost" or (_is_number(host) and ipaddress.ip_address(_text(host)).is_loopback)


def _is_number(host: Any) -> bool:
    try:
        ipaddress.ip_address(_text(host))
    except ValueError:
        return False
    return True


def _text(host: Any) -> str:
    return host.decode(errors="replace") if isinstance(host, bytes | bytearray) else str(host)
