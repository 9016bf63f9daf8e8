"""The commands that write a bundle, and what is added to one: `eachonce new --help`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eachonce_workbench.cli.command import Template, bundle_of
from eachonce_workbench.cli.export import derived

if TYPE_CHECKING:
    from eachonce_workbench.scaffold.additions import Additions, Files
    from eachonce_workbench.scaffold.name import Name

new = typer.Typer(help="Write a bundle, and what is added to one.", no_args_is_help=True)


@new.command("bundle")
def new_bundle(
    folder: Annotated[Path, typer.Argument(help="A folder that isn't there, or is empty.", metavar="DIR")],
) -> None:
    """Write the smallest whole bundle: a publisher, a consumer, tables, contracts, samples and tests."""
    from eachonce_workbench.scaffold import bundle
    from eachonce_workbench.scaffold.error import ScaffoldError

    try:
        written = bundle.new_bundle(folder)
    except (ScaffoldError, OSError) as error:
        raise typer.BadParameter(str(error), param_hint="DIR") from error
    count = len(written) + len(_derived(folder / "template.yaml"))
    typer.echo(f"{folder}: {count} files. Next:\n\n  cd {folder}\n  make run\n  make test")


@new.command("consumer")
def new_consumer(
    name: Annotated[str, typer.Argument(help="Such as settle-bill.", metavar="NAME")],
    *,
    on: Annotated[list[str], typer.Option(help="An event type that it consumes; again for each.", metavar="TYPE")],
    table: Annotated[
        str | None,
        typer.Option(help="The table that it writes; one that isn't there is added.", metavar="T", show_default="none"),
    ] = None,
    purpose: Annotated[str, typer.Option(help="What it is for, in a few words.", metavar="TEXT")] = "its purpose.",
    template: Template = None,
) -> None:
    """Add a consumer: its function, its samples, and its block in the template, with queues, rights and alarms."""
    _add(name, template, lambda to, called: to.consumer(called, on=on, table=table, purpose=purpose))


@new.command("event")
def new_event(
    name: Annotated[str, typer.Argument(help="Such as BillPaid.", metavar="NAME")],
    *,
    template: Template = None,
) -> None:
    """Add an event type to the bundle's contracts."""
    _add(name, template, lambda to, called: to.event(called))


@new.command("function")
def new_function(
    name: Annotated[str, typer.Argument(help="Such as pay-bill.", metavar="NAME")],
    *,
    template: Template = None,
) -> None:
    """Add a function that is asked for something, commits it, and publishes what follows from it."""
    _add(name, template, lambda to, called: to.function(called))


def _add(name: str, template: Path | None, make: Callable[[Additions, Name], Files]) -> None:
    from eachonce_workbench.scaffold.additions import Additions, write
    from eachonce_workbench.scaffold.error import ScaffoldError
    from eachonce_workbench.scaffold.name import Name

    to = Additions(bundle_of(template).template)
    try:
        files = make(to, Name.of(name))
        write(files)
    except (ScaffoldError, OSError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error
    for path in [*(path.relative_to(to.root).as_posix() for path in files), *_derived(to.template)]:
        typer.echo(path)


def _derived(template: Path) -> list[str]:
    """Write what follows from the bundle's contracts and isn't there yet, and return its paths."""
    bundle = bundle_of(template)
    made = derived(bundle)
    for line in made.unknown:
        typer.echo(line, err=True)
    return made.write(bundle.folder, again=False)
