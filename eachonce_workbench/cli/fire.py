"""`eachonce fire`: a schedule's time comes now, in the local cloud that `eachonce serve` keeps."""

from __future__ import annotations

import http.client
import json
from typing import Annotated
from urllib.parse import quote

import typer

_PATIENCE_SECONDS = 30


def fire(
    name: Annotated[str, typer.Argument(help="A schedule's or scheduled rule's logical id, name or ARN.")],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where `eachonce serve` listens.")] = 4566,
) -> None:
    """Fire a schedule now, whatever its expression says, even a disabled one.

    Exit status: 0 when it has been sent to its targets, 1 when there is no such schedule or no local cloud.
    """
    from eachonce_workbench.cloud.server import FIRE

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("POST", FIRE + quote(name, safe=""))
        answer = connection.getresponse()
        document = json.loads(answer.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        typer.echo(f"No local cloud answers on port {port} ({error}): start one with `eachonce serve`.", err=True)
        raise typer.Exit(1) from error
    finally:
        connection.close()
    if answer.status != 200:
        typer.echo(str(document.get("message", answer.reason)), err=True)
        raise typer.Exit(1)
    typer.echo(f"fired {document['Name']}")
