"""What all commands share: which bundle or stack is meant, and how they end when they can't go on."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import signal
import tempfile
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from eachonce_workbench.cloud.confinement.process import confine

if TYPE_CHECKING:
    from eachonce_workbench.run.books import Books, Input
    from eachonce_workbench.run.bundle import Bundle

T = TypeVar("T")

Template = Annotated[
    Path | None,
    typer.Option(
        "--template",
        exists=True,
        dir_okay=False,
        help="The SAM template.",
        metavar="FILE",
        show_default="template.yaml, here or above",
    ),
]
BooksName = Annotated[
    str | None,
    typer.Option(
        "--books",
        help="What knows the inputs, and what must come of them.",
        metavar="MODULE:OBJECT",
        show_default="[tool.eachonce] in pyproject.toml",
    ),
]
InputPath = Annotated[
    Path | None,
    typer.Option(
        "--input", help="The inputs, as the books take them.", metavar="PATH", show_default="the bundle's own"
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="Only the first N inputs.", metavar="N", show_default="all")
]

Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        help="A value of the template's parameter NAME; again for each.",
        metavar="NAME=VALUE",
        show_default="their defaults",
    ),
]
StackName = Annotated[
    str | None,
    typer.Option(
        "--stack", help="The stack's name.", metavar="NAME", show_default="in samconfig.toml; the local cloud's own"
    ),
]
EndpointUrl = Annotated[
    str | None,
    typer.Option(
        "--endpoint-url",
        envvar="AWS_ENDPOINT_URL",
        help="Where the local cloud is, such as http://127.0.0.1:4566.",
        metavar="URL",
        show_default="AWS",
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        "--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="AWS's region.", metavar="R", show_default="yours"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]

_WRONG_INPUT = 2  # as a wrong argument
_INTERRUPTED = 130  # as a shell says of a program that Ctrl-C ended


OWN_PROCESS = object()
"""The `obj` of a command's context, where its process is for nothing else."""


class Program(typer.Typer):
    """An app that is called as a program, and then has its process to itself."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Run the command that was asked for, and end."""
        # What reads a command line makes little garbage, and looking for it takes a twelfth of a start.
        gc.disable()
        return super().__call__(*arguments, obj=OWN_PROCESS, **options)


def bundle_of(template: Path | None, *, books: str | None = None) -> Bundle:
    """Return the bundle that is meant. Raises TemplateError where there is no template."""
    from eachonce_workbench.run.books import BooksError
    from eachonce_workbench.run.bundle import Bundle

    try:
        return Bundle.find(template, books=books)
    except BooksError as error:
        raise typer.BadParameter(str(error), param_hint="--books") from error


def loaded_books(bundle: Bundle) -> Books | None:
    """Return a bundle's books; None where it has none. Ends the command where they can't be had."""
    from eachonce_workbench.run.books import BooksError

    try:
        return bundle.load_books()
    except BooksError as error:
        raise typer.BadParameter(str(error), param_hint="--books") from error


def books_of(bundle: Bundle) -> Books:
    """Return a bundle's books; where it has none, its samples. Raises TemplateError, and ends the command for books."""
    from eachonce_workbench import template
    from eachonce_workbench.run.samples import Samples

    books = loaded_books(bundle)
    return Samples(bundle.folder, template.load(bundle.template)) if books is None else books


def parameters_of(bundle: Bundle, folder: Path) -> dict[str, str]:
    """Return the template's parameters as the books have them, with `folder` for what functions write."""
    return {} if bundle.books is None else dict(books_of(bundle).parameters(folder))


def values_of(parameters: Sequence[str] | None) -> dict[str, str]:
    """Return the values of parameters by their names; what names none ends the command."""
    values: dict[str, str] = {}
    for given in parameters or ():
        name, equals, value = given.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{given!r} is no NAME=VALUE", param_hint="--parameter")
        values[name] = value
    return values


def inputs_of(books: Books, source: Path | None, limit: int | None) -> Sequence[Input]:
    """Return what is to be sent; what can't be read ends the command."""
    from eachonce_workbench.run.books import BooksError

    try:
        return books.inputs(source, limit)
    except BooksError as error:
        raise typer.BadParameter(str(error), param_hint="--input") from error


def require_writable(out: Path | None) -> None:
    """End the command, before it does anything else, when nothing can be written to the folder `out`."""
    if out is None:
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise typer.BadParameter(f"{out}: {error.strerror}", param_hint="--out") from error


def confined(context: typer.Context, *writable: Path | None) -> None:
    """Confine this process, for good and before any code that is to be examined is imported; these can be written.

    A process that isn't the command's own, such as a test's, is left as it is: Python's audit hooks alone guard it.
    """
    if context.obj is OWN_PROCESS:
        folders = [folder for folder in writable if folder is not None]
        for folder in folders:
            with contextlib.suppress(OSError):  # which is told when something is to be written there
                folder.mkdir(parents=True, exist_ok=True)
        means = confine(*filter(Path.is_dir, folders))
        if means.lacking:
            typer.echo(str(means), err=True)


def arguments(given: Mapping[str, str | int | Path | None], folder: Path) -> list[str]:
    """Return options that were given as they are to be given again, in a bundle's folder."""
    return [
        word
        for name, value in given.items()
        if value is not None
        for word in (name, str(seen_from(folder.resolve(), value.resolve()) if isinstance(value, Path) else value))
    ]


def seen_from(folder: Path, path: Path) -> Path:
    """Return a path as one who is in a folder writes it: relative to it where that is above."""
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def keep_last(path: Path, result: Any) -> None:
    """Keep what the command came to for whoever looks at it later; what can't be kept is told, and no more."""
    from msgspec import to_builtins

    from eachonce_workbench.run.kept import keep

    try:
        keep(path, to_builtins(result))
    except OSError as error:
        typer.echo(f"not kept for the console: {path}: {error.strerror or error}", err=True)


def print_json(document: Any) -> None:
    """Print what a program is told, and nothing else."""
    print(json.dumps(document, ensure_ascii=False))  # noqa: T201 - what the command is for


class Commands(TyperGroup):
    """A group of commands that a broken template, or Ctrl-C, ends with one line and an exit status of its own."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        gc.enable()
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
