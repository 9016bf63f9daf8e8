"""Condition and filter expressions, read once a text instead of once a request.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from eachonce_workbench.cloud.store.tables.attributes import Attributes
from eachonce_workbench.cloud.store.tables.expressions.condition_reader import OPERATORS, ConditionReader
from eachonce_workbench.cloud.store.tables.expressions.paths import Path
from eachonce_workbench.cloud.store.tables.expressions.predicates import Predicate
from eachonce_workbench.cloud.store.tables.expressions.reading import CACHED, Check
from eachonce_workbench.cloud.store.tables.expressions.scope import Scope, Values


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, and the values that a request gave it."""

    predicate: Predicate
    values: Values
    paths: tuple[Path, ...] = ()

    def holds(self, attrs: Attributes | None) -> bool:
        """Whether the item, None where there is none, meets the condition."""
        return self.predicate.holds({} if attrs is None else attrs, self.values)

    @classmethod
    def of(cls, kind: str, text: str | None, scope: Scope) -> Condition | None:
        """Read, or recall, the expression in a request's parameter `kind`; None where there is none.

        Raises `AwsError` ValidationException when the expression is not valid or doesn't fit its values.
        """
        if text is None:
            return None
        read = read_condition(kind, text, tuple(scope.names.items()))
        scope.used |= read.used
        for check in read.checks:
            check(scope.values)
        return cls(read.predicate, scope.values, read.paths)


@dataclass(frozen=True, slots=True)
class ReadCondition:
    """What depends on a condition's text and its names alone."""

    predicate: Predicate
    used: frozenset[str]
    checks: tuple[Check, ...]
    paths: tuple[Path, ...]


@lru_cache(maxsize=CACHED)
def read_condition(kind: str, text: str, names: tuple[tuple[str, str], ...]) -> ReadCondition:
    """Read a condition; raises `AwsError` ValidationException when it is not valid."""
    reader = ConditionReader(kind, text, dict(names))
    reader.check_operators(OPERATORS, functions=False)
    predicate = reader.condition()
    return ReadCondition(predicate, frozenset(reader.used), tuple(reader.checks), tuple(reader.paths))
