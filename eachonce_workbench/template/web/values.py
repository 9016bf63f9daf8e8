"""Values within an API's definition."""

from __future__ import annotations

from typing import Any


def group(value: Any, name: str) -> dict[str, Any]:
    """Give a mapping within a definition, an empty one where there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def texts(value: Any) -> tuple[str, ...]:
    """Give the strings of a list, or the one that stands for it."""
    if value is None:
        return ()
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)
