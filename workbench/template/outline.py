"""The outline of a template: what all that reads it takes for granted."""

from __future__ import annotations

from workbench.template.source import Source, Where

_SECTIONS = ("Globals", "Parameters", "Mappings", "Conditions", "Resources", "Outputs")


def check_outline(source: Source) -> None:
    """Raise TemplateError unless every section is a mapping of mappings, and every resource has a type."""
    if "Resources" not in source.document:
        raise source.error((), "the section Resources is missing")
    for name in _SECTIONS:
        section = source.document.get(name, {})
        _check_mapping(source, (name,), section)
        for key, part in section.items():
            _check_mapping(source, (name, key), part)
    for logical_id, resource in source.document["Resources"].items():
        where = ("Resources", logical_id)
        if not isinstance(resource.get("Type"), str):
            raise source.error((*where, "Type"), f"{logical_id} needs a Type")
        _check_mapping(source, (*where, "Properties"), resource.get("Properties", {}))


def _check_mapping(source: Source, where: Where, value: object) -> None:
    if not isinstance(value, dict):
        raise source.error(where, f"{where[-1]} is a mapping")
