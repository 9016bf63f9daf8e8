"""Values of declared resources, as far as they can be known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.statement import listed, mapping

_TRUE = "true"


def is_known(resource: Declared, *names: str) -> bool:
    """Whether none of these properties hangs on what only a deployment knows."""
    return resource.unknown.isdisjoint(names)


def group(value: Any, *names: str) -> Mapping[str, Any]:
    """Return the mapping at the end of a path, an empty one where there is none."""
    for name in names:
        value = mapping(value).get(name)
    return mapping(value)


def groups(value: Any) -> Iterator[Mapping[str, Any]]:
    """Give the mappings of a list."""
    return (each for each in listed(value) if isinstance(each, Mapping))


def number(resource: Declared, default: int, *path: str) -> int | None:
    """Return a whole number at the end of a path of properties; None for one that can't be known."""
    if not is_known(resource, *path):
        return None
    value = group(resource.properties, *path[:-1]).get(path[-1], default)
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def flag(resource: Declared, name: str) -> bool:
    """Whether a property says true; what it doesn't say is false."""
    return str(resource.properties.get(name, "")).lower() == _TRUE
