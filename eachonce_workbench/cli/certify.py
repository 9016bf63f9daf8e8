"""The command that certifies independence: `eachonce certify --help`."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eachonce_workbench.cli.command import (
    BooksName,
    Template,
    arguments,
    bundle_of,
    confined,
    keep_last,
    parameters_of,
    require_writable,
)
from eachonce_workbench.cloud.confinement.refusals import Refusals
from eachonce_workbench.run.folder import own_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from eachonce_workbench.certify.examination import Bounds
    from eachonce_workbench.certify.subject import Subject, SubjectError
    from eachonce_workbench.certify.verdict import Examined
    from eachonce_workbench.run.bundle import Bundle

_WRONG_INPUT = 2

_STYLES = {
    "independent": "green",
    "commutes": "green",
    "commutes by guard": "green",
    "external": "green",
    "inconclusive": "yellow",
    "depends on order": "yellow",
    "unsound": "red",
}


def certify(
    context: typer.Context,
    *,
    template: Template = None,
    books: BooksName = None,
    consumer: Annotated[
        str | None,
        typer.Option(help="Only this consumer or endpoint of the template.", metavar="NAME", show_default="all"),
    ] = None,
    handler: Annotated[
        str | None,
        typer.Option(
            help="A consumer or endpoint of your own, such as app:consumer.",
            metavar="MODULE:OBJECT",
            show_default="none",
        ),
    ] = None,
    events: Annotated[int, typer.Option(min=1, max=5, help="How many events meet.", metavar="N")] = 3,
    faults: Annotated[int, typer.Option(min=0, max=3, help="The most faults of a schedule.", metavar="K")] = 1,
    seed: Annotated[int, typer.Option(help="What the events are drawn from.", metavar="S")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write certificate.json, certificate.md, matrix.svg here.", metavar="DIR", show_default="nowhere"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the certificate as JSON instead of tables.")] = False,
) -> None:
    """Deliver made-up events in every order and with every fault, and prove that the end is always the same.

    Handlers reach nobody meanwhile, and write to nothing but a temporary folder: what they try is told. The bundle
    keeps the last certificate of its functions in .run, for the console.

    Exit status: 0 when each consumer is independent or asks for order, 1 when one isn't or when too little was done to
    say so, 2 for a wrong argument.
    """
    from rich.console import Console

    from eachonce_workbench.certify.examination import Bounds
    from eachonce_workbench.certify.last import NAME
    from eachonce_workbench.certify.report import as_json as json_text
    from eachonce_workbench.certify.report import document, last

    bounds, refusals = Bounds(events=events, faults=faults, seed=seed), Refusals()
    require_writable(out)
    if consumer is not None and handler is not None:
        raise typer.BadParameter("either --consumer or --handler, not both", param_hint="--handler")
    bundle = bundle_of(template, books=books) if handler is None else None
    confined(context, out, None if bundle is None else bundle.kept)
    with ExitStack() as stack:
        subjects = _of_bundle(stack, consumer, refusals, bundle) if bundle else _of_object(str(handler), refusals)
        examined = _examined(subjects, bounds, Console(stderr=True))
    certificate = document(examined, bounds, refusals.lines())
    if bundle is not None:
        given = {"--template": template, "--consumer": consumer, "--events": events, "--faults": faults, "--seed": seed}
        asked = arguments(given, bundle.folder)
        keep_last(bundle.kept / NAME, last(examined, bounds, refusals.lines(), at=datetime.now(UTC), asked=asked))
    if out is not None:
        _write(out, examined, bounds, json_text(certificate), refusals.lines())
    if as_json:
        typer.echo(json_text(certificate), nl=False)
    else:
        _show(Console(), examined, refusals.lines())
    raise typer.Exit(0 if certificate["passes"] else 1)


def _of_object(handler: str, refusals: Refusals) -> Sequence[Subject]:
    from eachonce_workbench.certify.subject import SubjectError, of_object

    try:
        return [of_object(handler, refusals)]
    except SubjectError as error:
        raise _wrong(error, "--handler", refusals) from error


def _of_bundle(stack: ExitStack, consumer: str | None, refusals: Refusals, bundle: Bundle) -> Sequence[Subject]:
    from eachonce_workbench.certify.subject import SubjectError, of_template

    try:
        parameters = parameters_of(bundle, stack.enter_context(own_folder()))
        subjects = of_template(bundle.template, refusals, only=consumer, parameters=parameters)
    except SubjectError as error:
        raise _wrong(error, "--consumer", refusals) from error
    if not subjects:
        typer.echo(f"no function of {bundle.template} is a consumer or an endpoint: name one with --handler", err=True)
        raise typer.Exit(_WRONG_INPUT)
    return subjects


def _wrong(error: SubjectError, option: str, refusals: Refusals) -> typer.BadParameter:
    for line in refusals.lines():
        typer.echo(line, err=True)
    return typer.BadParameter(str(error), param_hint=option)


def _examined(subjects: Sequence[Subject], bounds: Bounds, console: Console) -> list[Examined]:
    from eachonce_workbench.certify.examination import examine

    progress = console.status("") if console.is_terminal else nullcontext()
    with progress as status:
        tell: Callable[[str], None] = status.update if status is not None else lambda _: None
        return [examine(subject, bounds, tell) for subject in subjects]


def _write(out: Path, examined: Sequence[Examined], bounds: Bounds, certificate: str, refused: Sequence[str]) -> None:
    from eachonce_workbench.certify.matrix import matrix
    from eachonce_workbench.certify.report import as_markdown

    out.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("certificate.json", certificate),
        ("certificate.md", as_markdown(examined, bounds, refused)),
        ("matrix.svg", matrix(examined, bounds)),
    ):
        (out / name).write_text(text, encoding="utf-8")
        typer.echo(f"wrote {out / name}", err=True)


def _show(console: Console, examined: Sequence[Examined], refused: Sequence[str]) -> None:
    from rich.table import Table
    from rich.text import Text

    from eachonce_workbench.certify.report import explored, inconclusive, summary, witnessed
    from eachonce_workbench.cli.screens.run import show_lines

    show_lines(console, refused)
    for one in examined:
        console.print(f"{one.consumer}: {summary(one)}")
        table = Table()
        for name in ("events", "and", "verdict"):
            table.add_column(name)
        for pair in one.pairs:
            table.add_row(pair.one, pair.other, Text(pair.verdict.value, style=_STYLES[pair.verdict.value]))
        console.print(table)
        show_lines(console, [f"code: {one.code}", *explored(one), ""])
        show_lines(console, one.refused)
        show_lines(console, inconclusive(one))
        for pair in witnessed(one):
            console.print(Text(f"{pair.one} and {pair.other}, {pair.verdict.value}: {pair.witness}\n"))
