"""Plans of update expressions: what depends on the text alone, prepared once.

A plan covers expressions whose every action changes one whole attribute; paths into documents are left to moto.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing import ast_nodes
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords
from moto.dynamodb.parsing.validators import (
    ActionCountValidator,
    OverlappingPathsValidator,
    UpdateHashRangeKeyValidator,
)

from workbench.store.tables.attributes import total, typed
from workbench.store.tables.expressions import Bound

Attributes = Mapping[str, DynamoType]
Operand = Callable[[Attributes, Bound], DynamoType]
Step = Callable[[Attributes, Bound, dict[str, DynamoType]], None]
"""Reads the old attributes and the values, changes the new attributes."""

node: Any = ast_nodes  # moto has no types for it


class NotPlainError(Exception):
    """The plan does not cover this: moto decides."""


class Plan:
    """The steps of an update, and the attributes that they change."""

    __slots__ = ("_steps", "targets")

    def __init__(self, steps: list[tuple[str, Step]]) -> None:
        self._steps = tuple(step for _, step in steps)
        self.targets = tuple(target for target, _ in steps)

    def run(self, old: Attributes, values: Bound) -> dict[str, DynamoType]:
        """The attributes as they will be.

        Raises `NotPlainError` when an attribute or a value is missing, or of a type that does not fit.
        """
        new = dict(old)
        for step in self._steps:
            step(old, values, new)
        return new


def plan_of(tree: Any, names: dict[str, str], keys: tuple[str, ...], indexed: frozenset[str]) -> Plan | None:
    """The plan of an expression, None when it isn't plain, or not valid, or changes what an index is sorted by."""
    checks = (ActionCountValidator(), OverlappingPathsValidator(names), UpdateHashRangeKeyValidator(list(keys), names))
    checked = copy.deepcopy(tree)
    try:
        for check in checks:
            check.traverse(checked)
        plan = Plan([_step(action, names) for action in tree.find_clauses(list(_STEPS))])
    except (DynamodbException, NotPlainError, KeyError):
        return None
    if indexed.intersection(plan.targets) or len(set(plan.targets)) < len(plan.targets):
        return None
    return plan


def _step(action: Any, names: dict[str, str]) -> tuple[str, Step]:
    target = _attribute(action.children[0], names)
    return target, _STEPS[type(action)](target, *(_operand(operand, names) for operand in action.children[1:]))


def _attribute(path: Any, names: dict[str, str]) -> str:
    if not isinstance(path, node.UpdateExpressionPath) or len(path.children) != 1:
        raise NotPlainError
    (element,) = path.children
    if isinstance(element, node.ExpressionAttributeName):
        return names[element.get_attribute_name_placeholder()]
    name: str = element.get_attribute_name()
    if name.upper() in _reserved():
        raise NotPlainError
    return name


@lru_cache(maxsize=1)
def _reserved() -> frozenset[str]:
    return frozenset(ReservedKeywords.get_reserved_keywords())


def _operand(operand: Any, names: dict[str, str]) -> Operand:
    if isinstance(operand, node.UpdateExpressionValue):
        return _arithmetic(operand, names)
    if isinstance(operand, node.ExpressionAttributeValue):
        return _value(operand.get_value_name())
    if isinstance(operand, node.UpdateExpressionFunction):
        return _function(operand, names)
    return _existing(_attribute(operand, names))


def _value(placeholder: str) -> Operand:
    def read(_: Attributes, values: Bound) -> DynamoType:
        if placeholder not in values:
            raise NotPlainError
        return values[placeholder]

    return read


def _existing(name: str) -> Operand:
    def read(old: Attributes, _: Bound) -> DynamoType:
        if name not in old:
            raise NotPlainError
        return old[name]

    return read


def _arithmetic(value: Any, names: dict[str, str]) -> Operand:
    if len(value.children) == 1:
        return _operand(value.children[0], names)
    if len(value.children) != 3:
        raise NotPlainError
    left, operator, right = value.children
    first, second = _operand(left, names), _operand(right, names)
    sign = -1 if operator.get_operator() == "-" else 1
    return lambda old, values: _sum(first(old, values), second(old, values), sign=sign)


def _sum(left: DynamoType, right: DynamoType, *, sign: int = 1) -> DynamoType:
    if left.type != "N" or right.type != "N":
        raise NotPlainError
    return typed("N", total(left.value, right.value, sign=sign))


def _function(function: Any, names: dict[str, str]) -> Operand:
    first, second = (function.get_nth_argument(place) for place in (1, 2))
    if function.get_function_name() == "if_not_exists":
        name, otherwise = _attribute(first, names), _operand(second, names)
        return lambda old, values: old[name] if name in old else otherwise(old, values)
    if function.get_function_name() == "list_append":
        head, tail = _operand(first, names), _operand(second, names)
        return lambda old, values: _joined(head(old, values), tail(old, values))
    raise NotPlainError


def _joined(head: DynamoType, tail: DynamoType) -> DynamoType:
    if head.type != "L" or tail.type != "L":
        raise NotPlainError
    return typed("L", head.value + tail.value)


def _set(target: str, operand: Operand) -> Step:
    def step(old: Attributes, values: Bound, new: dict[str, DynamoType]) -> None:
        new[target] = operand(old, values)

    return step


def _add(target: str, operand: Operand) -> Step:
    def step(old: Attributes, values: Bound, new: dict[str, DynamoType]) -> None:
        added, existing = operand(old, values), old.get(target)
        if added.type != "N" and not added.is_set():
            raise NotPlainError
        if existing is None:
            new[target] = added
        elif added.type == "N":
            new[target] = _sum(existing, added)
        else:
            new[target] = _union(existing, added)

    return step


def _union(existing: DynamoType, added: DynamoType) -> DynamoType:
    if existing.type != added.type:
        raise NotPlainError
    return typed(added.type, list(dict.fromkeys([*existing.value, *added.value])))


def _delete(target: str, operand: Operand) -> Step:
    def step(old: Attributes, values: Bound, new: dict[str, DynamoType]) -> None:
        removed, existing = operand(old, values), old.get(target)
        if not removed.is_set() or (existing is not None and existing.type != removed.type):
            raise NotPlainError
        if existing is None:
            return
        left = [member for member in existing.value if member not in removed.value]
        if left:
            new[target] = typed(existing.type, left)
        else:
            del new[target]  # DynamoDB knows no empty set

    return step


def _remove(target: str) -> Step:
    def step(old: Attributes, values: Bound, new: dict[str, DynamoType]) -> None:  # noqa: ARG001 - every step's shape
        new.pop(target, None)

    return step


_STEPS: dict[type, Callable[..., Step]] = {
    node.UpdateExpressionSetAction: _set,
    node.UpdateExpressionAddAction: _add,
    node.UpdateExpressionRemoveAction: _remove,
    node.UpdateExpressionDeleteAction: _delete,
}
