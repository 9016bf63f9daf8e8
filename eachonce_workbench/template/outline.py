"""The outline of a template: what all that reads it takes for granted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eachonce_workbench.template.loops import is_loop
from eachonce_workbench.template.source import Source, Where
from eachonce_workbench.template.type_names import did_you_mean, why_unknown

_SECTIONS = ("Globals", "Parameters", "Mappings", "Conditions", "Resources", "Outputs")
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
_KNOWN_SECTIONS = frozenset(
    {*_SECTIONS, "AWSTemplateFormatVersion", "Description", "Hooks", "Metadata", "Rules", "Transform"}
)
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-product-attribute-reference.html;
# SAM's; and Description, which nobody reads
_ATTRIBUTES = frozenset(
    {
        "Condition",
        "Connectors",
        "CreationPolicy",
        "DeletionPolicy",
        "DependsOn",
        "Description",
        "IgnoreGlobals",
        "Metadata",
        "Properties",
        "Type",
        "UpdatePolicy",
        "UpdateReplacePolicy",
        "Version",
    }
)

_SAM = "AWS::Serverless::"  # of these, SAM leaves out what it doesn't know


def check_outline(source: Source) -> None:
    """Raise TemplateError unless every section is a mapping of mappings, and every resource is of a type there is."""
    if "Resources" not in source.document:
        raise source.error((), "the section Resources is missing")
    for name in _SECTIONS:
        section = source.document.get(name, {})
        _check_mapping(source, (name,), section)
        for key, part in section.items():
            if not is_loop(key):
                _check_mapping(source, (name, key), part)
    for logical_id, resource in _resources(source):
        where = ("Resources", logical_id)
        if not isinstance(resource.get("Type"), str):
            raise source.error((*where, "Type"), f"{logical_id} needs a Type")
        _check_mapping(source, (*where, "Properties"), resource.get("Properties", {}))
    if unknown := list(_unknown(source)):
        raise source.errors(unknown)


def _resources(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, each) for name, each in source.document["Resources"].items() if not is_loop(name))


def _check_mapping(source: Source, where: Where, value: object) -> None:
    if not isinstance(value, dict):
        raise source.error(where, f"{where[-1]} is a mapping")


def _unknown(source: Source) -> Iterator[tuple[Where, str]]:
    """Give the words that CloudFormation doesn't know: sections, attributes of resources, and their types."""
    for name in source.document.keys() - _KNOWN_SECTIONS:
        yield (name,), f"a template has no section {name}{did_you_mean(name, _KNOWN_SECTIONS)}"
    for logical_id, resource in _resources(source):
        where = ("Resources", logical_id)
        for name in () if resource["Type"].startswith(_SAM) else resource.keys() - _ATTRIBUTES:
            yield (*where, name), f"{logical_id}: a resource has no {name}{did_you_mean(name, _ATTRIBUTES)}"
        if why := why_unknown(resource["Type"]):
            yield (*where, "Type"), f"{logical_id}: {why}"
