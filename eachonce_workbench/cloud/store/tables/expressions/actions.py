"""What an update does to an item: new attributes beside the old ones, which stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.tables.attributes import MAX_LEVELS, Attributes, levels, too_deep, typed
from eachonce_workbench.cloud.store.tables.expressions.operands import Given, Operand
from eachonce_workbench.cloud.store.tables.expressions.paths import Path, value_at
from eachonce_workbench.cloud.store.tables.expressions.scope import Values
from eachonce_workbench.cloud.store.tables.numbers import total
from eachonce_workbench.cloud.store.tables.refusals import ItemRefusedError

_MISSING = "The provided expression refers to an attribute that does not exist in the item"
_WRONG_TYPE = "An operand in the update expression has an incorrect data type"
_NO_PLACE = "The document path provided in the update expression is invalid for update"


@dataclass(frozen=True, slots=True)
class Sum:
    """`left + right`, or with a sign of -1 `left - right`."""

    left: Operand
    right: Operand
    sign: int

    def value(self, attrs: Attributes, values: Values) -> DynamoType:
        """A number; raises `ItemRefusedError` when an operand is missing or none."""
        return _sum(_present(self.left, attrs, values), _present(self.right, attrs, values), self.sign)


@dataclass(frozen=True, slots=True)
class Joined:
    """`list_append(head, tail)`."""

    head: Operand
    tail: Operand

    def value(self, attrs: Attributes, values: Values) -> DynamoType:
        """A list; raises `ItemRefusedError` when an operand is missing or none."""
        head, tail = _present(self.head, attrs, values), _present(self.tail, attrs, values)
        if head.type != "L" or tail.type != "L":
            raise ItemRefusedError(_WRONG_TYPE)
        return typed("L", head.value + tail.value)


@dataclass(frozen=True, slots=True)
class IfNotExists:
    """`if_not_exists(path, otherwise)`."""

    path: Path
    otherwise: Operand

    def value(self, attrs: Attributes, values: Values) -> DynamoType | None:
        """The attribute at the path, or else the other operand."""
        found = value_at(self.path, attrs)
        return self.otherwise.value(attrs, values) if found is None else found


@dataclass(frozen=True, slots=True)
class Set:
    """`SET path = value`."""

    path: Path
    to: Operand


@dataclass(frozen=True, slots=True)
class Add:
    """`ADD path amount`."""

    path: Path
    amount: Given


@dataclass(frozen=True, slots=True)
class Delete:
    """`DELETE path members`."""

    path: Path
    members: Given


@dataclass(frozen=True, slots=True)
class Remove:
    """`REMOVE path`."""

    path: Path


Action = Set | Add | Delete | Remove


def apply(
    actions: Iterable[Action], before: Attributes, values: Values, *, exists: bool = True
) -> dict[str, DynamoType]:
    """The attributes as actions, in the order of their paths, make them; what they read is the item as it was.

    Elements beyond a list's end are appended by their number; removals come last, from the end on, so that places are
    those of the item as it was. Of an item that doesn't exist, nothing is removed. Raises `ItemRefusedError` when an
    action can't be done to the item.
    """
    draft = _Draft(before)
    gone: list[Path] = []
    for action in actions:
        match action:
            case Set(path, to):
                draft.put(path, _present(to, before, values))
            case Add(path, amount):
                draft.put(path, _added(value_at(path, before), values[amount.placeholder]))
            case Delete(path, members):
                if not draft.keep(path, value_at(path, before), values[members.placeholder]):
                    gone.append(path)
            case Remove(path):
                if exists:
                    gone.append(path)
    for path in reversed(gone):
        draft.remove(path)
    return draft.attrs


def in_order(actions: Iterable[Action]) -> list[Action]:
    """The actions in the order of their paths, which have been told not to conflict."""
    return sorted(actions, key=lambda action: action.path)


class _Draft:
    """Attributes in the making; maps and lists that change are copied first, once."""

    def __init__(self, before: Attributes) -> None:
        self.attrs = dict(before)
        self._own: set[int] = set()

    def put(self, path: Path, value: DynamoType) -> None:
        """Let a value be at a path."""
        members, last = self._members(path), path[-1]
        if len(path) > 1 and len(path) - 1 + levels(value) > MAX_LEVELS:
            raise ItemRefusedError(too_deep().message)
        if isinstance(last, int) and last >= len(members):
            members.append(value)
        else:
            members[last] = value

    def keep(self, path: Path, existing: DynamoType | None, removed: DynamoType) -> bool:
        """Keep of a set what is not removed; False where nothing is left."""
        self._members(path)
        if existing is None:
            return True
        if existing.type != removed.type:
            raise ItemRefusedError(_WRONG_TYPE)
        left = [member for member in existing.value if member not in removed.value]
        if left:
            self.put(path, typed(existing.type, left))
        return bool(left)

    def remove(self, path: Path) -> None:
        """Let nothing be at a path."""
        members, last = self._members(path), path[-1]
        if isinstance(last, str):
            members.pop(last, None)
        elif last < len(members):
            del members[last]

    def _members(self, path: Path) -> Any:
        """The attributes, or the members of the map or list, that the last part of a path is about."""
        holder: Any = self.attrs
        for part, below in pairwise(path):
            document = self._owned(holder, part)
            if document is None or document.type != ("L" if isinstance(below, int) else "M"):
                raise ItemRefusedError(_NO_PLACE)
            holder = document.value
        return holder

    def _owned(self, holder: Any, part: str | int) -> DynamoType | None:
        if isinstance(holder, list):
            document = holder[part] if isinstance(part, int) and part < len(holder) else None
        else:
            document = holder.get(part)
        if document is None or document.type not in ("L", "M") or id(document) in self._own:
            return document
        copy = typed(document.type, document.value.copy())
        self._own.add(id(copy))
        holder[part] = copy
        return copy


def _present(operand: Operand, attrs: Attributes, values: Values) -> DynamoType:
    value = operand.value(attrs, values)
    if value is None:
        raise ItemRefusedError(_MISSING)
    return value


def _sum(left: DynamoType, right: DynamoType, sign: int = 1) -> DynamoType:
    if left.type != "N" or right.type != "N":
        raise ItemRefusedError(_WRONG_TYPE)
    try:
        return typed("N", total(left.value, right.value, sign=sign))
    except AwsError as error:
        raise ItemRefusedError(error.message) from None


def _added(existing: DynamoType | None, added: DynamoType) -> DynamoType:
    if existing is None:
        return added
    if added.type == "N":
        return _sum(existing, added)
    if existing.type != added.type:
        raise ItemRefusedError(_WRONG_TYPE)
    return typed(added.type, list(dict.fromkeys([*existing.value, *added.value])))
