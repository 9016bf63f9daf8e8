"""Attribute values between the wire and moto's own type, without moto's per-value cost."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.tables.numbers import number
from eachonce_workbench.cloud.store.tables.refusals import invalid, invalid_value, malformed

Wire = dict[str, Any]
"""An attribute value as JSON carries it: `{"S": "text"}`."""

Attributes = Mapping[str, DynamoType]

TYPES = frozenset({"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"})

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-attributes
MAX_LEVELS = 32  # an attribute is the first, so 31 lists and maps may enclose a value
MAX_NAME_BYTES = 65_535

_EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
_SEVERAL = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)


def attribute(value: Wire, level: int = 1) -> DynamoType:
    """The value as moto holds it: numbers in DynamoDB's form (no needless zeroes), binaries as bytes.

    `level` counts the lists and maps around it. Raises `AwsError` ValidationException when it is not a value of one
    known type, or one that DynamoDB cannot hold.
    """
    try:
        ((kind, content),) = value.items()
        read = _READERS[kind]
    except (AttributeError, KeyError, ValueError):
        kind, content = _only(value)
        read = _READERS[kind]
    if read is not None:
        return typed(kind, read(content))
    if level >= MAX_LEVELS and content:
        raise too_deep()
    if kind == "L":
        return typed(kind, [attribute(member, level + 1) for member in _of(list, content)])
    return typed(kind, attributes(_of(dict, content), level + 1))


def attributes(values: Mapping[str, Wire], level: int = 1) -> dict[str, DynamoType]:
    """Named values as moto holds them: an item, a key, or the members of a map."""
    return {checked_name(name): attribute(value, level) for name, value in values.items()}


def checked_name(name: str) -> str:
    """An attribute's name; raises `AwsError` ValidationException when no attribute can have it."""
    if not name:
        raise invalid_value("Empty attribute name")
    if len(name) * 4 > MAX_NAME_BYTES and len(name.encode()) > MAX_NAME_BYTES:
        raise invalid_value(f"Attribute name is too large, must be less than {MAX_NAME_BYTES + 1} bytes")
    return name


def too_deep() -> AwsError:
    """A document of more levels than DynamoDB holds."""
    return invalid(
        "Nesting Levels have exceeded supported limits: "
        "Attributes in the item have nested levels beyond supported limit"
    )


def levels(value: DynamoType) -> int:
    """How many levels a value takes: a scalar one, a list or a map one more than its deepest member."""
    if value.type not in ("L", "M"):
        return 1
    members = value.value if value.type == "L" else value.value.values()
    return 1 + max(map(levels, members), default=0)


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


def wire_attributes(attrs: Attributes) -> dict[str, Wire]:
    """Named values as JSON carries them."""
    return {name: wire(value) for name, value in attrs.items()}


def wire_item(item: Item) -> dict[str, Wire]:
    """All attributes of an item as JSON carries them."""
    return wire_attributes(item.attrs)


def item_of(hash_key: DynamoType, range_key: DynamoType | None, attrs: Attributes) -> Item:
    """An item that moto can hold, past its constructor, which measures the item again for every attribute."""
    item: Any = Item.__new__(Item)  # moto's base class hides from the type checker what it makes
    item.hash_key = hash_key
    item.range_key = range_key
    item.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(item.attrs, attrs)
    made: Item = item
    return made


def _only(value: Any) -> tuple[str, Any]:
    if not isinstance(value, dict):
        raise malformed("Unexpected value type in payload")
    told = {kind: content for kind, content in value.items() if kind in TYPES and content is not None}
    if len(told) != 1:
        raise invalid(_SEVERAL if told else _EMPTY)
    ((kind, content),) = told.items()
    return kind, content


def _of(wanted: type, content: Any) -> Any:
    if not isinstance(content, wanted):
        raise malformed("Unexpected field type")
    return content


def _binary(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise malformed("Base64 encoded binary expected") from None


def _text(content: Any) -> str:
    if not isinstance(content, str):
        raise malformed("STRING_VALUE expected")
    return content


def _null(content: Any) -> bool:
    if content is not True:
        raise invalid_value("Null attribute value types must have the value of true")
    return True


def _bool(content: Any) -> bool:
    if not isinstance(content, bool):
        raise malformed("BOOLEAN_VALUE expected")
    return content


# A set has a member, and each of them once; that may be an empty text or binary:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
def _set_of(read: Callable[[Any], Any], *, empty: str, doubled: Callable[[str], AwsError]) -> Callable[[Any], Any]:
    def read_set(content: Iterable[Any]) -> list[Any]:
        members = [read(member) for member in _of(list, content)]
        if not members:
            raise invalid_value(empty)
        if len(set(members)) < len(members):
            raise doubled(f"[{', '.join(content)}]")
        return members

    return read_set


_READERS: dict[str, Callable[[Any], Any] | None] = {
    "L": None,
    "M": None,
    "S": _text,
    "N": number,
    "B": _binary,
    "BOOL": _bool,
    "NULL": _null,
    "SS": _set_of(
        _text,
        empty="An string set  may not be empty",
        doubled=lambda members: invalid_value(f"Input collection {members} contains duplicates."),
    ),
    "NS": _set_of(
        number,
        empty="An number set  may not be empty",
        doubled=lambda _: invalid("Input collection contains duplicates"),
    ),
    "BS": _set_of(
        _binary,
        empty="Binary sets should not be empty",
        doubled=lambda members: invalid_value(f"Input collection {members}of type BS contains duplicates."),
    ),
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
