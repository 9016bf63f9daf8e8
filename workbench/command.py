"""What all commands share: where the bundle is, and how they end when they can't go on."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import typer
from typer.core import TyperGroup

T = TypeVar("T")

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


def run_to_its_end(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on an event loop; SIGTERM, and the end of the terminal (SIGHUP), end it as Ctrl-C does.

    Raises KeyboardInterrupt then, once `main` has put everything away.
    """
    import uvloop

    ended = False

    async def interruptible() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def end(signal_number: int) -> None:
            nonlocal ended
            ended = True
            loop.remove_signal_handler(signal_number)  # who sends it again can't wait
            if task is not None:
                task.cancel()

        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
                loop.add_signal_handler(number, end, number)
        return await main

    try:
        return uvloop.run(interruptible())
    except asyncio.CancelledError:
        if not ended:
            raise
        raise KeyboardInterrupt from None
