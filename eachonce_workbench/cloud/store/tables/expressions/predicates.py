"""The conditions that an item may meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from eachonce_workbench.cloud.store.tables.attributes import Attributes
from eachonce_workbench.cloud.store.tables.expressions import comparing
from eachonce_workbench.cloud.store.tables.expressions.operands import Operand
from eachonce_workbench.cloud.store.tables.expressions.paths import Path, value_at
from eachonce_workbench.cloud.store.tables.expressions.scope import Values


class Predicate(Protocol):
    """Something that holds for an item or doesn't."""

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """Whether it holds; an item that isn't there has no attributes."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`."""

    operator: str
    left: Operand
    right: Operand

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """Two values of different types, or of which one isn't there, are merely not equal."""
        left, right = self.left.value(attrs, values), self.right.value(attrs, values)
        if self.operator in ("=", "<>"):
            return comparing.equal(left, right) is (self.operator == "=")
        return comparing.ordered(self.operator, left, right)


@dataclass(frozen=True, slots=True)
class Between:
    """`operand BETWEEN low AND high`."""

    operand: Operand
    low: Operand
    high: Operand

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """The bounds belong to it."""
        between = self.operand.value(attrs, values)
        low, high = self.low.value(attrs, values), self.high.value(attrs, values)
        return comparing.ordered(">=", between, low) and comparing.ordered("<=", between, high)


@dataclass(frozen=True, slots=True)
class In:
    """`operand IN (one, ...)`."""

    operand: Operand
    members: tuple[Operand, ...]

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """One of them is equal."""
        wanted = self.operand.value(attrs, values)
        return any(comparing.equal(wanted, member.value(attrs, values)) for member in self.members)


@dataclass(frozen=True, slots=True)
class Exists:
    """`attribute_exists(path)`."""

    path: Path

    def holds(self, attrs: Attributes, values: Values) -> bool:  # noqa: ARG002 - the port
        """Whatever it is, NULL included."""
        return value_at(self.path, attrs) is not None


@dataclass(frozen=True, slots=True)
class HasType:
    """`attribute_type(operand, type)`."""

    operand: Operand
    kind: Operand

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """The type is given by its short name."""
        found, kind = self.operand.value(attrs, values), self.kind.value(attrs, values)
        return found is not None and kind is not None and found.type == kind.value


@dataclass(frozen=True, slots=True)
class BeginsWith:
    """`begins_with(operand, start)`."""

    operand: Operand
    start: Operand

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """Texts and binaries begin with their like."""
        return comparing.begins_with(self.operand.value(attrs, values), self.start.value(attrs, values))


@dataclass(frozen=True, slots=True)
class Contains:
    """`contains(operand, part)`."""

    operand: Operand
    part: Operand

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """A part of a text or binary, a member of a set or list."""
        return comparing.contains(self.operand.value(attrs, values), self.part.value(attrs, values))


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT condition`."""

    of: Predicate

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """The opposite."""
        return not self.of.holds(attrs, values)


@dataclass(frozen=True, slots=True)
class And:
    """`condition AND condition`."""

    left: Predicate
    right: Predicate

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """Both of them."""
        return self.left.holds(attrs, values) and self.right.holds(attrs, values)


@dataclass(frozen=True, slots=True)
class Or:
    """`condition OR condition`."""

    left: Predicate
    right: Predicate

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """One of them, or both."""
        return self.left.holds(attrs, values) or self.right.holds(attrs, values)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Several conditions at once."""

    parts: tuple[Predicate, ...]

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """Every one of them."""
        return all(part.holds(attrs, values) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Several conditions, one of which is enough."""

    parts: tuple[Predicate, ...]

    def holds(self, attrs: Attributes, values: Values) -> bool:
        """At least one of them."""
        return any(part.holds(attrs, values) for part in self.parts)
