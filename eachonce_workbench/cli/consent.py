"""Whether a person means it: nothing on AWS is changed before somebody has seen where it is, and said yes."""

from __future__ import annotations

import sys

import typer

from eachonce_workbench.operations.account import is_local
from eachonce_workbench.operations.stack import Stack

_NOBODY_ASKED = 2  # as a wrong argument


def require_somebody(does: str, endpoint_url: str | None, *, yes: bool) -> None:
    """End the command, before any call, when it would have to ask and there is no terminal to ask on."""
    if yes or is_local(endpoint_url) or sys.stdin.isatty():
        return
    typer.echo(f"{does} changes what is on AWS, and there is no terminal to ask on: say --yes", err=True)
    raise typer.Exit(_NOBODY_ASKED)


def tell_place(stack: Stack, endpoint_url: str | None) -> None:
    """Say where a stack on AWS is."""
    if not is_local(endpoint_url):
        typer.echo(stack.place, err=True)


def ask(question: str) -> None:
    """Go on after a yes alone. Raises Abort."""
    typer.confirm(question, abort=True, err=True)
