"""How large DynamoDB takes an item to be.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html#ItemSizeCalculations
"""

from __future__ import annotations

from moto.dynamodb.models.dynamo_type import DynamoType

from eachonce_workbench.cloud.store.tables import numbers
from eachonce_workbench.cloud.store.tables.attributes import Attributes

ITEM_LIMIT_BYTES = 400 * 1024
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items"""

_DOCUMENT_BYTES = 3  # a list's or a map's own, and one more for each member
_MEMBER_BYTES = 1


def size_bytes(attrs: Attributes) -> int:
    """The size of an item, names included."""
    return sum(_text_bytes(name) + value_bytes(value) for name, value in attrs.items())


def value_bytes(value: DynamoType) -> int:
    """The size of a value."""
    kind, content = value.type, value.value
    if kind == "S":
        return _text_bytes(content)
    if kind == "N":
        return numbers.size_bytes(content)
    if kind == "B":
        return len(content)
    if kind in ("L", "M"):
        members = sum(map(value_bytes, content)) if kind == "L" else size_bytes(content)
        return _DOCUMENT_BYTES + _MEMBER_BYTES * len(content) + members
    if kind in ("SS", "NS", "BS"):
        measure = {"SS": _text_bytes, "NS": numbers.size_bytes, "BS": len}[kind]
        return sum(map(measure, content))
    return 1


def _text_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
