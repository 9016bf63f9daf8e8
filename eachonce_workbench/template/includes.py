"""`AWS::Include`: parts of a template that lie in other files.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eachonce_workbench.template.source import Source

_TRANSFORM = "Fn::Transform"
_INCLUDE = "AWS::Include"


def included(source: Source) -> tuple[Source, tuple[str, ...]]:
    """Give a template with the files of this machine that it includes, and tell what else it would include."""
    if not any(where and where[-1] == _TRANSFORM for where in source.lines):
        return source, ()
    reader = _Reader(source)
    return replace(source, document=reader.value(source.document)), tuple(dict.fromkeys(reader.said))


class _Reader:
    """Puts files in the place of what includes them."""

    def __init__(self, source: Source) -> None:
        self.said: list[str] = []
        self._source = source

    def value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        merged: dict[str, Any] = {}
        for key, item in value.items():
            if key == _TRANSFORM and isinstance(item, dict) and item.get("Name") == _INCLUDE:
                merged |= self._file(item)
            else:
                merged[key] = self.value(item)
        return merged

    def _file(self, transform: Mapping[str, Any]) -> Mapping[str, Any]:
        location = (transform.get("Parameters") or {}).get("Location")
        file = self._source.file.parent / location if isinstance(location, str) else None
        if file is None or not file.is_file():
            self.said.append(f"{_INCLUDE} {location if isinstance(location, str) else 'of a file elsewhere'}")
            return {}
        found: Mapping[str, Any] = self.value(Source.read(file).document)
        return found
