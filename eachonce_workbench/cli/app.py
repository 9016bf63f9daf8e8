"""The command line: `eachonce --help`."""

from __future__ import annotations

import asyncio
import errno
import gc
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from eachonce_workbench.cli.certify import certify
from eachonce_workbench.cli.command import (
    BooksName,
    Commands,
    Program,
    Template,
    bundle_of,
    parameters_of,
    run_to_its_end,
)
from eachonce_workbench.cli.dead_letters import dlq, why
from eachonce_workbench.cli.export import export
from eachonce_workbench.cli.invoke import PORT, invoke
from eachonce_workbench.cli.new import new
from eachonce_workbench.cli.run import run
from eachonce_workbench.cli.simulate import simulate
from eachonce_workbench.cloud.loopback import CONTAINER_HOST

if TYPE_CHECKING:
    from eachonce_workbench.cloud.local_cloud import LocalCloud
    from eachonce_workbench.run.bundle import Bundle

app = Program(
    cls=Commands,
    help="Each event by itself, its effect once: a SAM bundle on this machine, and the proof that it is right.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(dlq, name="dlq")
app.add_typer(new, name="new")
app.command()(why)
app.command()(run)
app.command()(invoke)
app.command()(export)
app.command()(simulate)
app.command()(certify)


def _tell_version(asked: bool) -> None:
    if asked:
        from eachonce_workbench.version import version

        typer.echo(f"eachonce {version()}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version, and end.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Each event by itself, its effect once."""


@app.command()
def serve(
    *,
    template: Template = None,
    books: BooksName = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = PORT,
) -> None:
    """Keep the local cloud running, for the AWS CLI, `sam local invoke` and any boto3 program; Ctrl-C ends it."""
    # What starts makes little garbage, and looking for it takes a tenth of the time.
    gc.disable()
    try:
        run_to_its_end(_keep(bundle_of(template, books=books), port))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise typer.BadParameter(f"{port}: {error.strerror}", param_hint="--port") from error
    finally:
        gc.enable()


async def _keep(bundle: Bundle, port: int) -> None:
    """Keep the local cloud, and show what happens in it."""
    from eachonce_workbench.cli.screens.functions import FunctionsScreen
    from eachonce_workbench.cli.screens.printer import Printer
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.cloud.local_cloud import LocalCloud

    history = History()
    parameters = parameters_of(bundle, bundle.folder / ".run")
    async with LocalCloud(
        bundle.template, parameters=parameters, port=port, hosts=[CONTAINER_HOST], history=history
    ) as cloud:
        gc.freeze()
        gc.enable()
        with closing(Printer()) as printer:
            history.subscribe(FunctionsScreen(cloud.topology, printer.print))
            # In a thread: who asks for something need not wait until the screen has been imported.
            await asyncio.to_thread(_show, cloud)
            printer.start()
            await asyncio.Event().wait()


def _show(cloud: LocalCloud) -> None:
    from rich.console import Console

    from eachonce_workbench.cli.screens.run import show_cloud

    show_cloud(Console(), cloud.endpoint, cloud.topology)
