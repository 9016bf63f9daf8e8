"""NOT, AND and OR: conditions put together by the strength of their operators."""

from __future__ import annotations

from eachonce_workbench.cloud.store.tables.expressions.predicates import And, Not, Or, Predicate
from eachonce_workbench.cloud.store.tables.expressions.reading import Reader

_STRENGTH = {"OR": 1, "AND": 2, "NOT": 3}


class Junctions:
    """Conditions that are read, and the operators that wait for what follows them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._operators: list[str] = []
        self._conditions: list[tuple[Predicate, bool]] = []  # and whether parentheses enclose it

    def open(self, operator: str) -> None:
        """NOT, or a parenthesis: what it is about follows."""
        self._operators.append(operator)

    def add(self, condition: Predicate) -> None:
        """A condition without operators."""
        self._conditions.append((condition, False))

    def join(self, operator: str) -> None:
        """AND or OR, once what binds as strongly before it is done."""
        self._reduce(_STRENGTH[operator])
        self._operators.append(operator)

    def close(self) -> None:
        """A closing parenthesis."""
        self._reduce(1)
        if not self._operators:
            self._reader.back()
            self._reader.stray()
        self._operators.pop()
        condition, enclosed = self._conditions.pop()
        if enclosed:
            raise self._reader.redundant()
        self._conditions.append((condition, True))

    def all(self) -> Predicate:
        """The one condition that is left at the end."""
        self._reduce(1)
        if self._operators:
            self._reader.stray()
        ((condition, _),) = self._conditions
        return condition

    def _reduce(self, strength: int) -> None:
        while self._operators and _STRENGTH.get(self._operators[-1], 0) >= strength:
            operator = self._operators.pop()
            right, _ = self._conditions.pop()
            if operator == "NOT":
                made: Predicate = Not(right)
            else:
                left, _ = self._conditions.pop()
                made = And(left, right) if operator == "AND" else Or(left, right)
            self._conditions.append((made, False))
