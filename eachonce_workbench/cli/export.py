"""The command that writes what is derived from contracts: `eachonce export --help`."""

from __future__ import annotations

import typer

from eachonce_workbench.cli.command import Template, bundle_of


def export(*, template: Template = None) -> None:
    """Write what is derived from the contracts: JSON Schemas to docs/events, sample inputs to events."""
    bundle = bundle_of(template)
    from shop.export import documents

    for path, text in documents().items():
        target = bundle.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        typer.echo(path)
