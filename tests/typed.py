"""A command of ours as a person types it, in this process."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import typer
from typer.testing import CliRunner, Result


def typed(command: Callable[..., Any], *arguments: str) -> Result:
    """Run a command with these arguments, on a terminal that is wide and plain."""
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "TERM": "dumb"})


def said(result: Result) -> str:
    """Return what was printed as an error, less the box that it is drawn in."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())
