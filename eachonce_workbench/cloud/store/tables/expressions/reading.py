"""Reading an expression word by word; what all kinds of expressions have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import NoReturn

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.tables.expressions.operands import At, Given, Operand
from eachonce_workbench.cloud.store.tables.expressions.paths import Path, written
from eachonce_workbench.cloud.store.tables.expressions.scope import Names, Values
from eachonce_workbench.cloud.store.tables.expressions.tokens import Token, tokens_of
from eachonce_workbench.cloud.store.tables.refusals import invalid

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
MAX_BYTES = 4096
MAX_OPERATORS = 300
_MAX_INDEX = 2**31 - 1

CACHED = 1024
"""More expressions than any program writes down; a program that builds texts of its own is merely slower."""

Check = Callable[[Values], None]
"""Raises `AwsError` when the values of a request don't fit the expression."""


class Reader:
    """Reads one expression. What depends on a request's values is noted in `checks`, in the order of the text."""

    def __init__(self, kind: str, text: str, names: Names) -> None:
        self.kind = kind
        self.names = names
        self.used: set[str] = set()
        self.checks: list[Check] = []
        self._text = text
        if not text.strip():
            raise self.refusal("The expression can not be empty;")
        size = len(text.encode(errors="surrogatepass"))
        if size > MAX_BYTES:
            raise self.refusal(f"Expression size has exceeded the maximum allowed size; expression size: {size}")
        self._tokens = tokens_of(text)
        self._place = 0

    def refusal(self, reason: str) -> AwsError:
        """The error that the expression is not valid."""
        return invalid(f"Invalid {self.kind}: {reason}")

    @property
    def token(self) -> Token:
        """The next word."""
        return self._tokens[self._place]

    def ahead(self, by: int = 1) -> Token:
        """A word after the next."""
        return self._tokens[min(self._place + by, len(self._tokens) - 1)]

    def take(self) -> Token:
        """The next word, which is then done with."""
        token = self.token
        if token.kind == "stray":
            self.stray()
        self._place += 1
        return token

    def back(self) -> None:
        """Let the word that was taken last be next again."""
        self._place -= 1

    def take_if(self, *texts: str) -> bool:
        """Take the next word if it is one of these symbols or keywords."""
        if self.token.text in texts or self.token.keyword in texts:
            self._place += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Take a symbol or keyword that must be next."""
        if not self.take_if(text):
            self.stray()

    def stray(self) -> NoReturn:
        """Refuse the next word: it can't be where it is."""
        before, after = self._tokens[max(self._place - 1, 0)], self.ahead()
        near = self._text[before.start : after.end].strip()
        raise self.refusal(f'Syntax error; token: "{self.token.text}", near: "{near}"')

    def path(self) -> Path:
        """A document path that is next."""
        parts: list[str | int] = [self._name()]
        while True:
            if self.take_if("."):
                parts.append(self._name())
            elif self.take_if("["):
                parts.append(self._index())
                self.expect("]")
            else:
                return tuple(parts)

    def given(self) -> Given:
        """A value's placeholder that is next."""
        if self.token.kind != "valued":
            self.stray()
        placeholder = self.take().text
        self.used.add(placeholder)
        self.checks.append(lambda values: self._require(placeholder, values))
        return Given(placeholder)

    def at(self) -> At:
        """The attribute at a path that is next."""
        return At(self.path())

    def arguments(self, argument: Callable[[], Operand]) -> list[Operand]:
        """A list in parentheses, which are not taken yet."""
        self.expect("(")
        found = [argument()]
        while self.take_if(","):
            found.append(argument())
        self.expect(")")
        return found

    def count(self, name: str, operands: list[Operand], wanted: int) -> None:
        """Require that a function has as many operands as it takes."""
        if len(operands) != wanted:
            raise self.refusal(
                "Incorrect number of operands for operator or function; "
                f"operator or function: {name}, number of operands: {len(operands)}"
            )

    def require_path(self, name: str, operand: Operand) -> Path:
        """Require that a function's operand is a path."""
        if not isinstance(operand, At):
            raise self.refusal(f"Operator or function requires a document path; operator or function: {name}")
        return operand.path

    def require_distinct(self, name: str, first: Operand, *rest: Operand) -> None:
        """Require that an operator's first operand is no other of its operands."""
        if isinstance(first, At) and first in rest:
            raise self.refusal(
                "The first operand must be distinct from the remaining operands for this operator or function; "
                f"operator: {name}, first operand: {written(first.path)}"
            )

    def check_types(self, name: str, operands: list[Operand], allowed: frozenset[str]) -> None:
        """Let the values of a request be of types that the operator or function knows; what an item has may not be."""
        for operand in operands:
            if isinstance(operand, Given):
                self.checks.append(self._type_check(name, operand, allowed))

    def incorrect_type(self, name: str, kind: str) -> AwsError:
        """The error that an operand's type is unknown to its operator or function."""
        return self.refusal(
            f"Incorrect operand type for operator or function; operator or function: {name}, operand type: {kind}"
        )

    def misused(self, name: str) -> AwsError:
        """The error that a function is where it can't be."""
        return self.refusal(f"The function is not allowed to be used this way in an expression; function: {name}")

    def redundant(self) -> AwsError:
        """The error that parentheses enclose nothing but parentheses."""
        return self.refusal("The expression has redundant parentheses;")

    def check_operators(self, operators: frozenset[str], *, functions: bool) -> None:
        """Refuse an expression of more operators (and functions, where they count) than DynamoDB takes."""
        count = sum(
            token.text in operators or token.keyword in operators or (functions and _calls(token, after))
            for token, after in pairwise(self._tokens)
        )
        if count > MAX_OPERATORS:
            raise self.refusal(f"The expression contains too many operators; operator count: {count}")

    def _type_check(self, name: str, operand: Given, allowed: frozenset[str]) -> Check:
        def check(values: Values) -> None:
            kind = values[operand.placeholder].type
            if kind not in allowed:
                raise self.incorrect_type(name, kind)

        return check

    def _require(self, placeholder: str, values: Values) -> None:
        if placeholder not in values:
            raise self.refusal(
                f"An expression attribute value used in expression is not defined; attribute value: {placeholder}"
            )

    def _name(self) -> str:
        token = self.token
        if token.kind == "named":
            self.take()
            return self._resolved(token.text)
        if token.kind != "name":
            self.stray()
        self.take()
        if token.keyword in _reserved():
            raise self.refusal(f"Attribute name is a reserved keyword; reserved keyword: {token.text}")
        return token.text

    def _resolved(self, placeholder: str) -> str:
        self.used.add(placeholder)
        if placeholder not in self.names:
            raise self.refusal(
                f"An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
            )
        return self.names[placeholder]

    def _index(self) -> int:
        if self.token.kind != "index":
            self.stray()
        digits = self.take().text.lstrip("0") or "0"
        if len(digits) > len(str(_MAX_INDEX)) or int(digits) > _MAX_INDEX:
            raise self.refusal(f"List index is not within the allowable range; index: [{digits}]")
        return int(digits)


def _calls(token: Token, after: Token) -> bool:
    return token.kind == "name" and after.text == "("


@lru_cache(maxsize=1)
def _reserved() -> frozenset[str]:
    return frozenset(ReservedKeywords.get_reserved_keywords())
