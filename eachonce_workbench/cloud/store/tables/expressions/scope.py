"""What an expression may refer to: the names and the values that come with a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.tables.attributes import Wire, attribute, checked_name
from eachonce_workbench.cloud.store.tables.refusals import invalid

Names = Mapping[str, str]
Values = Mapping[str, DynamoType]
"""The values of a request, by their placeholders."""

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
MAX_PLACEHOLDER_BYTES = 255


@dataclass(slots=True)
class Scope:
    """The names and values of a request, and which of them its expressions have used."""

    names: Names
    values: Values
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, request: Mapping[str, Any], *expressions: str) -> Scope:
        """The scope of a request that may contain `expressions`, the likeliest first and a projection last.

        Raises `AwsError` ValidationException when names or values are given without an expression, are none, or are
        not what they should be.
        """
        names: Names | None = request.get("ExpressionAttributeNames")
        values: Mapping[str, Wire] | None = request.get("ExpressionAttributeValues")
        if names is None and values is None:
            return cls({}, {})
        if request.get(expressions[0]) is None:
            _require_expressions(request, expressions)
        return cls({} if names is None else _checked_names(names), {} if values is None else _checked_values(values))

    def require_used(self) -> None:
        """Raise `AwsError` ValidationException when a name or a value was given for nothing."""
        for given, what in ((self.names, "Names"), (self.values, "Values")):
            unused = [placeholder for placeholder in given if placeholder not in self.used]
            if unused:
                raise invalid(
                    f"Value provided in ExpressionAttribute{what} unused in expressions: keys: {{{', '.join(unused)}}}"
                )


def require_one_form(request: Mapping[str, Any], expressions: tuple[str, ...], older: tuple[str, ...]) -> None:
    """Raise `AwsError` ValidationException when a request has both expressions and what was there before them."""
    used, legacy = ([name for name in names if request.get(name) is not None] for names in (expressions, older))
    if used and legacy:
        raise invalid(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(legacy)}}} Expression parameters: {{{', '.join(used)}}}"
        )


def _require_expressions(request: Mapping[str, Any], expressions: tuple[str, ...]) -> None:
    valued = [name for name in expressions if name != "ProjectionExpression"]
    if any(request.get(name) is not None for name in valued):
        return
    if request.get("ExpressionAttributeValues") is not None:
        absent = f"{' and '.join(valued)} {'is' if len(valued) == 1 else 'are'} null" if valued else ""
        raise invalid(f"ExpressionAttributeValues can only be specified when using expressions: {absent}")
    if all(request.get(name) is None for name in expressions):
        raise invalid("ExpressionAttributeNames can only be specified when using expressions")


def _checked_names(names: Names) -> Names:
    _check_placeholders(names, "#", "Names")
    for name in names.values():
        checked_name(name)
    return names


def _checked_values(values: Mapping[str, Wire]) -> Values:
    _check_placeholders(values, ":", "Values")
    return {placeholder: _value(placeholder, value) for placeholder, value in values.items()}


def _value(placeholder: str, value: Wire) -> DynamoType:
    try:
        return attribute(value)
    except AwsError as error:
        if error.code != "ValidationException":
            raise
        message = f"ExpressionAttributeValues contains invalid value: {error.message} for key {placeholder}"
        raise invalid(message) from None


def _check_placeholders(given: Mapping[str, Any], sign: str, what: str) -> None:
    if not given:
        raise invalid(f"ExpressionAttribute{what} must not be empty")
    for placeholder in given:
        if not _is_placeholder(placeholder, sign):
            raise invalid(f'ExpressionAttribute{what} contains invalid key: Syntax error; key: "{placeholder}"')


@lru_cache(maxsize=4096)
def _is_placeholder(text: str, sign: str) -> bool:
    return len(text) <= MAX_PLACEHOLDER_BYTES and re.fullmatch(sign + "[A-Za-z0-9_]+", text) is not None
