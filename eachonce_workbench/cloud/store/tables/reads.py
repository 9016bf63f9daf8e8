"""Reading one item by its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from eachonce_workbench.cloud.store.tables.attributes import Attributes, Wire
from eachonce_workbench.cloud.store.tables.expressions.projections import Projection
from eachonce_workbench.cloud.store.tables.expressions.scope import Scope, require_one_form
from eachonce_workbench.cloud.store.tables.keys import Key, check_scalars, key_of
from eachonce_workbench.cloud.store.tables.writes import current


@dataclass(frozen=True, slots=True)
class Read:
    """The item at a key, and what of it is asked for."""

    table: Table
    key: Key
    projection: Projection

    def item(self) -> Item | None:
        """The item as it is now, all of it; None where there is none."""
        return current(self.table, self.key)

    def asked(self, item: Item) -> Attributes:
        """What of an item is asked for."""
        return self.projection.of(item.attrs)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What of items is asked for, by a request that is valid in itself."""

    projection: Projection

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Lookup:
        """What a request describes; raises `AwsError` ValidationException when it is wrong whatever table it is for."""
        require_one_form(request, ("ProjectionExpression",), ("AttributesToGet",))
        scope = Scope.of(request, "ProjectionExpression")
        projection = Projection.asked(request, scope)
        scope.require_used()
        return cls(projection)

    def on(self, table: Table, key: Mapping[str, Wire]) -> Read:
        """The read of one item; raises `ItemRefusedError` when the key isn't the table's."""
        found = Read(table, key_of(key, table), self.projection)
        check_scalars(self.projection.paths, table)
        return found
