"""When two JSON values are equal to an event pattern: numbers by value, IP addresses by address, the rest as written.

The rules are EventBridge's, https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html,
and in the corners those of its open source matcher, https://github.com/aws/event-ruler.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address
from math import floor
from typing import Any

Test = Callable[[Any], bool]

LARGEST_NUMBER = 5_000_000_000
"""Numbers are compared between minus and plus this, and to six decimals (the AWS page, "Numeric matching")."""

_MILLION = 1_000_000
_LOOKS_LIKE_AN_ADDRESS = re.compile(r"[0-9]+(?:\.[0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*")


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


def is_address(wanted: IPv4Address | IPv6Address) -> Test:
    """A string that spells the address `wanted`."""
    return lambda value: isinstance(value, str) and address_of(value) == wanted


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that `text` spells, or None."""
    if not _LOOKS_LIKE_AN_ADDRESS.fullmatch(text):
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def millionths(value: Any) -> int | None:
    """`value` in millionths, further decimals cut off, or None for what isn't a number or is too large to compare."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        return None
    return value * _MILLION if isinstance(value, int) else floor(Decimal(repr(value)) * _MILLION)


def _identity(value: Any) -> Hashable:
    """A key that two JSON values share if and only if they are equal: to Python, True equals 1."""
    number = millionths(value)
    # A number too large to compare, such as an account's, still equals itself (event-ruler, JsonRuleCompiler.java).
    return value if number is None else ("millionths", number)
