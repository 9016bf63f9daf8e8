"""Document paths: where in an item a value is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.tables.attributes import Attributes, typed

Path = tuple[Any, ...]
"""An attribute's name, and then names of maps' members (str) and places in lists (int)."""


def written(path: Path) -> str:
    """The path as DynamoDB writes it in its errors."""
    return f"[{', '.join(f'[{part}]' if isinstance(part, int) else part for part in path)}]"


def value_at(path: Path, attrs: Attributes) -> DynamoType | None:
    """The value at a path, None where there is none."""
    found: DynamoType | None = attrs.get(path[0])
    for part in path[1:]:
        if found is None:
            return None
        found = member(found, part)
    return found


def member(document: DynamoType, part: str | int) -> DynamoType | None:
    """A member of a map by its name, or of a list by its place; None where there is none."""
    if isinstance(part, str):
        return document.value.get(part) if document.type == "M" else None
    return document.value[part] if document.type == "L" and part < len(document.value) else None


class PathTree:
    """Paths of one expression, none of which leads through another."""

    __slots__ = ("_root",)

    def __init__(self, paths: Iterable[Path], refuse: Callable[[str], AwsError]) -> None:
        """Raise what `refuse` makes of the reason when paths overlap, or take one value for a map and for a list."""
        self._root: dict[Any, Any] = {}
        for path in paths:
            self._add(path, refuse)

    def project(self, attrs: Attributes) -> dict[str, DynamoType]:
        """The values at the paths, each within the maps and lists that lead to it."""
        return _members(self._root, attrs)

    def _add(self, path: Path, refuse: Callable[[str], AwsError]) -> None:
        branch = self._root
        for place, part in enumerate(path):
            other = next(iter(branch), part)
            if type(other) is not type(part):
                raise refuse(_clash("conflict", (*path[:place], other, *_first_below(branch[other])), path))
            last = place == len(path) - 1
            if part in branch and (last or not branch[part]):
                raise refuse(_clash("overlap", (*path[: place + 1], *_first_below(branch[part])), path))
            branch = branch.setdefault(part, {})


def _first_below(branch: Mapping[Any, Any]) -> Path:
    path: Path = ()
    while branch:
        part, branch = next(iter(branch.items()))
        path = (*path, part)
    return path


def _clash(verb: str, one: Path, two: Path) -> str:
    return (
        f"Two document paths {verb} with each other; must remove or rewrite one of these paths; "
        f"path one: {written(one)}, path two: {written(two)}"
    )


def _members(branch: Mapping[Any, Any], attrs: Attributes) -> dict[str, DynamoType]:
    found = {}
    for name, below in branch.items():
        value = attrs.get(name)
        if value is not None and (kept := _part(below, value)) is not None:
            found[str(name)] = kept
    return found


def _part(branch: Mapping[Any, Any], value: DynamoType) -> DynamoType | None:
    if not branch:
        return value
    if value.type == "M":
        members = _members(branch, value.value)
        return typed("M", members) if members else None
    if value.type == "L":
        parts = (_part(branch[place], value.value[place]) for place in sorted(_places(branch, value)))
        kept = [part for part in parts if part is not None]
        return typed("L", kept) if kept else None
    return None


def _places(branch: Mapping[Any, Any], value: DynamoType) -> list[int]:
    return [place for place in branch if isinstance(place, int) and place < len(value.value)]
