"""What there was before expressions, told in the same terms: Expected, AttributeUpdates, KeyConditions and filters.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType

from eachonce_workbench.cloud.store.tables.attributes import attribute, checked_name, typed
from eachonce_workbench.cloud.store.tables.expressions import actions, comparing, predicates
from eachonce_workbench.cloud.store.tables.expressions.actions import Action
from eachonce_workbench.cloud.store.tables.expressions.conditions import Condition
from eachonce_workbench.cloud.store.tables.expressions.key_conditions import KeyCondition, Term
from eachonce_workbench.cloud.store.tables.expressions.operands import At, Given
from eachonce_workbench.cloud.store.tables.expressions.paths import Path, PathTree
from eachonce_workbench.cloud.store.tables.expressions.predicates import Predicate
from eachonce_workbench.cloud.store.tables.expressions.updates import Update
from eachonce_workbench.cloud.store.tables.refusals import invalid, invalid_value

Asked = Mapping[str, Mapping[str, Any]]
"""Conditions or updates, by the attribute that each is about."""

_COMPARISONS = {"EQ": "=", "NE": "<>", "LE": "<=", "LT": "<", "GE": ">=", "GT": ">"}
_KEY_OPERATORS = {**_COMPARISONS, "BETWEEN": "BETWEEN", "BEGINS_WITH": "begins_with"}
_COUNTS = {"NULL": (0, 0), "NOT_NULL": (0, 0), "BETWEEN": (2, 2), "IN": (1, 100)}
_SCALARS = frozenset({"S", "N", "B"})
_TAKES = {
    **dict.fromkeys(("LE", "LT", "GE", "GT", "BETWEEN", "CONTAINS", "NOT_CONTAINS", "IN"), _SCALARS),
    "BEGINS_WITH": frozenset({"S", "B"}),
}
_SETS = frozenset({"SS", "NS", "BS"})


def condition_of(asked: Asked | None, junction: str | None) -> Condition | None:
    """The condition that Expected or a filter asks for, its parts joined by AND or OR; None where there is none.

    Raises `AwsError` ValidationException when a part of it can't be.
    """
    if not asked:
        return None
    values = _Values()
    parts = tuple(_part(name, part, values) for name, part in asked.items())
    joined = predicates.AnyOf(parts) if junction == "OR" else predicates.AllOf(parts)
    return Condition(joined, values.given, tuple((name,) for name in asked))


def key_condition_of(asked: Asked) -> KeyCondition:
    """The key condition that KeyConditions asks for; raises `AwsError` ValidationException when it can't be one."""
    if not 1 <= len(asked) <= 2:
        raise invalid("Conditions can be of length 1 or 2 only")
    values = _Values()
    terms = {}
    for name, part in asked.items():
        predicate = _part(name, part, values)
        operator = _KEY_OPERATORS.get(part["ComparisonOperator"])
        if operator in (None, "<>"):
            raise invalid("Attempted conditional constraint is not an indexable operation")
        operands = tuple(attribute(value) for value in part.get("AttributeValueList") or ())
        terms[name] = Term(str(operator), operands, predicate)
    return KeyCondition(terms, values.given)


def update_of(asked: Asked | None) -> Update | None:
    """The update that AttributeUpdates asks for; raises `AwsError` ValidationException when it can't be one."""
    if not asked:
        return None
    values = _Values()
    found = actions.in_order([_action((checked_name(name),), part, values) for name, part in asked.items()])
    return Update(tuple(found), values.given, PathTree([action.path for action in found], invalid_value))


class _Values:
    """The values of a request, by placeholders of our own."""

    def __init__(self) -> None:
        self.given: dict[str, DynamoType] = {}

    def add(self, value: DynamoType) -> Given:
        """A value, as an operand."""
        placeholder = f":{len(self.given)}"
        self.given[placeholder] = value
        return Given(placeholder)


