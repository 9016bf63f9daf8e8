"""`eachonce serve`: the local cloud, until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eachonce_workbench.cli.command import BooksName, Template, bundle_of, parameters_of, run_to_its_end
from eachonce_workbench.cli.invoke import PORT
from eachonce_workbench.cloud.loopback import CONTAINER_HOST, address_of, is_loopback

if TYPE_CHECKING:
    from ipaddress import IPv4Interface

    from eachonce_workbench.cloud.data_folder import DataFolder
    from eachonce_workbench.cloud.live_cloud import LiveCloud
    from eachonce_workbench.cloud.local_cloud import LocalCloud
    from eachonce_workbench.run.bundle import Bundle


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
) -> None:
    """Keep the local cloud running, for the AWS CLI, `sam local invoke` and any boto3 program; Ctrl-C ends it.

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
            run_to_its_end(_serve(bundle, listening, host, kept))
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


async def _serve(bundle: Bundle, listening: socket.socket, host: str, data: DataFolder | None) -> None:
    """Keep the local cloud, and show what happens in it."""
    from eachonce_workbench.cli.screens.functions import FunctionsScreen
    from eachonce_workbench.cli.screens.printer import Printer
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.cloud.live_cloud import LiveCloud
    from eachonce_workbench.cloud.local_cloud import LocalCloud
    from eachonce_workbench.cloud.store.kept import Kept
    from eachonce_workbench.template.topology import Topology

    parameters = parameters_of(bundle, bundle.folder / ".run")

    with closing(Printer()) as printer:

        def make(socket_: socket.socket, kept: Kept) -> LocalCloud:
            history = History()

            def shown(topology: Topology) -> Topology:
                history.subscribe(FunctionsScreen(topology, printer.print))
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
            )

        live = LiveCloud(bundle.template, make, listening=listening, tell=printer.print, data=data)
        async with live:
            gc.freeze()
            gc.enable()
            # In a thread: who asks for something need not wait until the screen has been imported.
            await asyncio.to_thread(_show, live)
            printer.start()
            await live.follow()


def _show(live: LiveCloud) -> None:
    from rich.console import Console

    from eachonce_workbench.cli.screens.run import show_cloud

    show_cloud(Console(), live.cloud.endpoint, live.cloud.topology)
