"""`Fn::ForEach` of the transform AWS::LanguageExtensions: what is written once, and is there several times.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from eachonce_workbench.template.intrinsics import Unresolved, text
from eachonce_workbench.template.source import Source, Where

_LOOP = "Fn::ForEach::"
_TRANSFORM = "AWS::LanguageExtensions"


def is_loop(key: object) -> bool:
    """Whether a key of a mapping begins a loop."""
    return str(key).startswith(_LOOP)


def unrolled(source: Source, resolve: Callable[[Any, Where], Any]) -> Source:
    """Give a template with its loops written out; each copy has the lines of what it was made of.

    `resolve` gives the values of a loop's collection. Raises Unresolved for a loop that is none, and one in a template
    without the transform.
    """
    loops = [where for where in source.lines if where and is_loop(where[-1])]
    if not loops:
        return source
    transforms = source.document.get("Transform", [])
    if _TRANSFORM not in (transforms if isinstance(transforms, list) else [transforms]):
        raise Unresolved(loops[0], f"{loops[0][-1]} needs the transform {_TRANSFORM}")
    writer = _Writer(source.lines, resolve)
    return replace(source, document=writer.value(source.document, (), (), {}), lines=writer.lines)


class _Writer:
    """Copies values, and notes the lines of the copies."""

    def __init__(self, lines: Mapping[Where, int], resolve: Callable[[Any, Where], Any]) -> None:
        self.lines: dict[Where, int] = {}
        self._former = lines
        self._resolve = resolve

    def value(self, value: Any, former: Where, where: Where, variables: Mapping[str, str]) -> Any:
        """Copy a value from the place `former` to the place `where`; `variables` are those of the loops around it."""
        if former in self._former:
            self.lines[where] = self._former[former]
        if isinstance(value, dict):
            if len(value) == 1 and value.get("Ref") in variables:
                return variables[value["Ref"]]
            return _plain(dict(self._items(value, former, where, variables)))
        if isinstance(value, list):
            return [self.value(item, (*former, index), (*where, index), variables) for index, item in enumerate(value)]
        return _with_variables(value, variables) if isinstance(value, str) else value

    def _items(
        self, mapping: Mapping[str, Any], former: Where, where: Where, variables: Mapping[str, str]
    ) -> Iterator[tuple[str, Any]]:
        for key, item in mapping.items():
            place = (*former, key)
            if is_loop(key):
                yield from self._loop(item, place, where, variables)
            else:
                name = _with_variables(key, variables) if isinstance(key, str) else key
                yield name, self.value(item, place, (*where, name), variables)

    def _loop(self, loop: Any, former: Where, where: Where, variables: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
        match loop:
            case [str(variable), collection, dict(body)]:
                for each in self._collection(collection, former, variables):
                    yield from self._items(body, (*former, 2), where, {**variables, variable: each})
            case _:
                raise Unresolved(former, f"{former[-1]} takes a list: a name, a list of values, and a mapping")

    def _collection(self, collection: Any, former: Where, variables: Mapping[str, str]) -> list[str]:
        place = (*former, 1)
        copied = _Writer({}, self._resolve).value(collection, place, place, variables)
        values = self._resolve(copied, place)
        if not isinstance(values, list):
            raise Unresolved(place, f"{former[-1]} takes its values from a list")
        return [text(value, place) for value in values]


def _plain(value: dict[str, Any]) -> Any:
    """Take a text in which no variable is left for what it says: SAM wants to read some, such as the path of an API."""
    match value:
        case {"Fn::Sub": str(text_)} if len(value) == 1 and "${" not in text_:
            return text_
    return value


def _with_variables(string: str, variables: Mapping[str, str]) -> str:
    """Put values in the place of `${Name}`, and in that of `&{Name}` only their letters and digits."""
    for name, value in variables.items():
        string = string.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", re.sub(r"[^A-Za-z0-9]", "", value))
    return string
