"""What `eachonce new consumer`, `function` and `event` add to a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eachonce_workbench.scaffold import parts
from eachonce_workbench.scaffold.error import ScaffoldError
from eachonce_workbench.scaffold.insertion import inserted, last_of
from eachonce_workbench.scaffold.language import Language
from eachonce_workbench.scaffold.name import Name
from eachonce_workbench.template.source import Source

Files = Mapping[Path, str]
"""Texts by the paths that they are written to."""


@dataclass(frozen=True, slots=True)
class Additions:
    """What can be added to a bundle, by its template."""

    template: Path

    @property
    def root(self) -> Path:
        """The bundle's folder."""
        return self.template.parent

    def consumer(self, name: Name, *, on: Sequence[str], table: str | None, purpose: str = "...") -> Files:
        """Return the files of a consumer of the event types `on`, which counts them in `table` until it says better.

        A table that the template doesn't have is added. It reads the personal fields that those have. Raises
        ScaffoldError when something is in the way, or missing.
        """
        language, source, text = Language.read(self.root), Source.read(self.template), self._text()
        for event_type in on:
            language.require(event_type)
        kept = None if table is None else _table(source, table)
        if kept is None and table is not None:
            text = inserted(source, text, parts.table_block(table), after=_last_table(source))
            source = Source.parse(self.template, text)
            kept = _table(source, table)
        personal = any(event_type in language.personal for event_type in on)
        block = parts.consumer_block(
            name, purpose=purpose, types=on, source=_event_source(source), table=table, personal=personal
        )
        text = inserted(source, text, block, after=last_of(source, text, "consumer"))
        module = parts.consumer_module(name, purpose=purpose, types=on, table=kept, personal=personal)
        return {self.template: text, self._app(name): module}

    def function(self, name: Name) -> Files:
        """Return the files of a function that commits and publishes. Raises ScaffoldError as `consumer` does."""
        source, text = Source.read(self.template), self._text()
        after = last_of(source, text, "function") or last_of(source, text, "publisher")
        text = inserted(source, text, parts.function_block(name), after=after)
        return {self.template: text, self._app(name): parts.function_module(name)}

    def event(self, name: Name) -> Files:
        """Return the files of an event type. Raises ScaffoldError when there is one of that name."""
        return Language.read(self.root).with_event(name)

    def _app(self, name: Name) -> Path:
        path = self.root / "functions" / name.snake / "app.py"
        if path.parent.exists():
            raise ScaffoldError(f"{path.parent} is there already")
        return path

    def _text(self) -> str:
        return self.template.read_text(encoding="utf-8")


def write(files: Files) -> None:
    """Write files, and the folders above them."""
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _table(source: Source, logical_id: str) -> parts.Table | None:
    resource = source.document["Resources"].get(logical_id)
    if resource is None:
        return None
    if resource.get("Type") != "AWS::DynamoDB::Table":
        line = source.line(("Resources", logical_id))
        raise ScaffoldError(f"{source.file}:{line}: {logical_id} is no table, but an {resource.get('Type')}")
    properties: Mapping[str, Any] = resource["Properties"]
    types = {each["AttributeName"]: each["AttributeType"] for each in properties["AttributeDefinitions"]}
    return parts.Table(
        logical_id=logical_id,
        keys={each["AttributeName"]: types[each["AttributeName"]] for each in properties["KeySchema"]},
    )


def _last_table(source: Source) -> str | None:
    tables = [name for name, each in source.document["Resources"].items() if each.get("Type") == "AWS::DynamoDB::Table"]
    return tables[-1] if tables else None


def _event_source(source: Source) -> str | None:
    """Return what the bundle's events name as their source: all functions are told by the template's Globals."""
    found: Any = source.document
    for key in ("Globals", "Function", "Environment", "Variables", "EVENT_SOURCE"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None
