"""The command that runs a bundle: `eachonce run --help`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eachonce_workbench.cli.command import (
    BooksName,
    InputPath,
    Limit,
    Template,
    books_of,
    bundle_of,
    inputs_of,
    require_writable,
    run_to_its_end,
)

if TYPE_CHECKING:
    from eachonce_workbench.run.run import Result

_PATIENCE_SECONDS = 600


def run(
    *,
    template: Template = None,
    books: BooksName = None,
    inputs: InputPath = None,
    limit: Limit = None,
    seed: Annotated[
        int,
        typer.Option(
            help="What the disarray is drawn from; functions run side by side, so counts may still differ.", metavar="S"
        ),
    ] = 0,
    duplicates: Annotated[
        float, typer.Option(min=0, max=1, help="The share of messages delivered again.", metavar="RATE")
    ] = 0,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Send inputs and receive messages in any order.")] = False,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds to wait for quiet after the last input.", metavar="SECONDS")
    ] = _PATIENCE_SECONDS,
    out: Annotated[
        Path | None, typer.Option(help="Write the final state here.", metavar="DIR", show_default="nowhere")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Run a bundle's inputs through the whole bundle, and let its books say whether the right thing came of them.

    A bundle without books has its samples sent, events/FUNCTION/*.json, and what failed is told.
    Exit status: 0 when the books agree, or nothing failed; 1 otherwise; 2 for a wrong argument.
    """
    from rich.console import Console

    from eachonce_workbench.cli.screens.run import BarProgress, LineProgress, show_lines, show_result
    from eachonce_workbench.run.run import Disarray
    from eachonce_workbench.run.run import run as run_bundle
    from eachonce_workbench.run.samples import Samples
    from eachonce_workbench.run.sending import SendingError
    from eachonce_workbench.run.trouble import BrokenFunctionError

    console = Console(stderr=as_json)
    bundle = bundle_of(template, books=books)
    loaded = books_of(bundle)
    chosen = inputs_of(loaded, inputs, limit)
    require_writable(out)
    if isinstance(loaded, Samples):
        show_lines(console, loaded.passed_over)
    disarray = Disarray(seed=seed, duplicates=duplicates, shuffle=shuffle)
    with BarProgress(console) if console.is_terminal else LineProgress(console) as progress:
        going = run_bundle(
            chosen,
            template=bundle.template,
            books=loaded,
            disarray=disarray,
            progress=progress,
            patience_seconds=patience,
        )
        try:
            result = run_to_its_end(going)
        except (BrokenFunctionError, SendingError) as error:
            typer.echo(f"{'' if isinstance(error, SendingError) else 'it can not be imported: '}{error}", err=True)
            raise typer.Exit(1) from error
    if out is not None and result.reconciliation is not None:
        result.reconciliation.write(out)
    if as_json:
        print(json.dumps(_document(result)))  # noqa: T201 - what the command is for
    else:
        show_result(console, result)
    raise typer.Exit(0 if result.passes else 1)


def _document(result: Result) -> dict[str, Any]:
    books = {} if result.reconciliation is None else result.reconciliation.as_dict()
    return books | {
        "sent": result.sent,
        "consumers": result.consumers,
        "failed": list(result.failed),
        "failing": list(result.failing),
        "quiet": result.quiet,
        "refused": list(result.refused),
        "seconds": round(result.seconds, 2),
    }
