"""Projections: the parts of an item that a read returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eachonce_workbench.cloud.store.tables.attributes import Attributes, checked_name
from eachonce_workbench.cloud.store.tables.expressions.paths import Path, PathTree
from eachonce_workbench.cloud.store.tables.expressions.reading import CACHED, Reader
from eachonce_workbench.cloud.store.tables.expressions.scope import Scope
from eachonce_workbench.cloud.store.tables.refusals import invalid_value

KIND = "ProjectionExpression"


@dataclass(frozen=True, slots=True)
class Projection:
    """Some paths of an item, or all of it."""

    paths: tuple[Path, ...] = ()
    tree: PathTree | None = None

    def of(self, attrs: Attributes) -> Attributes:
        """The attributes that are asked for."""
        return attrs if self.tree is None else self.tree.project(attrs)

    @classmethod
    def asked(cls, request: Mapping[str, Any], scope: Scope) -> Projection:
        """What a request asks for by ProjectionExpression, or by its older form, AttributesToGet.

        Raises `AwsError` ValidationException when the expression is not valid.
        """
        if (names := request.get("AttributesToGet")) is not None:
            return _of_names(names)
        if (text := request.get(KIND)) is None:
            return _ALL
        projection, used = _read(text, tuple(scope.names.items()))
        scope.used |= used
        return projection


_ALL = Projection()


def _of_names(names: list[str]) -> Projection:
    paths = tuple((checked_name(name),) for name in names)
    doubled = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if doubled is not None:
        raise invalid_value(f"Duplicate value in attribute name: {doubled}")
    return Projection(paths, PathTree(paths, invalid_value))


@lru_cache(maxsize=CACHED)
def _read(text: str, names: tuple[tuple[str, str], ...]) -> tuple[Projection, frozenset[str]]:
    reader = Reader(KIND, text, dict(names))
    paths = [reader.path()]
    while reader.take_if(","):
        paths.append(reader.path())
    if reader.token.kind != "end":
        reader.stray()
    return Projection(tuple(paths), PathTree(paths, reader.refusal)), frozenset(reader.used)
