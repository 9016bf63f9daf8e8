"""Leaves: a value as its parts that can be compared one by one, each by its path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from decimal import Decimal
from typing import Any

Path = tuple[str, ...]
"""Names of members from the outside in; whatever place an item has in a list is called `EACH`."""

EACH = "[]"
_MOST_TEXT = 100_000


def leaves(value: Any) -> dict[Path, tuple[Any, ...]]:
    """Return what stands at each path, texts that are JSON read; items of lists stand in the list's order.

    >>> leaves({"id": 1, "lines": [{"sku": "a"}, {"sku": "b"}], "body": '{"n": 2}'})
    {('id',): (1,), ('lines', '[]', 'sku'): ('a', 'b'), ('body', 'n'): (2,)}
    """
    found: dict[Path, list[Any]] = {}
    for path, leaf in _walk(value, ()):
        found.setdefault(path, []).append(leaf)
    return {path: tuple(each) for path, each in found.items()}


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    match _read(value):
        case Mapping() as members if members:
            for name, member in members.items():
                yield from _walk(member, (*path, str(name)))
        case Set() as members if members:
            for member in sorted(members, key=str):
                yield from _walk(member, (*path, EACH))
        case list() | tuple() as items if items:
            for item in items:
                yield from _walk(item, (*path, EACH))
        case leaf:
            yield path, _plain(leaf)


def _read(value: Any) -> Any:
    """Return what a text says, where it is JSON of more than a word."""
    if isinstance(value, str) and 2 <= len(value) < _MOST_TEXT and value[0] in "{[":
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _plain(leaf: Any) -> Any:
    """Return a leaf that equals its like, and can be hashed: numbers by their value."""
    if isinstance(leaf, Decimal | int | float) and not isinstance(leaf, bool):
        return int(leaf) if leaf == int(leaf) else Decimal(str(leaf))
    if isinstance(leaf, bytearray):
        return bytes(leaf)
    return str(leaf) if isinstance(leaf, Mapping | list | tuple | Set) else leaf


def said(path: Path) -> str:
    """Return a path as a person writes it: lines[].sku."""
    return ".".join(path).replace(f".{EACH}", EACH) or "it"
