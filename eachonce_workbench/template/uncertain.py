"""Which properties can't be known before a deployment: a parameter without a default, another stack's export, a secret.

A value is made up for each, so that a template can be run; nothing should be concluded from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_ELSEWHERE = frozenset({"Fn::ImportValue", "Fn::Transform"})
_NAMES = re.compile(r"\$\{([^!{}.]+)[^{}]*\}")


class Uncertain:
    """Looks for what hangs on made-up values in a template as it is written."""

    def __init__(self, document: Mapping[str, Any], invented: frozenset[str]) -> None:
        """Take a template, and the names of the parameters whose values were made up."""
        self._document = document
        self._conditions = document.get("Conditions", {})
        self._strangers = invented | {
            name for name, each in document["Resources"].items() if _is_elsewhere(str(each.get("Type")))
        }

    def properties_of(self, logical_id: str) -> frozenset[str]:
        """Give the names of a resource's properties, at any depth, that can't be known; globals count as its own."""
        resource = self._document["Resources"].get(logical_id, {})
        shared = self._document.get("Globals", {}) if str(resource.get("Type")).startswith("AWS::Serverless::") else {}
        return frozenset(self._named(shared, "")) | frozenset(self._named(resource.get("Properties", {}), ""))

    def _named(self, value: Any, inside: str) -> Iterator[str]:
        if self._is_open(value):
            yield inside
        elif isinstance(value, list):
            for each in value:
                yield from self._named(each, inside)
        elif isinstance(value, Mapping):
            for key, each in value.items():
                yield from self._named(each, inside if str(key).startswith("Fn::") else str(key))

    def _is_open(self, value: Any) -> bool:
        if isinstance(value, str):
            return "{{resolve:" in value
        if not isinstance(value, Mapping) or len(value) != 1:
            return False
        ((name, argument),) = value.items()
        if name == "Ref":
            return isinstance(argument, str) and argument in self._strangers
        return str(name).startswith("Fn::") and (name in _ELSEWHERE or self._hangs_on_strangers(name, argument))

    def _hangs_on_strangers(self, name: str, argument: Any) -> bool:
        if name == "Fn::GetAtt":
            return (argument[0] if isinstance(argument, list) else str(argument).partition(".")[0]) in self._strangers
        if name == "Fn::If":
            return self._is_undecided(argument[0] if isinstance(argument, list) and argument else None, ())
        return self._mentions(name, argument)

    def _mentions(self, name: str, argument: Any) -> bool:
        if isinstance(argument, str):
            named = _NAMES.findall(argument) if name == "Fn::Sub" else ()
            return "{{resolve:" in argument or not self._strangers.isdisjoint(named)
        parts = argument.values() if isinstance(argument, Mapping) else argument if isinstance(argument, list) else ()
        return self._is_open(argument) or any(self._mentions(name, each) for each in parts)

    def _is_undecided(self, condition: Any, above: tuple[str, ...]) -> bool:
        """Whether a named condition hangs on a parameter whose value was made up."""
        if not isinstance(condition, str) or condition in above:
            return False
        return self._asks_strangers(self._conditions.get(condition), (*above, condition))

    def _asks_strangers(self, value: Any, above: tuple[str, ...]) -> bool:
        if isinstance(value, Mapping):
            return any(
                self._is_open({key: each})
                if key == "Ref"
                else self._is_undecided(each, above)
                if key == "Condition"
                else self._asks_strangers(each, above)
                for key, each in value.items()
            )
        return isinstance(value, list) and any(self._asks_strangers(each, above) for each in value)


def _is_elsewhere(type_name: str) -> bool:
    return not type_name.startswith("AWS::") or type_name.startswith("AWS::CloudFormation::")
