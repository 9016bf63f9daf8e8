"""The command that writes what is derived from contracts: `eachonce export --help`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from eachonce_workbench.cli.command import BooksName, Template, books_of, bundle_of, parameters_of
from eachonce_workbench.run.folder import own_folder

if TYPE_CHECKING:
    from eachonce_workbench.export.documents import Documents
    from eachonce_workbench.run.bundle import Bundle


def export(*, template: Template = None, books: BooksName = None) -> None:
    """Write what is derived from the contracts: JSON Schemas to docs/events, sample inputs to events.

    A function without the layer gets a first sample, as far as the template tells what it is handed, if it has none.
    Exit status: 0 when there is something for each function, 1 when not.
    """
    bundle = bundle_of(template, books=books)
    made = derived(bundle)
    for path in made.write(bundle.folder):
        typer.echo(path)
    for line in made.unknown:
        typer.echo(line, err=True)
    raise typer.Exit(1 if made.unknown else 0)


def derived(bundle: Bundle) -> Documents:
    """Return what follows from a bundle's contracts, and from the examples that its books may have."""
    from eachonce_workbench import template as sam_template
    from eachonce_workbench.export.documents import documents
    from eachonce_workbench.export.examples import Examples

    loaded = books_of(bundle)
    with own_folder() as folder:
        topology = sam_template.load(bundle.template, parameters=parameters_of(bundle, folder))
    return documents(bundle.template, topology, loaded if isinstance(loaded, Examples) else None)
