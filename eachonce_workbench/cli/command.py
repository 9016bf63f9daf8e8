"""What all commands share: where the bundle is, and how they end when they can't go on."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import typer
from typer.core import TyperGroup

from eachonce_workbench.cloud.confinement.process import confine

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
ORDERS = ROOT / "data" / "online-retail-2010-12.csv.gz"

_WRONG_INPUT = 2  # as a wrong argument
_INTERRUPTED = 130  # as a shell says of a program that Ctrl-C ended


OWN_PROCESS = object()
"""The `obj` of a command's context, where its process is for nothing else."""


class Program(typer.Typer):
    """An app that is called as a program, and then has its process to itself."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Run the command that was asked for, and end."""
        return super().__call__(*arguments, obj=OWN_PROCESS, **options)


def confined(context: typer.Context, out: Path | None) -> None:
    """Confine this process, for good and before any code that is to be examined is imported; `out` can be written.

    A process that isn't the command's own, such as a test's, is left as it is: Python's audit hooks alone guard it.
    """
    if context.obj is OWN_PROCESS:
        with contextlib.suppress(OSError):  # which is told when something is to be written there
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
        means = confine(*filter(Path.is_dir, () if out is None else (out,)))
        if means.lacking:
            typer.echo(str(means), err=True)


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
            from eachonce_workbench.template import TemplateError

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
