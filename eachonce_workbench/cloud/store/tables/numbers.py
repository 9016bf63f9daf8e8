"""DynamoDB's numbers: up to 38 digits, exact, kept in one form.

38 significant digits, magnitudes of 1E-130 to 9.99E+125, nothing ever rounded:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Any

from eachonce_workbench.cloud.store.tables.refusals import invalid, malformed

_DIGITS = 38
_EXACT = Context(prec=_DIGITS, Emin=-130, Emax=125, traps=[Inexact, InvalidOperation, Overflow, Subnormal])
_WRITTEN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

_OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
_UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
_TOO_LONG = "Attempting to store more than 38 significant digits in a Number"
_NO_NUMBER = "The parameter cannot be converted to a numeric value"


def number(text: Any) -> str:
    """A number in DynamoDB's form: plain notation, "10.50" becomes "10.5".

    Raises `AwsError` ValidationException when it is no number, or one that DynamoDB cannot hold exactly.
    """
    if not isinstance(text, str):
        raise malformed("NUMBER_VALUE cannot be converted to String")
    if text.isdecimal() and text.isascii() and len(text) <= _DIGITS and (text[0] != "0" or len(text) == 1):
        return text
    if not _WRITTEN.fullmatch(text):
        raise invalid(f"{_NO_NUMBER}: {text}" if text else _NO_NUMBER)
    return _held(lambda: _EXACT.create_decimal(text))


def total(left: str, right: str, *, sign: int = 1) -> str:
    """`left` plus (or, with a sign of -1, less) `right`, exactly.

    Raises `AwsError` ValidationException when DynamoDB cannot hold the result.
    """
    if left.isdecimal() and right.isdecimal() and len(left) < _DIGITS and len(right) < _DIGITS:
        return str(int(left) + sign * int(right))
    return _held(lambda: _EXACT.add(Decimal(left), Decimal(right) * sign))


def size_bytes(text: str) -> int:
    """What a number in DynamoDB's form takes: a byte for every two digits on each side of the point, and one more."""
    if text.isdecimal():
        return 1 + (len(text.rstrip("0")) + 1) // 2
    whole, _, fraction = text.lstrip("-").partition(".")
    whole = whole.lstrip("0") if fraction else whole.strip("0")
    if not whole:
        fraction = fraction.lstrip("0")
    return 1 + (len(whole) + 1) // 2 + (len(fraction) + 1) // 2 + text.startswith("-")


def _held(make: Callable[[], Decimal]) -> str:
    try:
        exact = make()
    except Overflow:
        raise invalid(_OVERFLOW) from None
    except Subnormal:
        raise invalid(_UNDERFLOW) from None
    except Inexact:
        raise invalid(_TOO_LONG) from None
    except DecimalException:
        raise invalid(_NO_NUMBER) from None
    return format(exact.normalize(_EXACT), "f") if exact else "0"
