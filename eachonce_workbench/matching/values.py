"""When two JSON values are equal to an event pattern: numbers by value, IP addresses by address, the rest as written.

The rules are EventBridge's, https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html,
and in the corners those of its open source matcher, https://github.com/aws/event-ruler.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address
from math import isfinite
from typing import Any, TypeGuard

Test = Callable[[Any], bool]

Address = IPv4Address | IPv6Address

_SURELY_EXACT = 2**53
_LONGEST_IPV4 = 15
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*")
_LONGEST_IPV6 = 39


class InvalidPattern(ValueError):  # noqa: N818 - a fact about the pattern, as in AWS's InvalidEventPattern
    """EventBridge would refuse this event pattern: `reason` says why, `path` where in the pattern."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"Event pattern is not valid. Reason: {f'at {path}: ' if path else ''}{reason}")
        self.path = path
        self.reason = reason


def is_in(values: Iterable[Any]) -> Test:
    """A JSON value that equals one of `values`."""
    identities = frozenset(map(_identity, values))
    return lambda value: _identity(value) in identities


def is_address(wanted: Address) -> Test:
    """A string that spells the address `wanted`."""
    return lambda value: isinstance(value, str) and address_of(value) == wanted


def address_of(text: str) -> Address | None:
    """The IP address that `text` spells, or None.

    As to Java, which event-ruler asks: octets may begin with zeros, and an IPv4-mapped address is the IPv4 address.
    """
    if len(text) > _LONGEST_IPV6:
        return None
    if _IPV4.fullmatch(text):
        return _ipv4(text)
    return _ipv6(text) if _IPV6.fullmatch(text) else None


def _ipv4(text: str) -> IPv4Address | None:
    octets = [int(octet) for octet in text.split(".")]
    return IPv4Address(bytes(octets)) if len(text) <= _LONGEST_IPV4 and max(octets) < 256 else None


def _ipv6(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def is_number(value: Any) -> TypeGuard[int | float | Decimal]:
    """Whether a value is a JSON number: True is an int to Python, and YAML has an infinity."""
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def comparable(value: Any) -> float | None:
    """The double that a number is; None for what isn't a number, and for a number that no double says exactly.

    EventBridge's page has numbers from -5.0e9 to 5.0e9; its matcher compares all that a double, written out in
    decimals, is equal to (event-ruler, ComparableNumber.java).
    """
    if not is_number(value):
        return None
    if isinstance(value, int) and abs(value) <= _SURELY_EXACT:
        return float(value)
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    double = float(exact)
    return double if Decimal(repr(double)) == exact else None


def _identity(value: Any) -> Hashable:
    """A key that two JSON values share if and only if they are equal: to Python, True equals 1."""
    if not is_number(value):
        return value  # type: ignore[no-any-return]  # null, true, false or a string
    number = comparable(value)
    # What can't be compared still equals itself as it is written (event-ruler, JsonRuleCompiler.java).
    return ("number", number) if number is not None else ("digits", Decimal(value).as_tuple())
