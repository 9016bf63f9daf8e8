"""Names and addresses that lead back to the machine that uses them."""

from __future__ import annotations

import ipaddress

CONTAINER_HOST = "host.docker.internal"
"""What a container calls the machine that it runs on."""


def address_of(host: str) -> str:
    """The loopback address that a host name or address stands for.

    >>> address_of("localhost"), address_of("::1"), address_of("127.0.0.2")
    ('127.0.0.1', '::1', '127.0.0.2')

    Raises ValueError for any other: whoever is in the network could run the bundle's functions.
    """
    if not is_loopback(host):
        raise ValueError(f"{host} is no address of this machine alone")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("LOCALHOST."), is_loopback("localhost.example.com")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().removesuffix(".") == "localhost"
