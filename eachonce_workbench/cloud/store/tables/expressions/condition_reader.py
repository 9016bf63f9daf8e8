"""Reading a condition: its comparisons and functions, and what each takes."""

from __future__ import annotations

from collections.abc import Callable

from moto.dynamodb.models.dynamo_type import DynamoType

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.tables.attributes import TYPES, wire
from eachonce_workbench.cloud.store.tables.expressions import comparing, predicates
from eachonce_workbench.cloud.store.tables.expressions.junctions import Junctions
from eachonce_workbench.cloud.store.tables.expressions.operands import SIZED, Given, Operand, Size
from eachonce_workbench.cloud.store.tables.expressions.paths import Path
from eachonce_workbench.cloud.store.tables.expressions.predicates import Not, Predicate
from eachonce_workbench.cloud.store.tables.expressions.reading import Check, Reader
from eachonce_workbench.cloud.store.tables.expressions.scope import Names, Values
from eachonce_workbench.cloud.store.tables.expressions.tokens import Token

MAX_IN_OPERANDS = 100
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters"""

_FOLLOWS_OPERAND = frozenset({*comparing.ORDERS, "=", "<>", "BETWEEN", "IN"})
OPERATORS = (_FOLLOWS_OPERAND - {"BETWEEN"}) | {"AND", "OR", "NOT"}  # BETWEEN is counted by its AND
_TEXTS = frozenset({"S", "B"})
_CONTAINERS = frozenset({"S", "B", "SS", "NS", "BS", "L"})


class ConditionReader(Reader):
    """Reads a condition by the strength of its operators, without calling itself: it may be nested hundreds deep."""

    def __init__(self, kind: str, text: str, names: Names) -> None:
        super().__init__(kind, text, names)
        self.paths: list[Path] = []
        self._measuring = False
        self._closing = _closing(self._tokens)

    def path(self) -> Path:
        """A document path that is next; noted in `paths`."""
        path = super().path()
        self.paths.append(path)
        return path

    def condition(self) -> Predicate:
        """The whole expression."""
        pending = Junctions(self)
        while True:
            self._term(pending)
            while self.take_if(")"):
                pending.close()
            if self.token.kind == "end":
                return pending.all()
            pending.join(self._junction())

    def _term(self, pending: Junctions) -> None:
        while True:
            if self.token.keyword == "NOT":
                pending.open(self.take().keyword)
            elif self.token.text == "(" and not self._groups_operand():
                pending.open(self.take().text)
            else:
                return pending.add(self._primary())

    def _junction(self) -> str:
        if self.token.keyword not in ("AND", "OR"):
            self.stray()
        return self.take().keyword

    def _groups_operand(self) -> bool:
        """Whether the parenthesis that is next encloses an operand of a comparison, not a condition."""
        after = self._closing.get(self._place)
        if after is None:
            return False
        token = self._tokens[after + 1]
        return token.text in _FOLLOWS_OPERAND or token.keyword in _FOLLOWS_OPERAND

    def _primary(self) -> Predicate:
        if self._function_name() in _FUNCTIONS:
            return self._function()
        left = self._operand()
        operator = self.token.keyword or self.token.text
        if operator not in _FOLLOWS_OPERAND:
            if isinstance(left, Size):
                raise self.misused("size")
            self.stray()
        self.take()
        if operator == "BETWEEN":
            return self._between(left)
        return self._in(left) if operator == "IN" else self._comparison(operator, left)

    def _comparison(self, operator: str, left: Operand) -> Predicate:
        right = self._operand()
        self.require_distinct(operator, left, right)
        if operator in comparing.ORDERS:
            self.check_types(operator, [left, right], comparing.ORDERED)
        return predicates.Comparison(operator, left, right)

    def _between(self, operand: Operand) -> Predicate:
        low = self._operand()
        self.expect("AND")
        high = self._operand()
        self.require_distinct("BETWEEN", operand, low, high)
        self.check_types("BETWEEN", [operand, low, high], comparing.ORDERED)
        if isinstance(low, Given) and isinstance(high, Given):
            self.checks.append(self._bounds_check(low, high))
        return predicates.Between(operand, low, high)

    def _bounds_check(self, low: Given, high: Given) -> Check:
        def check(values: Values) -> None:
            one, other = values[low.placeholder], values[high.placeholder]
            bounds = f"lower bound operand: AttributeValue: {_shown(one)}, upper bound operand: AttributeValue: "
            if one.type != other.type:
                raise self.refusal(
                    f"The BETWEEN operator requires same data type for lower and upper bounds; {bounds}{_shown(other)}"
                )
            if comparing.ordered(">", one, other):
                raise self.refusal(
                    "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
                    f"{bounds}{_shown(other)}"
                )

        return check

    def _in(self, operand: Operand) -> Predicate:
        members = self.arguments(self._operand)
        if len(members) > MAX_IN_OPERANDS:
            raise self.refusal(
                f"The IN operator is provided with too many operands; number of operands: {len(members)}"
            )
        self.require_distinct("IN", operand, *members)
        return predicates.In(operand, tuple(members))

    def _operand(self) -> Operand:
        if self.take_if("("):
            if self.token.text == "(":
                raise self.redundant()
            operand = self._operand()
            self.expect(")")
            return operand
        if self.token.kind == "valued":
            return self.given()
        return self._size() if self._function_name() else self.at()

    def _function_name(self) -> str:
        return self.token.text if self.token.kind == "name" and self.ahead().text == "(" else ""

    def _size(self) -> Operand:
        name = self.take().text
        if name != "size":
            raise self.misused(name) if name in _KNOWN else self._unknown(name)
        if self._measuring:
            raise self.incorrect_type("size", "N")
        self._measuring = True
        operands = self.arguments(self._operand)
        self._measuring = False
        self.count(name, operands, 1)
        self.check_types(name, operands, SIZED)
        return Size(operands[0])

    def _unknown(self, name: str) -> AwsError:
        return self.refusal(f"Invalid function name; function: {name}")

    def _function(self) -> Predicate:
        name = self.take().text
        operands = self.arguments(self._operand)
        wanted, make = _FUNCTIONS[name]
        self.count(name, operands, wanted)
        self.require_distinct(name, *operands)
        if self.token.text in _FOLLOWS_OPERAND or self.token.keyword in _FOLLOWS_OPERAND:
            raise self.misused(name)
        return make(self, name, operands)

    def exists(self, name: str, operands: list[Operand]) -> Predicate:
        """`attribute_exists` and `attribute_not_exists`."""
        found = predicates.Exists(self.require_path(name, operands[0]))
        return found if name == "attribute_exists" else Not(found)

    def has_type(self, name: str, operands: list[Operand]) -> Predicate:
        """`attribute_type`: the type is a value of the request."""
        operand, kind = operands
        if not isinstance(kind, Given):
            raise self.incorrect_type(name, "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
        self.check_types(name, [kind], frozenset({"S"}))
        self.checks.append(lambda values: self._check_type_name(values[kind.placeholder].value))
        return predicates.HasType(operand, kind)

    def _check_type_name(self, name: str) -> None:
        if name not in TYPES:
            raise self.refusal(
                f"Invalid attribute type name found; type: {name}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
            )

    def begins_with(self, name: str, operands: list[Operand]) -> Predicate:
        """`begins_with`: of texts and binaries."""
        if any(isinstance(operand, Size) for operand in operands):
            raise self.incorrect_type(name, "N")
        self.check_types(name, operands, _TEXTS)
        return predicates.BeginsWith(*operands)

    def contains(self, name: str, operands: list[Operand]) -> Predicate:
        """`contains`: what contains is a text, a binary, a set or a list."""
        self.check_types(name, operands[:1], _CONTAINERS)
        return predicates.Contains(*operands)


_FUNCTIONS: dict[str, tuple[int, Callable[[ConditionReader, str, list[Operand]], Predicate]]] = {
    "attribute_exists": (1, ConditionReader.exists),
    "attribute_not_exists": (1, ConditionReader.exists),
    "attribute_type": (2, ConditionReader.has_type),
    "begins_with": (2, ConditionReader.begins_with),
    "contains": (2, ConditionReader.contains),
}
_KNOWN = frozenset({*_FUNCTIONS, "size", "if_not_exists", "list_append"})


def _closing(tokens: list[Token]) -> dict[int, int]:
    """Where the parenthesis that opens at a place closes."""
    opened: list[int] = []
    found = {}
    for place, token in enumerate(tokens):
        if token.text == "(":
            opened.append(place)
        elif token.text == ")" and opened:
            found[opened.pop()] = place
    return found


def _shown(value: DynamoType) -> str:
    ((kind, content),) = wire(value).items()
    return f"{{{kind}:{content}}}"
