"""Update expressions, read once a text instead of once a request.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from moto.dynamodb.models.dynamo_type import DynamoType

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.tables.attributes import Attributes
from eachonce_workbench.cloud.store.tables.expressions import actions
from eachonce_workbench.cloud.store.tables.expressions.actions import Action
from eachonce_workbench.cloud.store.tables.expressions.operands import Given, Operand
from eachonce_workbench.cloud.store.tables.expressions.paths import Path, PathTree
from eachonce_workbench.cloud.store.tables.expressions.reading import CACHED, Check, Reader
from eachonce_workbench.cloud.store.tables.expressions.scope import Names, Scope, Values

KIND = "UpdateExpression"

_SECTIONS = ("SET", "REMOVE", "ADD", "DELETE")
_WORDS = {"S": "STRING", "N": "NUMBER", "B": "BINARY", "NULL": "NULL", "BOOL": "BOOLEAN", "L": "LIST", "M": "MAP"}
_MAX_NESTING = 64  # far more than anybody writes, and less than what would exhaust the reader
_TAKES: dict[str, frozenset[str]] = {"ADD": frozenset({"N", "SS", "NS", "BS"}), "DELETE": frozenset({"SS", "NS", "BS"})}


@dataclass(frozen=True, slots=True)
class Update:
    """An update expression, and the values that a request gave it."""

    actions: tuple[Action, ...]
    values: Values
    tree: PathTree

    def apply(self, before: Attributes, *, exists: bool) -> dict[str, DynamoType]:
        """The attributes as they will be, made of those that are: of an item that doesn't exist, its key.

        Changes nothing. Raises `ItemRefusedError` when it can't be done to the item.
        """
        return actions.apply(self.actions, before, self.values, exists=exists)

    @classmethod
    def of(cls, text: str, scope: Scope) -> Update:
        """Read, or recall; raises `AwsError` ValidationException when it is not valid or doesn't fit its values."""
        read = _read(text, tuple(scope.names.items()))
        scope.used |= read.used
        for check in read.checks:
            check(scope.values)
        return cls(read.actions, scope.values, read.tree)


@dataclass(frozen=True, slots=True)
class _ReadUpdate:
    actions: tuple[Action, ...]
    tree: PathTree
    used: frozenset[str]
    checks: tuple[Check, ...]


@lru_cache(maxsize=CACHED)
def _read(text: str, names: tuple[tuple[str, str], ...]) -> _ReadUpdate:
    reader = _UpdateReader(text, dict(names))
    reader.check_operators(frozenset({"+", "-"}), functions=True)
    found = reader.sections()
    tree = PathTree([action.path for action in found], reader.refusal)
    return _ReadUpdate(tuple(actions.in_order(found)), tree, frozenset(reader.used), tuple(reader.checks))


class _UpdateReader(Reader):
    """Reads the sections of an update expression, each of which it may have once."""

    def __init__(self, text: str, names: Names) -> None:
        super().__init__(KIND, text, names)
        self._nesting = 0
        self._actions: dict[str, Callable[[], Action]] = {
            "SET": self._set,
            "REMOVE": self._remove,
            "ADD": self._add,
            "DELETE": self._delete,
        }

    def sections(self) -> list[Action]:
        """All actions of the expression."""
        found: list[Action] = []
        seen: set[str] = set()
        while not seen or self.token.kind != "end":
            name = self.token.keyword
            if name not in _SECTIONS:
                self.stray()
            if name in seen:
                raise self.refusal(f'The "{name}" section can only be used once in an update expression;')
            seen.add(name)
            self.take()
            found.append(self._actions[name]())
            while self.take_if(","):
                found.append(self._actions[name]())
        return found

    def path(self) -> Path:
        """A document path that is next: not the name of a section."""
        if self.token.keyword in _SECTIONS:
            self.stray()
        return super().path()

    def _set(self) -> Action:
        path = self.path()
        self.expect("=")
        return actions.Set(path, self._value())

    def _remove(self) -> Action:
        return actions.Remove(self.path())

    def _add(self) -> Action:
        path, operand = self.path(), self.given()
        self.checks.append(self._section_check("ADD", operand))
        return actions.Add(path, operand)

    def _delete(self) -> Action:
        path, operand = self.path(), self.given()
        self.checks.append(self._section_check("DELETE", operand))
        return actions.Delete(path, operand)

    def _section_check(self, section: str, operand: Given) -> Check:
        def check(values: Values) -> None:
            kind = values[operand.placeholder].type
            if kind not in _TAKES[section]:
                raise self.refusal(
                    "Incorrect operand type for operator or function; "
                    f"operator: {section}, operand type: {_WORDS.get(kind, kind)}"
                )

        return check

    def _value(self) -> Operand:
        if self.token.text == "(" and self._encloses_sum():
            self.take()
            made = self._sum()
            self.expect(")")
            return made
        return self._sum()

    def _encloses_sum(self) -> bool:
        """Whether the parenthesis that is next closes at the end of the value: `(a + b)`, not `(a) + b`."""
        depth, by = 0, 0
        while (token := self.ahead(by)).kind != "end":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth == 0:
                return self.ahead(by + 1).text not in ("+", "-")
            by += 1
        return True

    def _sum(self) -> Operand:
        left = self._operand()
        operator = self.token.text
        if not self.take_if("+", "-"):
            return left
        right = self._operand()
        self.check_types(operator, [left, right], frozenset({"N"}))
        return actions.Sum(left, right, 1 if operator == "+" else -1)

    def _operand(self) -> Operand:
        if self.take_if("("):
            if self.token.text == "(":
                raise self.redundant()
            operand = self._operand()
            self.expect(")")
            return operand
        if self.token.kind == "valued":
            return self.given()
        if self.token.kind == "name" and self.ahead().text == "(":
            return self._function()
        return self.at()

    def _function(self) -> Operand:
        name = self.take().text
        if name not in ("if_not_exists", "list_append"):
            raise self._not_here(name)
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise self.refusal(f"Functions are nested more than {_MAX_NESTING} deep")
        operands = self.arguments(self._operand)
        self._nesting -= 1
        self.count(name, operands, 2)
        first, second = operands
        if name == "if_not_exists":
            return actions.IfNotExists(self.require_path(name, first), second)
        if any(isinstance(operand, actions.Joined) for operand in operands):
            raise self.misused(name)
        self.check_types(name, operands, frozenset({"L"}))
        return actions.Joined(first, second)

    def _not_here(self, name: str) -> AwsError:
        known = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size")
        return self.misused(name) if name in known else self.refusal(f"Invalid function name; function: {name}")
