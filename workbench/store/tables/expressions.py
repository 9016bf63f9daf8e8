"""Condition and update expressions, parsed by moto once a text instead of several times a request.

What is cached depends only on the expression's text and its names; the values of a request are bound afterwards.
Written against moto 5.2.5: `ConditionExpressionParser` is its own, and so are the operations that it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser, Operand
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from workbench.store.tables.attributes import Wire, attribute, invalid

Names = Mapping[str, str]
Values = Mapping[str, Wire]
Bound = dict[str, DynamoType]
"""The values of a request, by their placeholders."""

CACHED_EXPRESSIONS = 1024
"""More than any program writes down; a program that builds texts of its own is merely slower."""


def bound(values: Values | None) -> Bound:
    """The values of a request as moto holds them.

    Raises `AwsError` ValidationException when there are none, or one is not a value.
    """
    if values is None:
        return {}
    if not values:
        raise invalid("ExpressionAttributeValues must not be empty")
    return {name: attribute(value) for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition with the values of one request."""

    holds: Callable[[Item | None], bool]
    names: frozenset[str]
    values: frozenset[str]

    @classmethod
    def of(cls, text: str | None, names: Names, values: Bound) -> Condition:
        """Parse, or recall, and bind.

        Raises `AwsError` ValidationException when the expression is not valid or uses what is not defined.
        """
        if text is None:
            return _UNCONDITIONAL
        parser = _BindingParser(text, tuple(names.items()), values)
        try:
            operation = parser.operation()
        except ValueError as error:
            raise invalid(f"Invalid ConditionExpression: {error}") from None
        return cls(_predicate(operation), parser.tree.names, parser.tree.values)


def _predicate(operation: Any) -> Callable[[Item | None], bool]:
    def holds(item: Item | None) -> bool:
        try:
            return bool(operation.expr(item))
        except (TypeError, ValueError):
            # Two types that don't compare, or the size of an attribute that isn't there: in DynamoDB merely not true.
            return False

    return holds


_UNCONDITIONAL = Condition(lambda _: True, frozenset(), frozenset())


class _Constant(Operand):
    """A value of the request; moto's own operand converts it again on every comparison."""

    def __init__(self, value: DynamoType) -> None:
        self.type = value.type
        self.value = value.cast_value

    def expr(self, item: Item | None) -> Any:  # noqa: ARG002 - the port is moto's
        return self.value

    def get_type(self, item: Item | None) -> str:  # noqa: ARG002 - the port is moto's
        return self.type


@dataclass(frozen=True, slots=True)
class _Tree:
    root: Any
    names: frozenset[str]
    values: frozenset[str]


class _BindingParser(ConditionExpressionParser):
    """moto's parser in two steps: a tree with the placeholders left in, and the operation with the values filled in."""

    def __init__(self, text: str, names: tuple[tuple[str, str], ...], values: Bound) -> None:
        super().__init__(text, None, None)
        self.tree = _tree(text, names)
        self.bound = values

    def operation(self) -> Any:
        return self._make_op_condition(self.tree.root)

    def _make_operand(self, node: Any) -> Operand:
        if node.kind != self.Kind.EXPRESSION_ATTRIBUTE_VALUE:
            return super()._make_operand(node)
        if node.text not in self.bound:
            raise ValueError(
                "An expression attribute value used in expression is not defined; "  # AWS's own words
                f"attribute value: {node.text}"
            )
        return _Constant(self.bound[node.text])


class _TreeParser(ConditionExpressionParser):
    def _lookup_expression_attribute_value(self, name: str) -> Any:
        return name

    def _lookup_expression_attribute_name(self, name: str) -> str:
        try:
            return super()._lookup_expression_attribute_name(name)
        except KeyError:
            raise invalid(
                "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; "
                f"attribute name: {name}"
            ) from None

    def _make_op_condition(self, node: Any) -> Any:
        return node  # `parse` ends by making the operation: keep the tree instead


@lru_cache(maxsize=CACHED_EXPRESSIONS)
def _tree(text: str, names: tuple[tuple[str, str], ...]) -> _Tree:
    if not text.strip():
        raise invalid("Invalid ConditionExpression: The expression can not be empty;")
    parser = _TreeParser(text, dict(names), {})
    try:
        root = parser.parse()
    except DynamodbException as error:
        raise invalid(error.message) from None
    except ValueError as error:
        raise invalid(f"Invalid ConditionExpression: {error}") from None
    return _Tree(root, frozenset(parser.expr_attr_names_found), frozenset(parser.expr_attr_values_found))


def require_used(given: Iterable[str], used: frozenset[str], what: str) -> None:
    """Raise `AwsError` ValidationException when a placeholder was defined for nothing; `what` is Names or Values."""
    unused = [name for name in given if name not in used]
    if unused:
        raise invalid(
            f"Value provided in ExpressionAttribute{what} unused in expressions: keys: {{{', '.join(unused)}}}"
        )
