"""The command that writes what is derived from contracts: `eachonce export --help`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from eachonce_workbench.cli.command import BooksName, Template, books_of, bundle_of, parameters_of


def export(*, template: Template = None, books: BooksName = None) -> None:
    """Write what is derived from the contracts: JSON Schemas to docs/events, sample inputs to events.

    A function without the layer gets a first sample, as far as the template tells what it is handed, if it has none.
    Exit status: 0 when there is something for each function, 1 when not.
    """
    from eachonce_workbench import template as sam_template
    from eachonce_workbench.export.documents import documents
    from eachonce_workbench.export.examples import Examples

    bundle = bundle_of(template, books=books)
    loaded = books_of(bundle)
    with TemporaryDirectory() as folder:
        topology = sam_template.load(bundle.template, parameters=parameters_of(bundle, Path(folder)))
    made = documents(bundle.template, topology, loaded if isinstance(loaded, Examples) else None)
    for path in made.write(bundle.folder):
        typer.echo(path)
    for line in made.unknown:
        typer.echo(line, err=True)
    raise typer.Exit(1 if made.unknown else 0)
