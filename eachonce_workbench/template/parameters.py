"""The parameters of a template, as a deployment would take them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.template import made_up
from eachonce_workbench.template.intrinsics import Unresolved, text
from eachonce_workbench.template.pattern_example import example
from eachonce_workbench.template.place import Place
from eachonce_workbench.template.properties import Properties
from eachonce_workbench.template.usage import fitting, uses

_KINDS = re.compile(r"String|Number|List<(Number|String)>|CommaDelimitedList|AWS::[\w:<>]+|List<AWS::[\w:]+>")
_STORED = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
# What CloudFormation's regular expressions have beside Python's: such a pattern is not looked at.
_ONLY_IN_JAVA = re.compile(r"\\[pPQEhHRvV]|\(\?<[A-Za-z]|&&\[")
_LIST = re.compile(r"List<(.+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The value of every parameter, what is said of those that were made up, and their names."""

    values: Mapping[str, str | list[str]]
    made_up: tuple[str, ...] = ()
    invented: frozenset[str] = frozenset()


def chosen(document: Mapping[str, Any], given: Mapping[str, str], place: Place) -> Parameters:
    """Give the value of every parameter: the one that is given, its default, or one made up.

    What is in AWS's parameter store can't be known, and is made up as well; a value given for it is taken as what lies
    there. Raises Unresolved for a value that a parameter doesn't allow, one for no parameter, and a parameter for which
    none can be made up.
    """
    declared: Mapping[str, Any] = document.get("Parameters", {})
    for name in given:
        if name not in declared:
            raise Unresolved(("Parameters",), f"there is no parameter {name}")
    values: dict[str, str | list[str]] = {}
    said: dict[str, str] = {}
    for name, item in declared.items():
        parameter = _Parameter(name, Properties(item, ("Parameters", name)), place, document)
        value, why = parameter.chosen(given)
        values[name] = parameter.typed(value)
        if why is not None:
            said[name] = f"Parameter {name} {why}: {value!r} is used here"
    return Parameters(values=values, made_up=tuple(said.values()), invented=frozenset(said))


class _Parameter:
    """One parameter, as it is declared."""

    def __init__(self, name: str, declaration: Properties, place: Place, document: Mapping[str, Any]) -> None:
        self._document = document
        self._name = name
        self._declaration = declaration
        self._place = place
        kind = declaration.text("Type")
        if not _KINDS.fullmatch(kind):
            raise Unresolved(declaration.at("Type"), f"there is no parameter type {kind}")
        stored = _STORED.fullmatch(kind)
        self._is_stored = stored is not None
        self._kind = stored[1] if stored else kind
        items = _LIST.fullmatch(self._kind)
        self._is_list = items is not None or self._kind == "CommaDelimitedList"
        self._item_kind = items[1] if items else self._kind

    def chosen(self, given: Mapping[str, str]) -> tuple[str, str | None]:
        """Give the value, and why it was made up, if it was."""
        if self._is_stored:
            if self._name in given:
                return given[self._name], None
            return self._likely(), "is in AWS's parameter store"
        if self._name in given or "Default" in self._declaration:
            value = given[self._name] if self._name in given else self._declaration.text("Default")
            if why := self._refusal(value):
                raise Unresolved(self._declaration.where, why)
            return value, None
        return self._invented(), "has no default"

    def typed(self, value: str) -> str | list[str]:
        """Give a value as the template sees it: a list where the type is one."""
        return [item.strip() for item in value.split(",")] if self._is_list else value

    def _invented(self) -> str:
        for value in self._candidates():
            if self._refusal(value) is None:
                return value
        raise Unresolved(self._declaration.where, f"the parameter {self._name} needs a value: none could be made up")

    def _candidates(self) -> Iterator[str]:
        declaration = self._declaration
        yield from (text(item, declaration.at("AllowedValues")) for item in declaration.items("AllowedValues"))
        if self._item_kind == "Number":
            yield self._likely()
            yield from (declaration.optional_text(name) or "1" for name in ("MinValue", "MaxValue"))
            return
        yield self._likely()
        found = list(made_up.candidates(self._name, self._place))
        yield from found
        least, most = declaration.integer("MinLength", 0), declaration.integer("MaxLength", 4_096)
        yield from ((value * (least + 1))[: max(least, min(len(value), most))] for value in found)
        pattern = declaration.optional_text("AllowedPattern")
        if pattern is not None and (written := example(pattern, least)) is not None:
            yield written

    def _likely(self) -> str:
        found = uses([self._document.get(name) for name in ("Globals", "Resources")], self._name)
        fits = (fitting(used, self._name, self._place) for used in found)
        value = made_up.named(self._name, self._place)
        if not value.startswith("arn:") and (fit := next(filter(None, fits), None)) is not None:
            return fit
        if self._item_kind == "Number":
            return made_up.number(self._name)
        by_type = made_up.of_type(self._item_kind, self._name, self._place)
        return value if by_type is None else by_type

    def _refusal(self, value: str) -> str | None:
        """Say why the parameter doesn't take a value; None when it does."""
        name, declaration = self._name, self._declaration
        allowed = [text(item, declaration.at("AllowedValues")) for item in declaration.items("AllowedValues")]
        each = self.typed(value)
        if allowed and not set([each] if isinstance(each, str) else each) <= set(allowed):
            return f"{name} is one of {', '.join(allowed)}, not {value!r}"
        if not _matches(value, declaration):
            return f"{name} matches {declaration.text('AllowedPattern')}, not {value!r}"
        if not _fits(value, declaration):
            return f"{name} has a length in its range, not {len(value)} characters"
        if self._kind == "Number" and not _within(value, declaration):
            return f"{name} is a number in its range, not {value!r}"
        return None


def _matches(value: str, declaration: Properties) -> bool:
    pattern = declaration.optional_text("AllowedPattern")
    if pattern is None or _ONLY_IN_JAVA.search(pattern):
        return True
    try:
        return re.fullmatch(pattern, value) is not None
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
