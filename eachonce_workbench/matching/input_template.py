"""The input transformer's template: text with `<variables>`, filled from an event.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html is the rule. A variable outside
quotes becomes its JSON value. Inside quotes it becomes its text, which EventBridge does not escape. One whose path the
event lacks is an empty string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.matching.json_path import Missing
from eachonce_workbench.matching.reading import read_json, to_json

LONGEST_TEMPLATE = 8192
"""Characters (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html)."""

_TOKEN = re.compile(r'\\.|"|<(?P<variable>[A-Za-z0-9_.-]+)>', re.DOTALL)
_SAMPLE = "\ue000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A `<name>` in a template, and whether it stands inside a JSON string."""

    name: str
    quoted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template, read into literal text and variables; `is_object` where it is a JSON object."""

    parts: tuple[str | Variable, ...]
    is_object: bool

    @classmethod
    def of(cls, text: str) -> Template:
        """Read a template. Raises ValueError for one that does not make JSON, whatever its variables are."""
        if not 1 <= len(text) <= LONGEST_TEMPLATE:
            raise ValueError(f"the template must have from 1 to {LONGEST_TEMPLATE} characters, not {len(text)}")
        template = cls(parts=tuple(_parts(text)), is_object=text.lstrip().startswith("{"))
        _check(template.filled(dict.fromkeys(template.variables, _SAMPLE)))
        return template

    @property
    def variables(self) -> frozenset[str]:
        """The names in angle brackets."""
        return frozenset(part.name for part in self.parts if isinstance(part, Variable))

    def fill(self, values: Mapping[str, Any]) -> str:
        """The text for the target, minified where it is a JSON object."""
        text = self.filled(values)
        return _minified(text) if self.is_object else text

    def filled(self, values: Mapping[str, Any]) -> str:
        """The template's own text with each variable replaced."""
        return "".join(part if isinstance(part, str) else _shown(values[part.name], part) for part in self.parts)


def _parts(text: str) -> Iterator[str | Variable]:
    quoted, end = False, 0
    for token in _TOKEN.finditer(text):
        if token["variable"] is not None:
            yield text[end : token.start()]
            yield Variable(name=token["variable"], quoted=quoted)
            end = token.end()
        elif token.group() == '"':
            quoted = not quoted
    yield text[end:]


def _shown(value: Any, variable: Variable) -> str:
    if value is Missing.MISSING:
        value = ""
    if not variable.quoted:
        return to_json(value)
    if isinstance(value, str):
        return value
    # An object or array inside quotes would end them: its own quotes are left out.
    return to_json(value).replace('"', "")


def _check(text: str) -> None:
    """Raise ValueError unless `text` is one JSON value, or several with blanks between them."""
    decoder = json.JSONDecoder(object_pairs_hook=_refuse_variable_keys)
    position = 0
    while rest := text[position:].lstrip():
        try:
            _, length = decoder.raw_decode(rest)
        except json.JSONDecodeError as error:
            raise ValueError(f"the template is not valid JSON (strings need quotes): {error.msg}") from error
        except RecursionError as error:
            raise ValueError("the template is nested too deeply") from error
        position = len(text) - len(rest) + length


def _refuse_variable_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if any(_SAMPLE in key for key, _ in pairs):
        raise ValueError("a variable cannot be used as an object key")
    return dict(pairs)


def _minified(text: str) -> str:
    # Text put unescaped between quotes may have broken the JSON: EventBridge hands over no better.
    try:
        return to_json(read_json(text))
    except ValueError:
        return text
