"""What expressions compare and assign: paths, values of the request, and what functions make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from moto.dynamodb.models.dynamo_type import DynamoType

from eachonce_workbench.cloud.store.tables.attributes import Attributes, typed
from eachonce_workbench.cloud.store.tables.expressions.paths import Path, value_at
from eachonce_workbench.cloud.store.tables.expressions.scope import Values


class Operand(Protocol):
    """Something that has a value, or none, once there are an item and the values of a request."""

    def value(self, attrs: Attributes, values: Values) -> DynamoType | None:
        """The value, None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class At:
    """What is at a path of the item."""

    path: Path

    def value(self, attrs: Attributes, values: Values) -> DynamoType | None:  # noqa: ARG002 - the port
        """The attribute, None where there is none."""
        return value_at(self.path, attrs)


@dataclass(frozen=True, slots=True)
class Given:
    """A value that came with the request."""

    placeholder: str

    def value(self, attrs: Attributes, values: Values) -> DynamoType:  # noqa: ARG002 - the port
        """The value."""
        return values[self.placeholder]


@dataclass(frozen=True, slots=True)
class Size:
    """`size(operand)`."""

    of: Operand

    def value(self, attrs: Attributes, values: Values) -> DynamoType | None:
        """A number; None where the operand has no size."""
        measured = self.of.value(attrs, values)
        if measured is None or measured.type not in SIZED:
            return None
        return typed("N", str(len(measured.value)))


SIZED = frozenset({"S", "B", "SS", "NS", "BS", "L", "M"})
