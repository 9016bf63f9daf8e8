"""Stacks inside a stack: each has a template of its own, and all of them are one system.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from eachonce_workbench.template.topology import Topology

_NAMES = ("logical_id", "function")  # what says which part of a template is meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a template was made into; `outputs` are all of them, `layers` are folders by ARN."""

    topology: Topology
    outputs: Mapping[str, str] = field(default_factory=dict)
    layers: Mapping[str, Path] = field(default_factory=dict)


Load = Callable[[str, Path, Mapping[str, str]], Loaded]
"""Loads the template of a nested stack, by its logical id, with these parameters."""


def whole(topology: Topology, nested: Mapping[str, Loaded]) -> Topology:
    """Give a system with its nested stacks; what is theirs is called after them, as `sam` does: Child/Worker."""
    parts = [_renamed(loaded.topology, f"{name}/") for name, loaded in nested.items()]
    return _changed(topology, _joined([topology, *parts])) if parts else topology


def _joined(topologies: Sequence[Topology]) -> dict[str, tuple[Any, ...]]:
    named = (each.name for each in fields(Topology) if isinstance(getattr(topologies[0], each.name), tuple))
    return {name: tuple(part for each in topologies for part in getattr(each, name)) for name in named}


def _renamed(topology: Topology, prefix: str) -> Topology:
    """Rename what belongs to one stack, and leave out what is in every account: the default bus."""
    changed: dict[str, tuple[Any, ...]] = {}
    for name in (each.name for each in fields(Topology)):
        parts = getattr(topology, name)
        if isinstance(parts, tuple):
            changed[name] = tuple(_called(part, prefix) for part in parts if not _is_shared(part))
    return _changed(topology, changed)


def _changed(topology: Topology, parts: dict[str, Any]) -> Topology:
    return replace(topology, **parts)


def _called(part: Any, prefix: str) -> Any:
    if isinstance(part, str):
        return f"{prefix.removesuffix('/')}: {part}"
    if not is_dataclass(part) or isinstance(part, type):
        return part
    names = {name: f"{prefix}{getattr(part, name)}" for name in _NAMES if isinstance(getattr(part, name, None), str)}
    inner = {each.name: getattr(part, each.name) for each in fields(part)}
    parts = {name: tuple(_called(each, prefix) for each in value) for name, value in inner.items() if _has_parts(value)}
    return replace(part, **names, **parts)


def _has_parts(value: Any) -> bool:
    return isinstance(value, tuple) and all(is_dataclass(each) for each in value)


def _is_shared(part: Any) -> bool:
    return getattr(part, "logical_id", None) == ""
