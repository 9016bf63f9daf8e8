"""The input template of a pipe's enrichment or target: text with `<$.path>` and `<aws.pipes...>`, filled from a record.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html is the rule. In a template
that is a JSON object, a variable outside quotes becomes its JSON value; inside quotes, and in any other text, it
becomes its text. A body that is JSON is read as JSON, so that paths lead into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.matching.json_path import JsonPath, Missing
from eachonce_workbench.matching.reading import read_json, to_json

_TOKEN = re.compile(r'\\.|"|<(?P<variable>\$[^<>]*|aws\.pipes\.[a-z.-]+)>', re.DOTALL)
_EVENTS = ("aws.pipes.event", "aws.pipes.event.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variable:
    name: str
    quoted: bool
    path: JsonPath | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipeTemplate:
    """A template, read into literal text and variables; `is_object` where it is a JSON object."""

    parts: tuple[str | _Variable, ...]
    is_object: bool

    @classmethod
    def of(cls, text: str) -> PipeTemplate:
        """Read a template. Raises ValueError for a path that is none."""
        return cls(parts=tuple(_parts(text)), is_object=text.lstrip().startswith(("{", "[")))

    def fill(self, record: Any, reserved: Mapping[str, str]) -> str:
        """The text for one record; `reserved` has the values of `aws.pipes.pipe-name` and its like."""
        read = with_read_body(record)
        return "".join(part if isinstance(part, str) else self._shown(part, read, reserved) for part in self.parts)

    def _shown(self, variable: _Variable, record: Any, reserved: Mapping[str, str]) -> str:
        if variable.path is not None:
            value = variable.path.find(record)
        else:
            value = record if variable.name in _EVENTS else reserved.get(variable.name, Missing.MISSING)
        if value is Missing.MISSING:
            value = ""
        if self.is_object and not variable.quoted:
            return to_json(value)
        if isinstance(value, str):
            return to_json(value)[1:-1] if variable.quoted and self.is_object else value
        text = to_json(value)
        return text.replace('"', "") if variable.quoted else text


def with_read_body(record: Any) -> Any:
    """A record whose body, if it is JSON text, is what the text says."""
    if not isinstance(record, Mapping) or not isinstance(record.get("body"), str):
        return record
    try:
        read = read_json(record["body"])
    except ValueError:
        return record
    return {**record, "body": read} if isinstance(read, dict | list) else record


def _parts(text: str) -> Iterator[str | _Variable]:
    quoted, end = False, 0
    for token in _TOKEN.finditer(text):
        if (name := token["variable"]) is not None:
            yield text[end : token.start()]
            yield _Variable(name=name, quoted=quoted, path=JsonPath.of(name) if name.startswith("$") else None)
            end = token.end()
        elif token.group() == '"':
            quoted = not quoted
    yield text[end:]
