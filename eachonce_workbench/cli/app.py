"""The command line: `eachonce --help`."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eachonce_workbench.cli.certify import certify
from eachonce_workbench.cli.command import ORDERS, ROOT, TEMPLATE, Commands, Program, run_to_its_end
from eachonce_workbench.cli.dead_letters import dlq, why
from eachonce_workbench.cli.simulate import simulate
from eachonce_workbench.cloud.loopback import CONTAINER_HOST
from shop.orders import OrdersError, read_invoices

if TYPE_CHECKING:
    from eachonce_workbench.cloud.local_cloud import LocalCloud

PORT = 4566

app = Program(
    cls=Commands,
    help="Each event by itself, its effect once: the shop on this machine, and the proof that its books are right.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(dlq, name="dlq")
app.command()(why)
app.command()(simulate)
app.command()(certify)


@app.callback()
def main() -> None:
    """Each event by itself, its effect once."""


@app.command()
def run(
    orders: Annotated[
        Path, typer.Option(help="A CSV of orders, plain or .gz.", metavar="CSV", show_default="the month in data/")
    ] = ORDERS,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first N invoices.", metavar="N", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option(help="What the disarray is drawn from.", metavar="S")] = 0,
    duplicates: Annotated[
        float, typer.Option(min=0, max=1, help="The share of messages delivered again.", metavar="RATE")
    ] = 0,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Place orders and receive messages in any order.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the final state here.", metavar="DIR", show_default="nowhere")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Run real orders through the whole shop, and reconcile its books to the penny.

    Exit status: 0 when the books agree, 1 when they don't, 2 for a wrong argument.
    """
    from rich.console import Console

    from eachonce_workbench.cli.screens.run import BarProgress, LineProgress, show_result
    from eachonce_workbench.run.run import Disarray
    from eachonce_workbench.run.run import run as run_shop

    console = Console(stderr=as_json)
    try:
        invoices = read_invoices(orders, limit=limit)
    except OrdersError as error:
        raise typer.BadParameter(str(error), param_hint="--orders") from error
    disarray = Disarray(seed=seed, duplicates=duplicates, shuffle=shuffle)
    progress = BarProgress(console) if console.is_terminal else LineProgress(console)
    with progress:
        result = run_to_its_end(run_shop(invoices, template=TEMPLATE, disarray=disarray, progress=progress))
    if out is not None:
        result.state.write(out)
    if as_json:
        document = asdict(result.reconciliation) | {
            "consumers": result.consumers,
            "refused": result.refused,
            "seconds": round(result.seconds, 2),
        }
        print(json.dumps(document))  # noqa: T201 - what the command is for
    else:
        show_result(console, result)
    raise typer.Exit(0 if result.reconciliation.agrees else 1)


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = PORT,
    mail: Annotated[
        Path, typer.Option(help="Where confirmations are written.", metavar="DIR", show_default=".run/mail")
    ] = ROOT / ".run" / "mail",
) -> None:
    """Keep the local cloud running, for the AWS CLI, `sam local invoke` and any boto3 program; Ctrl-C ends it."""
    # What starts makes little garbage, and looking for it takes a tenth of the time.
    gc.disable()
    try:
        run_to_its_end(_keep(port, mail.resolve()))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise typer.BadParameter(f"{port}: {error.strerror}", param_hint="--port") from error
    finally:
        gc.enable()


async def _keep(port: int, mail: Path) -> None:
    """Keep the local cloud, and show what happens in it."""
    from eachonce_workbench.cli.screens.functions import FunctionsScreen
    from eachonce_workbench.cli.screens.printer import Printer
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.cloud.local_cloud import LocalCloud

    history = History()
    async with LocalCloud(
        TEMPLATE, parameters={"MailDirectory": str(mail)}, port=port, hosts=[CONTAINER_HOST], history=history
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


@app.command()
def invoke(
    function: Annotated[str, typer.Argument(help="A function's logical id, such as ReserveStock.")],
    event: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="An input.", metavar="JSON", show_default="its first sample"),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where `eachonce serve` listens.")] = PORT,
    sam: Annotated[str, typer.Option(help="The sam command.")] = str(ROOT / ".venv-sam" / "bin" / "sam"),
    skip_pull_image: Annotated[
        bool, typer.Option("--skip-pull-image", help="Use the container image that is here, and ask no registry.")
    ] = False,
) -> None:
    """Invoke a function with `sam local invoke` in a container, against the local cloud.

    Exit status: 0 when the function succeeded, 1 when it failed or something is missing, sam's own when sam failed.
    """
    from eachonce_workbench.local_invoke import InvokeError
    from eachonce_workbench.local_invoke import invoke as invoke_in_container

    try:
        invoke_in_container(
            function, root=ROOT, port=port, sam=sam, event=event, skip_pull_image=skip_pull_image, show=typer.echo
        )
    except InvokeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.status) from error


@app.command()
def export() -> None:
    """Write what is derived from the contracts: JSON Schemas to docs/events, sample inputs to events."""
    from shop.export import documents

    for path, text in documents().items():
        target = ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        typer.echo(path)
