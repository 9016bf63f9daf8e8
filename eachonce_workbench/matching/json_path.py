"""The part of JSON path that EventBridge reads: dots, array indices and wildcards.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html lists the supported syntax.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any


class _Step(Enum):
    EVERY = "*"


class Missing(Enum):
    """What a path finds where the document has nothing for it: unlike null, which is a value."""

    MISSING = "missing"


_STEP = re.compile(r"\.(?P<key>[^\s.\[\]*<>'\"]+)|\[(?P<index>[0-9]+)\]|\.\*|\[\*\]")


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path such as `$.detail.lines[0].sku`; one with a wildcard finds the list of all that it reaches."""

    steps: tuple[str | int | _Step, ...]

    @classmethod
    def of(cls, text: str) -> JsonPath:
        """Read a path. Raises ValueError for what isn't one."""
        found = list(_STEP.finditer(text, 1))
        if not text.startswith("$") or "".join(match.group() for match in found) != text[1:]:
            raise ValueError(f"{text!r} is not a JSON path: write $, .key, [index], .* or [*]")
        return cls(tuple(map(_step, found)))

    def find(self, document: Any) -> Any:
        """What the path reaches in a JSON document, or Missing.MISSING."""
        reached = [document]
        for step in self.steps:
            reached = [child for node in reached for child in _children(node, step)]
        if _Step.EVERY in self.steps:
            return reached
        return reached[0] if reached else Missing.MISSING


def _step(match: re.Match[str]) -> str | int | _Step:
    if match["key"] is not None:
        return match["key"]
    return _Step.EVERY if match["index"] is None else int(match["index"])


def _children(node: Any, step: str | int | _Step) -> Iterator[Any]:
    if isinstance(node, dict):
        if step is _Step.EVERY:
            yield from node.values()
        elif step in node:
            yield node[step]
    elif isinstance(node, list):
        if step is _Step.EVERY:
            yield from node
        elif isinstance(step, int) and step < len(node):
            yield node[step]
