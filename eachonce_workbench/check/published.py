"""What a function publishes, as far as its code or its role says it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from eachonce_workbench.check.code import Module, code_of
from eachonce_workbench.check.reading import group
from eachonce_workbench.check.syntax import constant, entries
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.statement import texts

_PUT_EVENTS = "events:PutEvents"
_DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An event of a function's code, and the name of the bus that it goes to."""

    source: str
    detail_type: str
    bus: str


def published_by(resources: Resources, function: Declared) -> Iterator[Published]:
    """Give the events whose source, type and bus are written in the code, or in the function's variables."""
    code = code_of(resources, function)
    for module in () if code is None else code.modules:
        if "put_events" in module.text:
            yield from _entries(module, function)


def _entries(module: Module, function: Declared) -> Iterator[Published]:
    variables = group(function.properties, "Environment", "Variables")
    for node in ast.walk(module.tree):
        fields = dict(entries(node)) if isinstance(node, ast.Dict) else {}
        if {"Source", "DetailType"} <= fields.keys():
            source, detail_type, bus = (
                constant(fields.get(name), module.tree, variables) for name in ("Source", "DetailType", "EventBusName")
            )
            if "EventBusName" not in fields:
                bus = _DEFAULT
            if source is not None and detail_type is not None and bus is not None:
                yield Published(source=source, detail_type=detail_type, bus=bus.rpartition("/")[2])


def sources_of(resources: Resources, function: Declared, bus: str) -> Iterator[str]:
    """Give the sources that a function's role is bound to when it publishes on a bus."""
    role = str(function.properties.get("Role", "")).rpartition("/")[2]
    for by, statement in resources.rights():
        of_role = by.ref == role if by.type == "AWS::IAM::Role" else role in texts(by.properties.get("Roles"))
        there = any(each.rpartition("/")[2] in (bus, "*") for each in statement.resources)
        if role and of_role and there and statement.allow and statement.covers(_PUT_EVENTS):
            yield from statement.condition("events:source", "StringEquals", "ForAllValues:StringEquals") or ()
