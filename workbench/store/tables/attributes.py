"""Attribute values between the wire and moto's own type, without moto's per-value cost."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

from workbench.store.protocol import AwsError

Wire = dict[str, Any]
"""An attribute value as JSON carries it: `{"S": "text"}`."""

ITEM_LIMIT_BYTES = 400 * 1024
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items"""

# 38 significant digits, magnitudes of 1E-130 to 9.99E+125, nothing ever rounded:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, Overflow, InvalidOperation])


def invalid(message: str) -> AwsError:
    """DynamoDB's answer to a request that breaks a rule."""
    return AwsError("ValidationException", message)


def attribute(value: Wire) -> DynamoType:
    """The value as moto holds it: numbers in DynamoDB's form (no needless zeroes), binaries as bytes.

    Raises `AwsError` ValidationException when it is not a value of one known type.
    """
    try:
        ((kind, content),) = value.items()
        read = _READERS[kind]
    except (KeyError, ValueError, AttributeError):
        raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes") from None
    return typed(kind, content if read is None else read(content))


def typed(kind: str, content: Any) -> DynamoType:
    """A value whose content is already in moto's form, past a constructor that copies it."""
    made = DynamoType.__new__(DynamoType)
    made.type = kind
    made.value = content
    return made


def wire(value: DynamoType) -> Wire:
    """The value as JSON carries it."""
    write = _WRITERS.get(value.type)
    return {value.type: value.value if write is None else write(value.value)}


def wire_item(item: Item) -> dict[str, Wire]:
    """All attributes of an item as JSON carries them."""
    return {name: wire(value) for name, value in item.attrs.items()}


def item_of(hash_key: DynamoType, range_key: DynamoType | None, attrs: Mapping[str, DynamoType]) -> Item:
    """An item that moto can hold, past its constructor, which measures the item again for every attribute."""
    item: Any = Item.__new__(Item)  # moto's base class hides from the type checker what it makes
    item.hash_key = hash_key
    item.range_key = range_key
    item.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(item.attrs, attrs)
    made: Item = item
    return made


def size_bytes(attrs: Mapping[str, DynamoType]) -> int:
    """The size of an item, names included; numbers count by their digits, as in moto."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in attrs.items())


def _value_bytes(value: DynamoType) -> int:
    content = value.value
    if value.type == "S":
        return len(content) if content.isascii() else len(content.encode())
    if value.type in ("N", "B"):
        return len(content)
    size: int = value.size()
    return size


def number(text: Any) -> str:
    """A number in DynamoDB's form: plain notation, "10.50" becomes "10.5".

    Raises `AwsError` ValidationException when it is no number, or one that DynamoDB cannot hold exactly.
    """
    if not isinstance(text, str):
        raise AwsError("SerializationException", "NUMBER_VALUE cannot be converted to String")
    if text.isdecimal() and text.isascii() and len(text) <= _NUMBERS.prec and (text[0] != "0" or len(text) == 1):
        return text
    try:
        return _canonical(_NUMBERS.create_decimal(text))
    except Inexact:
        raise invalid("Attempting to store more than 38 significant digits in a Number") from None
    except (DecimalException, ValueError):
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}") from None


def total(left: str, right: str, *, sign: int = 1) -> str:
    """`left` plus (or, with a sign of -1, less) `right`, exactly.

    Raises `AwsError` ValidationException when the result has more than 38 digits.
    """
    try:
        return _canonical(_NUMBERS.add(Decimal(left), Decimal(right) * sign))
    except DecimalException:
        raise invalid(
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        ) from None


def _canonical(exact: Decimal) -> str:
    if not exact.is_finite():
        raise ValueError(exact)
    return format(exact.normalize(_NUMBERS), "f") if exact else "0"


def _binary(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise AwsError("SerializationException", "Base64 encoded binary expected") from None


def _text(content: Any) -> str:
    if not isinstance(content, str):
        raise AwsError("SerializationException", "STRING_VALUE expected")
    return content


def _null(content: Any) -> bool:
    if content is not True:
        raise invalid(
            "One or more parameter values were invalid: Null attribute value types must have the value of true"
        )
    return True


def _set_of(read: Callable[[Any], Any], kind: str) -> Callable[[Any], list[Any]]:
    def read_set(content: Iterable[Any]) -> list[Any]:
        members = [read(member) for member in content]
        if not members:
            raise invalid(f"One or more parameter values were invalid: An {kind} set  may not be empty")
        return members

    return read_set


_READERS: dict[str, Callable[[Any], Any] | None] = {
    "S": _text,
    "N": number,
    "B": _binary,
    "BOOL": bool,
    "NULL": _null,
    "SS": _set_of(_text, "string"),
    "NS": _set_of(number, "number"),
    "BS": _set_of(_binary, "binary"),
    "L": lambda content: [attribute(member) for member in content],
    "M": lambda content: {name: attribute(member) for name, member in content.items()},
}


def _encoded(content: bytes | str) -> str:
    # moto keeps a binary that it projected as bytes, and one that it was handed as text already encoded.
    return base64.b64encode(content).decode() if isinstance(content, bytes) else content


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "B": _encoded,
    "BS": lambda content: [_encoded(member) for member in content],
    "L": lambda content: [wire(member) for member in content],
    "M": lambda content: {name: wire(member) for name, member in content.items()},
}
