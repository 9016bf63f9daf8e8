"""A template file: its YAML as plain values, and the line of each of them."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

Where = tuple[str | int, ...]
"""The keys and indices that lead from the document to a value."""


class TemplateError(ValueError):
    """The template can't be read, or asks for what AWS refuses or the local cloud can't do.

    The message has a line for it and for each further error of the same kind; each begins with file and line.
    """

    def __init__(self, file: Path, line: int, reason: str, *further: TemplateError) -> None:
        super().__init__("\n".join((f"{file}:{line}: {reason}", *map(str, further))))
        self.file = file
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a template file says, and where it says it; `said` is what a person should know of how it was read."""

    file: Path
    document: dict[str, Any]
    lines: Mapping[Where, int]
    said: tuple[str, ...] = ()

    @classmethod
    def read(cls, file: Path) -> Source:
        """Parse a file of YAML or JSON, short forms of intrinsic functions included.

        Raises TemplateError when it can't be read, is no YAML, or is no mapping.
        """
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TemplateError(file, 1, f"can't be read: {error}") from error
        return cls.parse(file, text)

    @classmethod
    def parse(cls, file: Path, text: str) -> Source:
        """Parse what a file says, or is to say. Raises TemplateError when it is no YAML, or no mapping."""
        document, lines, said = _parsed(file, text)
        return cls(file=file, document=pickle.loads(document), lines=lines, said=said)  # noqa: S301 - of this process

    def line(self, where: Where) -> int:
        """Give the line of a value, or of the nearest one around it that the file has."""
        while where not in self.lines:
            where = where[:-1]
        return self.lines[where]

    def error(self, where: Where, reason: str) -> TemplateError:
        """Make the error that points at a value."""
        return TemplateError(self.file, self.line(where), reason)

    def errors(self, reasons: Iterable[tuple[Where, str]]) -> TemplateError:
        """Make the error that points at several values (one or more), by their lines."""
        found = sorted({(self.line(where), reason) for where, reason in reasons})
        line, reason = found[0]
        return TemplateError(self.file, line, reason, *(TemplateError(self.file, *each) for each in found[1:]))


@lru_cache(maxsize=8)  # a simulation is of one template, hundreds of times over
def _parsed(file: Path, text: str) -> tuple[bytes, Mapping[Where, int], tuple[str, ...]]:
    """Return the pickled document, the lines of its values, and what was said of it."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise TemplateError(file, mark.line + 1 if mark else 1, f"is no YAML: {error.problem}") from error
    if not isinstance(root, yaml.MappingNode):
        raise TemplateError(file, 1, "a template is a mapping with a Resources section")
    reader = _Reader(file)
    document = reader.value(root, ())
    return pickle.dumps(document), MappingProxyType(reader.lines), tuple(reader.said)


class _Reader:
    """Turns YAML nodes into values as CloudFormation does, and notes their lines."""

    def __init__(self, file: Path) -> None:
        self.lines: dict[Where, int] = {}
        self.said: list[str] = []
        self._file = file
        self._constructor = yaml.constructor.SafeConstructor()

    def value(self, node: yaml.Node, where: Where) -> Any:
        self.lines.setdefault(where, node.start_mark.line + 1)
        return self._intrinsic(node, where) if node.tag.startswith("!") else self._content(node, where)

    def _content(self, node: yaml.Node, where: Where) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*where, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for key, item in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                merged |= self._merged(item, where)
                continue
            if key.value in values:  # `sam`, which reads the file before AWS does, takes the last of two
                self.said.append(
                    f"Line {key.start_mark.line + 1}: the key {key.value!r} is here twice; this one counts"
                )
                self._forget((*where, key.value))
            self.lines[(*where, key.value)] = key.start_mark.line + 1
            values[key.value] = self.value(item, (*where, key.value))
        return merged | values

    def _forget(self, where: Where) -> None:
        for place in [place for place in self.lines if place[: len(where)] == where]:
            del self.lines[place]

    def _merged(self, node: yaml.Node, where: Where) -> dict[str, Any]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for source in reversed(sources):  # the first of several has the last word
            if not isinstance(source, yaml.MappingNode):
                raise TemplateError(self._file, source.start_mark.line + 1, "only mappings can be merged")
            merged |= self._mapping(source, where)
        return merged

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        # A timestamp is the version of a policy, say: CloudFormation has no dates.
        if node.tag.startswith("!") or node.tag == "tag:yaml.org,2002:timestamp":
            return node.value
        return self._constructor.construct_object(node)

    def _intrinsic(self, node: yaml.Node, where: Where) -> dict[str, Any]:
        name = node.tag[1:]
        function = name if name in ("Ref", "Condition") else f"Fn::{name}"
        argument = self._content(node, (*where, function))
        if function == "Fn::GetAtt" and isinstance(argument, str):
            argument = argument.split(".", 1)
        return {function: argument}
