"""How DynamoDB compares values: only those of one type, numbers by their value, texts by their bytes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType

ORDERED = frozenset({"S", "N", "B"})

ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def order_key(value: DynamoType) -> Any:
    """What orders values of one type that has an order."""
    return Decimal(value.value) if value.type == "N" else value.value  # texts by code point: as by their UTF-8 bytes


def equal(left: DynamoType | None, right: DynamoType | None) -> bool:
    """Whether two values are the same; what isn't there is like nothing else."""
    if left is None or right is None or left.type != right.type:
        return False
    one, other = left.value, right.value
    if left.type in ("SS", "NS", "BS"):
        return len(one) == len(other) and set(one) == set(other)
    if left.type == "L":
        return len(one) == len(other) and all(map(equal, one, other))
    if left.type == "M":
        return one.keys() == other.keys() and all(equal(value, other[name]) for name, value in one.items())
    return bool(one == other)


def ordered(operator: str, left: DynamoType | None, right: DynamoType | None) -> bool:
    """Whether `left operator right` holds; never where the two have no order."""
    if left is None or right is None or left.type != right.type or left.type not in ORDERED:
        return False
    return ORDERS[operator](order_key(left), order_key(right))


def begins_with(text: DynamoType | None, start: DynamoType | None) -> bool:
    """Whether a text begins with a text, or a binary with a binary."""
    if text is None or start is None or text.type != start.type or text.type not in ("S", "B"):
        return False
    return bool(text.value.startswith(start.value))


def contains(container: DynamoType | None, part: DynamoType | None) -> bool:
    """Whether a text or binary has a part, or a set or list a member."""
    if container is None or part is None:
        return False
    if container.type == "L":
        return any(equal(member, part) for member in container.value)
    if container.type in ("S", "B"):
        return container.type == part.type and part.value in container.value
    return container.type == f"{part.type}S" and part.value in container.value
