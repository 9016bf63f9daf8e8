"""JSON text as EventBridge's matcher reads it: each number as it is written, and each pair of an object."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

_LONGEST_INT = 19
"""Digits of an integer that is read as one; Python refuses more than 4,300, and a Decimal keeps any number of them."""

_RECURSIONS = 1500
"""Room for the 1,000 levels that a detail may have; Python 3.11 counts each as a call, and allows 1,000 of them.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Repeating(dict[str, Any]):
    """An object whose text names a key more than once: the last of them as a mapping, all of them as `pairs`."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def read_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError when it isn't one, or is nested deeper than can be read."""
    if sys.getrecursionlimit() < _RECURSIONS:
        sys.setrecursionlimit(_RECURSIONS)
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def to_json(value: Any) -> str:
    """`value` as JSON text without blanks, its numbers as they were written."""
    return _ENCODER.encode(value).decode()


def pairs_of(members: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Every key and value of an object, in the order of its text."""
    return members.pairs if isinstance(members, Repeating) else members.items()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else Repeating(pairs)


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INT else Decimal(text)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"the exponent of {text[:40]} is too large") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_refuse_constant
)
