"""CloudFormation's intrinsic functions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Protocol

from eachonce_workbench.template.inventions import Inventions
from eachonce_workbench.template.source import Where


class Unresolved(Exception):  # noqa: N818 - it never leaves the reading of a template, which turns it into a TemplateError
    """A value can't be known; `where` leads to it in the translated template."""

    def __init__(self, where: Where, reason: str) -> None:
        super().__init__(reason)
        self.where = where
        self.reason = reason


class References(Protocol):
    """What the resources of a template are called."""

    def ref(self, logical_id: str, where: Where) -> str:
        """Give what `Ref` gives. Raises Unresolved."""
        ...

    def attribute(self, logical_id: str, name: str, where: Where) -> str | list[str]:
        """Give what `Fn::GetAtt` gives. Raises as `ref` does."""
        ...


_NO_VALUE = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^{}]*)\}")


class Intrinsics:
    """Resolves values of one template."""

    def __init__(
        self,
        *,
        parameters: Mapping[str, str | list[str]],
        conditions: Mapping[str, Any],
        mappings: Mapping[str, Any],
        references: References,
        inventions: Inventions,
    ) -> None:
        """Take parameter values (pseudo parameters included), and the sections Conditions and Mappings."""
        self._parameters = parameters
        self._conditions = conditions
        self._mappings = mappings
        self._references = references
        self._inventions = inventions
        self._functions: dict[str, Callable[[Any, Where], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": self._base64,
            "Fn::Cidr": self._cidr,
            "Fn::GetAZs": self._zones,
            "Fn::ImportValue": self._import_value,
            "Fn::Length": self._length,
            "Fn::ToJsonString": self._to_json_string,
            "Fn::Transform": self._transform,
        }

    def resolve(self, value: Any, where: Where) -> Any:
        """Give a value without intrinsic functions; what is `AWS::NoValue` is left out, and None by itself.

        Raises Unresolved when part of it can't be known.
        """
        resolved = self._resolve(value, where)
        return None if resolved is _NO_VALUE else resolved

    def holds(self, condition: str, where: Where) -> bool:
        """Say whether a named condition is true. Raises Unresolved when there is none of this name."""
        return self._named(condition, where, ())

    def _resolve(self, value: Any, where: Where) -> Any:
        if isinstance(value, dict):
            return self._function(value, where) if _is_function(value) else self._mapping(value, where)
        if isinstance(value, list):
            items = (self._resolve(item, (*where, index)) for index, item in enumerate(value))
            return [item for item in items if item is not _NO_VALUE]
        return self._inventions.with_dynamic_references(value, where) if isinstance(value, str) else value

    def _mapping(self, value: dict[str, Any], where: Where) -> dict[str, Any]:
        items = ((key, self._resolve(item, (*where, key))) for key, item in value.items())
        return {key: item for key, item in items if item is not _NO_VALUE}

    def _function(self, value: dict[str, Any], where: Where) -> Any:
        ((name, argument),) = value.items()
        if name not in self._functions:
            raise Unresolved(where, f"the local cloud doesn't know the function {name}")
        value = self._functions[name](argument, (*where, name))
        return self._inventions.with_dynamic_references(value, where) if isinstance(value, str) else value

    def _ref(self, name: Any, where: Where) -> Any:
        if not isinstance(name, str):
            raise Unresolved(where, "Ref takes a name")
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._parameters:
            return self._parameters[name]
        return self._references.ref(name, where)

    def _get_att(self, argument: Any, where: Where) -> str | list[str]:
        parts = self._list(argument.split(".", 1) if isinstance(argument, str) else argument, where, 2)
        logical_id, attribute = (text(part, where) for part in parts)
        return self._references.attribute(logical_id, attribute, where)

    def _sub(self, argument: Any, where: Where) -> str:
        template, variables = (argument, {}) if isinstance(argument, str) else self._list(argument, where, 2)

        def replacement(match: re.Match[str]) -> str:
            literal, name = match.groups()
            return f"${{{name}}}" if literal else self._variable(name, variables, where)

        return _PLACEHOLDER.sub(replacement, text(template, where))

    def _variable(self, name: str, variables: Mapping[str, Any], where: Where) -> str:
        if name in variables:
            return text(variables[name], where)
        if "." in name:
            return text(self._get_att(name, where), where)
        return text(self._ref(name, where), where)

    def _join(self, argument: Any, where: Where) -> str:
        separator, items = self._list(argument, where, 2)
        return text(separator, where).join(text(item, where) for item in self._items(items, where))

    def _if(self, argument: Any, where: Where) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:
            raise Unresolved(where, "Fn::If takes a condition and two values")
        index = 1 if self.holds(argument[0], where) else 2
        return self._resolve(argument[index], (*where, index))

    def _select(self, argument: Any, where: Where) -> Any:
        index, items = self._list(argument, where, 2)
        try:
            return self._items(items, where)[int(index)]
        except (ValueError, TypeError, IndexError) as error:
            raise Unresolved(where, f"Fn::Select finds no item {index!r}") from error

    def _split(self, argument: Any, where: Where) -> list[str]:
        separator, whole = self._list(argument, where, 2)
        return text(whole, where).split(text(separator, where))

    def _find_in_map(self, argument: Any, where: Where) -> Any:
        if not isinstance(argument, list) or len(argument) not in (3, 4):
            raise Unresolved(where, "Fn::FindInMap takes a list of 3, and a mapping with DefaultValue")
        name, first, second = (text(self._resolve(key, where), where) for key in argument[:3])
        found = self._mappings.get(name)
        if isinstance(found, dict) and first not in found and first in self._place():
            first = self._inventions.other_key(("Mappings", name), first, found)
        try:
            return self._resolve(self._mappings[name][first][second], ("Mappings", name, first, second))
        except (KeyError, TypeError) as error:
            if len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
                return self._resolve(argument[3]["DefaultValue"], where)
            raise Unresolved(where, f"Fn::FindInMap finds no {name}.{first}.{second}") from error

    def _place(self) -> tuple[Any, ...]:
        return self._parameters["AWS::Region"], self._parameters["AWS::AccountId"]

    def _base64(self, argument: Any, where: Where) -> str:
        return base64.b64encode(text(self._resolve(argument, where), where).encode()).decode()

    def _cidr(self, argument: Any, where: Where) -> list[str]:
        block, count, *bits = self._items(self._resolve(argument, where), where)
        try:
            network = ipaddress.ip_network(text(block, where), strict=False)
            prefix = network.max_prefixlen - (int(bits[0]) if bits else 8)
            return [str(subnet) for subnet in islice(network.subnets(new_prefix=prefix), int(count))]
        except (ValueError, TypeError) as error:
            raise Unresolved(where, f"Fn::Cidr: {error}") from error

    def _zones(self, argument: Any, where: Where) -> list[str]:
        region = text(self._resolve(argument, where), where) or text(self._parameters["AWS::Region"], where)
        return [f"{region}{zone}" for zone in "abc"]

    def _import_value(self, argument: Any, where: Where) -> str:
        return self._inventions.imported(text(self._resolve(argument, where), where), where)

    def _length(self, argument: Any, where: Where) -> int:
        return len(self._items(self._resolve(argument, where), where))

    def _to_json_string(self, argument: Any, where: Where) -> str:
        return json.dumps(self._resolve(argument, where), separators=(",", ":"))

    def _transform(self, argument: Any, where: Where) -> str:
        name = argument.get("Name") if isinstance(argument, dict) else argument
        return self._inventions.transformed(text(name, where))

    def _list(self, argument: Any, where: Where, length: int) -> list[Any]:
        resolved = self._resolve(argument, where)
        if not isinstance(resolved, list) or len(resolved) != length:
            raise Unresolved(where, f"{where[-1]} takes a list of {length}")
        return resolved

    def _items(self, value: Any, where: Where) -> list[Any]:
        if not isinstance(value, list):
            raise Unresolved(where, f"{where[-1]} takes its items from a list")
        return value

    def _truth(self, value: Any, where: Where, above: tuple[str, ...]) -> bool:
        if not isinstance(value, dict) or len(value) != 1:
            raise Unresolved(where, "a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition")
        ((name, argument),) = value.items()
        inside = (*where, name)
        if name == "Condition":
            return self._named(argument, inside, above)
        if name == "Fn::Equals":
            left, right = self._list(argument, inside, 2)
            return bool(_comparable(left, inside) == _comparable(right, inside))
        items = enumerate(self._items(argument, inside))
        truths = (self._truth(item, (*inside, index), above) for index, item in items)
        if name not in _CONNECTIVES:
            raise Unresolved(inside, f"{name} makes no condition")
        return _CONNECTIVES[name](truths)

    def _named(self, name: str, where: Where, above: tuple[str, ...]) -> bool:
        if not isinstance(name, str) or name not in self._conditions:
            raise Unresolved(where, f"no condition is called {name!r}")
        if name in above:
            raise Unresolved(where, f"the condition {name!r} depends on itself")
        return self._truth(self._conditions[name], ("Conditions", name), (*above, name))


_CONNECTIVES: dict[str, Callable[[Iterable[bool]], bool]] = {
    "Fn::And": all,
    "Fn::Or": any,
    "Fn::Not": lambda truths: not any(truths),
}


def text(value: Any, where: Where) -> str:
    """Give a scalar as CloudFormation writes it into a string. Raises Unresolved for a list or a mapping."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Unresolved(where, "a string is needed here")


def _is_function(value: dict[str, Any]) -> bool:
    if len(value) != 1:
        return False
    (name,) = value
    return name == "Ref" or name.startswith("Fn::")


def _comparable(value: Any, where: Where) -> Any:
    return value if isinstance(value, list) else text(value, where)
