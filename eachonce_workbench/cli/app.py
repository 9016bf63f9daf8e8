"""The command line: `eachonce --help`."""

from __future__ import annotations

from typing import Annotated

import typer

from eachonce_workbench.cli.certify import certify
from eachonce_workbench.cli.check import check
from eachonce_workbench.cli.command import Commands, Program
from eachonce_workbench.cli.console import console
from eachonce_workbench.cli.dead_letters import dlq, why
from eachonce_workbench.cli.erase import erase
from eachonce_workbench.cli.export import export
from eachonce_workbench.cli.fire import fire
from eachonce_workbench.cli.invoke import invoke
from eachonce_workbench.cli.keys import keys
from eachonce_workbench.cli.new import new
from eachonce_workbench.cli.pause import pause, resume
from eachonce_workbench.cli.replay import replay
from eachonce_workbench.cli.run import run
from eachonce_workbench.cli.serve import serve
from eachonce_workbench.cli.simulate import simulate

app = Program(
    cls=Commands,
    help="Each event by itself, its effect once: a SAM bundle on this machine, and the proof that it is right.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(dlq, name="dlq")
app.add_typer(new, name="new")
app.add_typer(keys, name="keys")
app.command()(why)
app.command()(pause)
app.command()(resume)
app.command()(replay)
app.command()(run)
app.command()(serve)
app.command()(console)
app.command()(invoke)
app.command()(export)
app.command()(simulate)
app.command()(certify)
app.command()(check)
app.command()(fire)
app.command()(erase)


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