def _part(name: str, part: Mapping[str, Any], values: _Values) -> Predicate:
    operator = part.get("ComparisonOperator")
    given = part.get("Value")
    if operator is None:
        return _expected(name, part, values)
    if part.get("Exists") is not None:
        raise invalid_value(f"Exists and ComparisonOperator cannot be used together for Attribute: {name}")
    if given is not None and part.get("AttributeValueList") is not None:
        raise invalid_value(f"Value and AttributeValueList cannot be used together for Attribute: {name}")
    wired = [given] if given is not None else part.get("AttributeValueList") or []
    return _comparison((checked_name(name),), operator, [attribute(value) for value in wired], values)


def _expected(name: str, part: Mapping[str, Any], values: _Values) -> Predicate:
    given, exists = part.get("Value"), part.get("Exists")
    if part.get("AttributeValueList") is not None:
        raise invalid_value(f"AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}")
    if exists is False and given is not None:
        raise invalid_value(f"Value cannot be used when Exists is false for Attribute: {name}")
    if exists is False:
        return predicates.Not(predicates.Exists((checked_name(name),)))
    if given is None:
        shown = "null" if exists is None else "true"
        raise invalid_value(f"Value must be provided when Exists is {shown} for Attribute: {name}")
    return _comparison((checked_name(name),), "EQ", [attribute(given)], values)


def _comparison(path: Path, operator: str, given: Sequence[DynamoType], values: _Values) -> Predicate:
    least, most = _COUNTS.get(operator, (1, 1))
    if not least <= len(given) <= most:
        raise invalid_value(f"Invalid number of argument(s) for the {operator} ComparisonOperator")
    if len({value.type for value in given}) > 1:
        raise invalid_value("AttributeValues inside AttributeValueList must be of same type")
    for value in given:
        if value.type not in _TAKES.get(operator, (value.type,)):
            raise invalid_value(f"ComparisonOperator {operator} is not valid for {value.type} AttributeValue type")
    if operator == "BETWEEN" and comparing.ordered(">", *given):
        raise invalid(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )
    operands = [values.add(value) for value in given]
    if operator in _COMPARISONS:
        return predicates.Comparison(_COMPARISONS[operator], At(path), *operands)
    return _OTHERS[operator](path, operands)


_OTHERS: dict[str, Callable[[Path, list[Given]], Predicate]] = {
    "NOT_NULL": lambda path, _: predicates.Exists(path),
    "NULL": lambda path, _: predicates.Not(predicates.Exists(path)),
    "CONTAINS": lambda path, given: predicates.Contains(At(path), *given),
    "NOT_CONTAINS": lambda path, given: predicates.Not(predicates.Contains(At(path), *given)),
    "BEGINS_WITH": lambda path, given: predicates.BeginsWith(At(path), *given),
    "IN": lambda path, given: predicates.In(At(path), tuple(given)),
    "BETWEEN": lambda path, given: predicates.Between(At(path), *given),
}


def _action(path: Path, part: Mapping[str, Any], values: _Values) -> Action:
    verb = part.get("Action") or "PUT"
    if part.get("Value") is None:
        if verb != "DELETE":
            raise invalid_value("Only DELETE action is allowed when no attribute value is specified")
        return actions.Remove(path)
    value = attribute(part["Value"])
    if verb == "DELETE":
        if value.type not in _SETS:
            raise invalid_value(f"DELETE action with value is not supported for the type {value.type}")
        return actions.Delete(path, values.add(value))
    if verb == "ADD":
        return _addition(path, value, values)
    return actions.Set(path, values.add(value))


def _addition(path: Path, value: DynamoType, values: _Values) -> Action:
    if value.type == "L":  # of lists, other than in an expression, an ADD makes one
        existing = actions.IfNotExists(path, values.add(typed("L", [])))
        return actions.Set(path, actions.Joined(existing, values.add(value)))
    if value.type != "N" and value.type not in _SETS:
        raise invalid_value(f"ADD action is not supported for the type {value.type}")
    return actions.Add(path, values.add(value))
