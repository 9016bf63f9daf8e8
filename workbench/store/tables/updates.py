"""Update expressions: plain ones are run from a prepared plan, the rest by moto on a copy.

moto 5.2.5 copies and walks an expression's tree ten times for every item that it updates, and changes the item in
place. A plan makes new attributes beside the old ones, and hands over to moto whatever it isn't sure of, so that errors
and odd forms stay moto's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from moto.dynamodb import exceptions as refused
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing import expressions as moto_expressions
from moto.dynamodb.parsing.executors import UpdateExpressionExecutor
from moto.dynamodb.parsing.validators import UpdateExpressionValidator

from workbench.store.protocol import AwsError
from workbench.store.tables.attributes import attribute, invalid, item_of, wire
from workbench.store.tables.expressions import CACHED_EXPRESSIONS, Bound, Names
from workbench.store.tables.update_plan import Attributes, NotPlainError, Plan, node, plan_of

moto_parsing: Any = moto_expressions  # moto has no types for it


class ItemRefusedError(AwsError):
    """What an update asks cannot be done to the item as it is: in a transaction, that item's cancellation reason."""


_DEPEND_ON_THE_ITEM = (
    refused.AttributeDoesNotExist,
    refused.IncorrectDataType,
    refused.InvalidUpdateExpressionInvalidDocumentPath,
    refused.ItemSizeTooLarge,
    refused.ItemSizeToUpdateTooLarge,
)


@dataclass(frozen=True, slots=True)
class Update:
    """An update expression, parsed; the plan is None when it isn't plain."""

    tree: Any
    plan: Plan | None
    names: frozenset[str]
    values: frozenset[str]

    @staticmethod
    def of(text: str, names: Names, table: Table) -> Update:
        """Parse, or recall.

        Raises `AwsError` ValidationException when the expression is not valid.
        """
        indexed = tuple(definition["AttributeName"] for definition in table.attr)
        return _update(text.strip(), tuple(names.items()), tuple(table.table_key_attrs), indexed)

    def apply(self, item: Item, table: Table, names: Names, values: Bound) -> dict[str, DynamoType]:
        """The attributes as they will be; `item` stays as it is.

        Raises `ItemRefusedError` when it depends on the item, `AwsError` when the request is wrong in itself.
        """
        if self.plan is not None:
            try:
                return self.plan.run(item.attrs, values)
            except NotPlainError:
                pass
        return _by_moto(self.tree, item, table, names, values)


def _by_moto(tree: Any, item: Item, table: Table, names: Names, values: Any) -> dict[str, DynamoType]:
    changed = item_of(item.hash_key, item.range_key, _fresh(item.attrs))  # moto changes it in place
    try:
        validated = UpdateExpressionValidator(tree, dict(names), values, changed, table).validate()
        validated.normalize()
        UpdateExpressionExecutor(validated, changed, dict(names)).execute()
    except _DEPEND_ON_THE_ITEM as error:
        raise ItemRefusedError("ValidationException", error.message) from None
    except refused.DynamodbException as error:
        raise invalid(error.message) from None
    return _fresh(changed.attrs)  # moto's sums aren't in DynamoDB's form


def _fresh(attrs: Attributes) -> dict[str, DynamoType]:
    return {name: attribute(wire(value)) for name, value in attrs.items()}


@lru_cache(maxsize=CACHED_EXPRESSIONS)
def _update(
    text: str, name_pairs: tuple[tuple[str, str], ...], keys: tuple[str, ...], indexed: tuple[str, ...]
) -> Update:
    if not text:
        raise invalid("Invalid UpdateExpression: The expression can not be empty;")
    try:
        tree = moto_parsing.UpdateExpressionParser.make(text)
    except refused.DynamodbException as error:
        raise invalid(error.message) from None
    return Update(
        tree,
        plan_of(tree, dict(name_pairs), keys, frozenset(indexed)),
        frozenset(
            found.get_attribute_name_placeholder() for found in tree.find_clauses([node.ExpressionAttributeName])
        ),
        frozenset(found.get_value_name() for found in tree.find_clauses([node.ExpressionAttributeValue])),
    )
