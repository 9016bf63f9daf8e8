"""The parameters of a template, as a deployment would take them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from eachonce_workbench.template.intrinsics import Unresolved, text
from eachonce_workbench.template.properties import Properties

_KINDS = re.compile(r"String|Number|List<Number>|CommaDelimitedList|AWS::[A-Za-z0-9:<>]+|List<AWS::[A-Za-z0-9:]+>")


def values(document: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str | list[str]]:
    """Give the value of every parameter: the one that is given, or its default.

    Raises Unresolved for a parameter without a value, a value that it doesn't allow, and one for no parameter.
    """
    declared: Mapping[str, Any] = document.get("Parameters", {})
    for name in given:
        if name not in declared:
            raise Unresolved(("Parameters",), f"there is no parameter {name}")
    return {name: _value(name, Properties(item, ("Parameters", name)), given) for name, item in declared.items()}


def _value(name: str, declaration: Properties, given: Mapping[str, str]) -> str | list[str]:
    kind = declaration.text("Type")
    if not _KINDS.fullmatch(kind):
        raise Unresolved(declaration.at("Type"), f"there is no parameter type {kind}")
    if kind.startswith("AWS::SSM::Parameter"):
        raise Unresolved(declaration.where, f"{name} is in AWS's parameter store, which the local cloud doesn't have")
    if name not in given and "Default" not in declaration:
        raise Unresolved(declaration.where, f"the parameter {name} needs a value")
    value = given[name] if name in given else declaration.text("Default")
    _check(name, value, declaration)
    return [item.strip() for item in value.split(",")] if _is_list(kind) else value


def _check(name: str, value: str, declaration: Properties) -> None:
    allowed = [text(item, declaration.at("AllowedValues")) for item in declaration.items("AllowedValues")]
    if allowed and value not in allowed:
        raise Unresolved(declaration.where, f"{name} is one of {', '.join(allowed)}, not {value!r}")
    if not _matches(value, declaration):
        raise Unresolved(declaration.where, f"{name} matches {declaration.text('AllowedPattern')}, not {value!r}")
    if not _fits(value, declaration):
        raise Unresolved(declaration.where, f"{name} has a length in its range, not {len(value)} characters")
    if declaration.text("Type") == "Number" and not _within(value, declaration):
        raise Unresolved(declaration.where, f"{name} is a number in its range, not {value!r}")


def _matches(value: str, declaration: Properties) -> bool:
    pattern = declaration.optional_text("AllowedPattern")
    try:
        return pattern is None or re.fullmatch(pattern, value) is not None
    except re.error as error:
        raise Unresolved(declaration.at("AllowedPattern"), f"no regular expression: {error}") from error


def _fits(value: str, declaration: Properties) -> bool:
    least, most = declaration.integer("MinLength", 0), declaration.optional_integer("MaxLength")
    return least <= len(value) and (most is None or len(value) <= most)


def _within(value: str, declaration: Properties) -> bool:
    try:
        number = float(value)
        least = float(declaration.optional_text("MinValue") or "-inf")
        most = float(declaration.optional_text("MaxValue") or "inf")
    except ValueError:
        return False
    return least <= number <= most


def _is_list(kind: str) -> bool:
    return kind == "CommaDelimitedList" or kind.startswith("List<")
