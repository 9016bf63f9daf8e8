"""`eachonce serve`: the local cloud, until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
from contextlib import AsyncExitStack, ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eachonce_workbench.cli.command import BooksName, Template, bundle_of, parameters_of, run_to_its_end
from eachonce_workbench.cli.invoke import PORT
from eachonce_workbench.cloud.loopback import CONTAINER_HOST, address_of, is_loopback

if TYPE_CHECKING:
    from ipaddress import IPv4Interface

    from eachonce_workbench.cloud.data_folder import DataFolder
    from eachonce_workbench.cloud.faults.faults import Faults
    from eachonce_workbench.cloud.live_cloud import LiveCloud
    from eachonce_workbench.cloud.local_cloud import LocalCloud
    from eachonce_workbench.console.door import Door
    from eachonce_workbench.console.record import Record
    from eachonce_workbench.run.bundle import Bundle

CONSOLE_PORT = 4567


def serve(
    *,
    template: Template = None,
    books: BooksName = None,
    host: Annotated[
        str, typer.Option(help="An address of this machine alone, or of its network of containers.", metavar="ADDRESS")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = PORT,
    data: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Keep tables, queues and buckets here from one start to the next.",
            metavar="DIR",
            show_default="nowhere",
        ),
    ] = None,
    console: Annotated[bool, typer.Option(help="Serve the console, a page that shows what happens.")] = True,
    console_port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            help="Where the console is.",
            show_default=f"{CONSOLE_PORT}, or a free one",
            metavar="PORT",
        ),
    ] = CONSOLE_PORT,
) -> None:
    """Keep the local cloud running, for the AWS CLI, `sam local invoke` and any boto3 program; Ctrl-C ends it.

    The console is a page of its own, on this machine alone; the address that is printed has the token that opens it.

    Code that changes is loaded anew, and a template that changes is read again; tables, queues and buckets stay.
    """
    # What starts makes little garbage, and looking for it takes a tenth of the time.
    gc.disable()
    from eachonce_workbench.cloud.data_folder import DataFolder, DataFolderError

    try:
        bundle = bundle_of(template, books=books)
        with ExitStack() as stack:
            kept = None if data is None else stack.enter_context(DataFolder(data.resolve()))
            bridge = None if is_loopback(host) else _bridge(host)
            listening = _listen("127.0.0.1" if bridge else address_of(host), port)
            if bridge is not None:
                from eachonce_workbench.local_invoke.relay import relaying

                taken: int = listening.getsockname()[1]
                stack.enter_context(relaying(bridge, taken, at=taken))
            page = stack.enter_context(closing(listen_for_console(console_port))) if console else None
            run_to_its_end(_serve(bundle, listening, host, kept, page))
    except DataFolderError as error:
        raise typer.BadParameter(str(error), param_hint="--data") from error
    finally:
        gc.enable()


def _bridge(host: str) -> IPv4Interface:
    """Return the containers' network, if `host` is this machine's address in it: nobody else may call."""
    from eachonce_workbench.local_invoke import InvokeError
    from eachonce_workbench.local_invoke.engine import running_engine

    try:
        bridge = running_engine().bridge()
    except InvokeError:
        bridge = None
    if bridge is None or str(bridge.ip) != host:
        known = "" if bridge is None else f", which is {bridge.ip}"
        reason = f"{host} is neither an address of this machine alone nor that of its containers' network{known}"
        raise typer.BadParameter(reason, param_hint="--host")
    return bridge


def _listen(address: str, port: int) -> socket.socket:
    from eachonce_workbench.cloud.serving import listen

    try:
        return listen(port, address)
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise typer.BadParameter(f"{address}: {error.strerror}", param_hint="--host") from error
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise typer.BadParameter(f"{port}: {error.strerror}", param_hint="--port") from error


def listen_for_console(port: int) -> socket.socket:
    """Return the console's socket; a port that a person has chosen and that is taken ends the command."""
    from eachonce_workbench.cloud.serving import listen

    try:
        return listen(port)
    except OSError as error:
        if port == CONSOLE_PORT:  # somebody else's: nobody asked for this one
            return listen(0)
        raise typer.BadParameter(f"{port}: {error.strerror}", param_hint="--console-port") from error


async def _serve(
    bundle: Bundle, listening: socket.socket, host: str, data: DataFolder | None, page: socket.socket | None
) -> None:
    """Keep the local cloud, and show what happens in it."""
    from eachonce_workbench.cli.screens.functions import FunctionsScreen
    from eachonce_workbench.cli.screens.printer import Printer
    from eachonce_workbench.cloud.faults.faults import Faults
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.cloud.live_cloud import LiveCloud
    from eachonce_workbench.cloud.local_cloud import LocalCloud
    from eachonce_workbench.cloud.serving import Server
    from eachonce_workbench.cloud.store.kept import Kept
    from eachonce_workbench.console.record import Record
    from eachonce_workbench.template.topology import Topology

    record = Record()
    faults = None if page is None else Faults()
    parameters = parameters_of(bundle, bundle.folder / ".run")

    with closing(Printer()) as printer:

        def make(socket_: socket.socket, kept: Kept) -> LocalCloud:
            history = History()

            def shown(topology: Topology) -> Topology:
                history.subscribe(FunctionsScreen(topology, printer.print))
                if page is not None:
                    record.follow(topology)
                    history.subscribe(record)
                return topology

            return LocalCloud(
                bundle.template,
                parameters=parameters,
                hosts={CONTAINER_HOST, host},
                history=history,
                listening=socket_,
                kept=kept,
                adapt=shown,
                keeps_time=True,
                faults=faults,
            )

        live = LiveCloud(bundle.template, make, listening=listening, tell=printer.print, data=data)
        async with live:
            gc.freeze()
            gc.enable()
            # In a thread: who asks for something need not wait until the screen has been imported.
            await asyncio.to_thread(_show, live)
            async with AsyncExitStack() as stack:
                if page is not None:
                    door = await asyncio.to_thread(_console, live, record, faults, bundle.folder, page)
                    served = Server(door, page)
                    stack.push_async_callback(served.stop)
                    stack.callback(door.end)
                    await served.start()
                printer.start()
                await live.follow()


def _console(live: LiveCloud, record: Record, faults: Faults | None, folder: Path, page: socket.socket) -> Door:
    """Make the console, which isn't served yet, and say where it will be."""
    from eachonce_workbench.cloud.serving import endpoint_of
    from eachonce_workbench.console.app import console
    from eachonce_workbench.console.place import Place
    from eachonce_workbench.operations.account import Account

    place = Place(
        account=Account(endpoint_url=live.cloud.endpoint),
        record=record,
        cloud=lambda: live.cloud,
        topology=lambda: live.cloud.topology,
        faults=faults,
        folder=folder,
    )
    door = console(place, port=page.getsockname()[1])
    typer.echo(f"console: {door.address(endpoint_of(page))}")
    return door


def _show(live: LiveCloud) -> None:
    from rich.console import Console

    from eachonce_workbench.cli.screens.run import show_cloud

    show_cloud(Console(), live.cloud.endpoint, live.cloud.topology)
