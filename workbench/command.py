"""What all commands share: where the bundle is, and how they end when they can't go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
ORDERS = ROOT / "data" / "online-retail-2010-12.csv.gz"

_WRONG_INPUT = 2  # as a wrong argument
_INTERRUPTED = 130  # as a shell says of a program that Ctrl-C ended


class Commands(TyperGroup):
    """A group of commands that a broken template, or Ctrl-C, ends with one line and an exit status of its own."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)
            raise typer.Exit(_INTERRUPTED) from None
        except ValueError as error:
            from workbench.template import TemplateError

            if not isinstance(error, TemplateError):
                raise
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(_WRONG_INPUT) from error
