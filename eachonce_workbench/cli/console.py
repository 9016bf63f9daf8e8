"""`eachonce console`: the page of `eachonce serve`, for a stack on AWS."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eachonce_workbench.cli.command import EndpointUrl, Region, StackName, run_to_its_end
from eachonce_workbench.cli.serve import CONSOLE_PORT, listen_for_console

if TYPE_CHECKING:
    from eachonce_workbench.cloud.serving import Server
    from eachonce_workbench.console.door import Door


def console(
    *,
    stack: StackName = None,
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Where the page is.", show_default=f"{CONSOLE_PORT}, or a free one"),
    ] = CONSOLE_PORT,
    write: Annotated[
        bool, typer.Option("--write", help="Let the page change something: redrive, drop, pause.")
    ] = False,
    payloads: Annotated[bool, typer.Option("--payloads", help="Let the page show what events hold.")] = False,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
) -> None:
    """Serve a page that shows a deployed stack: its consumers, dead letters, stories and tables; Ctrl-C ends it.

    It only reads, and hides what events hold, unless asked otherwise. It is on this machine alone, and the address that
    is printed has the token that opens it. The console of a local cloud, which shows more, is that of `eachonce serve`.
    """
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.cloud.serving import Server, endpoint_of
    from eachonce_workbench.console.app import console as page_of
    from eachonce_workbench.console.place import Place

    with session(stack, endpoint_url, region) as here:
        place = Place(
            account=here.account,
            stack_name=here.stack.name,
            region=region,
            folder=_folder(),
            may_change=write,
            shows_payloads=payloads,
        )
    with closing(listen_for_console(port)) as listening:
        door = page_of(place, port=listening.getsockname()[1])
        typer.echo(f"console: {door.address(endpoint_of(listening))}")
        run_to_its_end(_serve(door, Server(door, listening)))


def _folder() -> Path | None:
    """Return the folder of the bundle at hand, of which there may be proofs."""
    from eachonce_workbench.run.books import BooksError
    from eachonce_workbench.run.bundle import Bundle
    from eachonce_workbench.template import TemplateError

    try:
        return Bundle.find().folder
    except (TemplateError, BooksError):
        return None


async def _serve(door: Door, server: Server) -> None:
    await server.start()
    try:
        await asyncio.Event().wait()
    finally:
        door.end()
        await server.stop()
