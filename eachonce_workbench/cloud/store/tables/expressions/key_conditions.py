"""Key conditions: which part of a table or an index a query reads.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from moto.dynamodb.models.dynamo_type import DynamoType

from eachonce_workbench.cloud.store.tables.attributes import Attributes
from eachonce_workbench.cloud.store.tables.expressions import predicates
from eachonce_workbench.cloud.store.tables.expressions.conditions import read_condition
from eachonce_workbench.cloud.store.tables.expressions.operands import At, Given, Operand
from eachonce_workbench.cloud.store.tables.expressions.predicates import And, Predicate
from eachonce_workbench.cloud.store.tables.expressions.scope import Scope, Values
from eachonce_workbench.cloud.store.tables.refusals import invalid, invalid_value

KIND = "KeyConditionExpression"

_TURNED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Term:
    """What one attribute of the key has to be."""

    operator: str
    operands: tuple[DynamoType, ...]
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """Conditions by the attribute that each is about."""

    terms: Mapping[str, Term]
    values: Values

    @classmethod
    def of(cls, text: str, scope: Scope) -> KeyCondition:
        """Read, or recall; raises `AwsError` ValidationException when it is not one or doesn't fit its values."""
        read = read_condition(KIND, text, tuple(scope.names.items()))
        scope.used |= read.used
        for check in read.checks:
            check(scope.values)
        terms: dict[str, Term] = {}
        for predicate in _parts(read.predicate):
            name, term = _term(predicate, scope.values)
            if name in terms:
                raise _refusal("KeyConditionExpressions must only contain one condition per key")
            terms[name] = term
        return cls(terms, scope.values)

    def holds(self, attrs: Attributes) -> bool:
        """Whether an item belongs to what is asked for."""
        return all(term.predicate.holds(attrs, self.values) for term in self.terms.values())

    def require(self, hash_keys: Sequence[str], range_keys: Sequence[str], types: Mapping[str, str]) -> None:
        """Raise `AwsError` ValidationException when it isn't a condition on this key.

        Every partition attribute equals a value; then sort attributes from the first one on do, and the last of them
        may be in a range.
        """
        keys = [*hash_keys, *range_keys]
        if len(self.terms) > len(keys):
            raise invalid(
                f"The number of query conditions ({len(self.terms)}) exceeds the number of key attributes defined in "
                f"the schema ({len(keys)})"
            )
        asked = keys[: max(len(self.terms), len(hash_keys))]
        for key in asked:
            if key not in self.terms:
                raise invalid(f"Query condition missed key schema element: {key}")
        for key in asked:
            if any(operand.type != types[key] for operand in self.terms[key].operands):
                raise invalid_value("Condition parameter type does not match schema type")
        for key in [*hash_keys, *asked[len(hash_keys) : -1]]:
            if self.terms[key].operator != "=":
                raise invalid("Query key condition not supported")
        self._require_contents(asked, types)

    def _require_contents(self, keys: Sequence[str], types: Mapping[str, str]) -> None:
        for key in keys:
            if types[key] != "N" and self.terms[key].operator == "=" and not self.terms[key].operands[0].value:
                raise invalid(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
                    f"an empty {'string' if types[key] == 'S' else 'binary'} value. Key: {key}"
                )


def _refusal(reason: str) -> Exception:
    return invalid(f"Invalid {KIND}: {reason}")


def _parts(predicate: Predicate) -> Iterator[Predicate]:
    pending = [predicate]
    while pending:
        part = pending.pop()
        if isinstance(part, And):
            pending += [part.right, part.left]
        else:
            yield part


def _term(predicate: Predicate, values: Values) -> tuple[str, Term]:
    operator, operands = _read(predicate)
    paths = [operand.path for operand in operands if isinstance(operand, At)]
    given = [operand for operand in operands if isinstance(operand, Given)]
    if len(paths) + len(given) < len(operands):
        raise invalid("KeyConditionExpressions cannot contain nested operations")
    if len(paths) > 1:
        raise invalid("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
    if not paths:
        raise invalid("Invalid condition in KeyConditionExpression: No key attribute specified")
    if len(paths[0]) > 1:
        raise invalid("KeyConditionExpressions cannot have conditions on nested attributes")
    if isinstance(operands[0], Given):
        if operator not in _TURNED:
            raise invalid(
                f"Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute as its "
                "first operand"
            )
        operator = _TURNED[operator]
    found = tuple(values[operand.placeholder] for operand in given)
    return str(paths[0][0]), Term(operator, found, predicate)


def _read(predicate: Predicate) -> tuple[str, tuple[Operand, ...]]:
    match predicate:
        case predicates.Comparison(operator, left, right) if operator != "<>":
            return operator, (left, right)
        case predicates.Between(operand, low, high):
            return "BETWEEN", (operand, low, high)
        case predicates.BeginsWith(operand, start):
            return "begins_with", (operand, start)
    raise invalid(f"Invalid operator used in KeyConditionExpression: {_name_of(predicate)}")


def _name_of(predicate: Predicate) -> str:
    match predicate:
        case predicates.Comparison(operator, _, _):
            return operator
        case predicates.Not(predicates.Exists()):
            return "attribute_not_exists"
    return _OPERATORS.get(type(predicate), "")


_OPERATORS: dict[type, str] = {
    predicates.In: "IN",
    predicates.Or: "OR",
    predicates.Not: "NOT",
    predicates.Exists: "attribute_exists",
    predicates.HasType: "attribute_type",
    predicates.Contains: "contains",
}
