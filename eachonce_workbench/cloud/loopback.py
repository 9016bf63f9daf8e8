"""Names and addresses that lead back to the machine that uses them."""

from __future__ import annotations

import ipaddress

CONTAINER_HOST = "host.docker.internal"
"""What a container calls the machine that it runs on."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("LOCALHOST."), is_loopback("localhost.example.com")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().removesuffix(".") == "localhost"
