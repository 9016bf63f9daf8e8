"""The properties of one resource, read with their types."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from eachonce_workbench.template.intrinsics import Unresolved, text
from eachonce_workbench.template.source import Where


class Properties:
    """Resolved properties, and where they are.

    CloudFormation takes a number or a truth value as a string, too. Each verb raises Unresolved for a value of another
    type, and for one that is missing when there is no default.
    """

    def __init__(self, values: Mapping[str, Any], where: Where) -> None:
        self.values = values
        self.where = where

    @classmethod
    def resolved(cls, raw: Mapping[str, Any], where: Where, resolve: Callable[[Any, Where], Any]) -> Properties:
        """Resolve each property. Raises what `resolve` raises."""
        values = ((name, resolve(value, (*where, name))) for name, value in raw.items())
        return cls({name: value for name, value in values if value is not None}, where)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def at(self, name: str) -> Where:
        """Say where a property is."""
        return (*self.where, name)

    def get(self, name: str, default: Any = None) -> Any:
        """Give a value of any type."""
        return self.values[name] if name in self else default

    def text(self, name: str) -> str:
        """Give a string."""
        return text(self._required(name), self.at(name))

    def optional_text(self, name: str) -> str | None:
        """Give a string, or None when it is missing."""
        return self.text(name) if name in self else None

    def integer(self, name: str, default: int | None = None) -> int:
        """Give a whole number."""
        if name not in self and default is not None:
            return default
        number = whole(self._required(name))
        if number is None:
            raise Unresolved(self.at(name), f"{name} is a whole number")
        return number

    def optional_integer(self, name: str) -> int | None:
        """Give a whole number, or None when it is missing."""
        return self.integer(name) if name in self else None

    def flag(self, name: str, *, default: bool) -> bool:
        """Give a truth value."""
        value = self.get(name, default)
        if str(value).lower() not in ("true", "false"):
            raise Unresolved(self.at(name), f"{name} is true or false")
        return str(value).lower() == "true"

    def group(self, name: str) -> Properties:
        """Give a group of properties, as a mapping or as JSON; an empty one when it is missing."""
        value = self.get(name, {})
        try:
            values = json.loads(value) if isinstance(value, str) else value
        except ValueError as error:
            raise Unresolved(self.at(name), f"{name} is no JSON: {error}") from error
        if not isinstance(values, Mapping):
            raise Unresolved(self.at(name), f"{name} is a mapping")
        return Properties(values, self.at(name))

    def groups(self, name: str) -> Iterator[Properties]:
        """Give a list of groups of properties, empty when it is missing."""
        for index, item in enumerate(self.items(name)):
            if not isinstance(item, Mapping):
                raise Unresolved((*self.at(name), index), f"{name} is a list of mappings")
            yield Properties(item, (*self.at(name), index))

    def items(self, name: str) -> list[Any]:
        """Give a list, empty when it is missing."""
        value = self.get(name, [])
        if not isinstance(value, list):
            raise Unresolved(self.at(name), f"{name} is a list")
        return value

    def _required(self, name: str) -> Any:
        if name not in self:
            raise Unresolved(self.where, f"{name} is missing")
        return self.values[name]


def whole(value: Any) -> int | None:
    """Read a whole number, or the text of one; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if isinstance(value, float) and number != value else number
