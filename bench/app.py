"""The command of the bench: `python -m bench --help`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich import progress as bar
from rich.console import Console

from bench.comparison import Tell, compare, counts, processes
from bench.process import SystemProcess
from bench.rows import Case, Ratio, Row, cases

FOLDER = Path(__file__).parent

_SIZES = (1, 10, 100, 1000)
_SHORT_SIZES = (1, 10, 100)
_INTERRUPTED = 130
_ORDERS = (1, 100, 1_000, 10_000)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def bench(
    *,
    short: Annotated[
        bool, typer.Option("--short", help="Count calls and write units alone, and compare them with expected.csv.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="With --short: write expected.csv and the README's table anew.")
    ] = False,
    out: Annotated[
        Path, typer.Option(help="Write results.json, results.md and the plots here.", metavar="DIR", file_okay=False)
    ] = FOLDER,
    rounds: Annotated[int, typer.Option(min=1, help="How many alternating runs.", metavar="N")] = 5,
    seed: Annotated[int, typer.Option(help="What latencies are drawn from.", metavar="S")] = 0,
    sizes: Annotated[
        list[int] | None,
        typer.Option(
            "--batch",
            min=1,
            help="Only batches of this size; again for each.",
            metavar="N",
            show_default="1, 10, 100, 1000",
        ),
    ] = None,
    orders: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="Only so many orders through the local cloud; again for each.",
            metavar="N",
            show_default="1, 100, 1000, 10000",
        ),
    ] = None,
) -> None:
    """Measure what an event costs, beside Powertools for AWS Lambda and bare boto3, on the same stand-in for AWS.

    Exit status: 0 when it is done, 1 when an event costs other than expected, 2 for a wrong argument.
    """
    if accept and not short:
        raise typer.BadParameter("it is for --short", param_hint="--accept")
    try:
        status = _short(accept=accept) if short else _whole(out, rounds, seed, sizes or _SIZES, orders or _ORDERS)
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        status = _INTERRUPTED
    raise typer.Exit(status)


def _short(*, accept: bool) -> int:
    from bench import expected, summary

    all_cases = list(cases(_SHORT_SIZES))
    with processes() as started, _progress(len(all_cases) * len(started)) as tell:
        rows = counts(started, all_cases, tell)
    if accept:
        expected.write(rows)
        summary.write(rows)
        for path in (expected.FILE, summary.README, summary.PLOT):
            typer.echo(f"wrote {path}", err=True)
    differing = list(expected.differences(rows, expected.read()))
    for line in differing:
        typer.echo(line)
    if differing:
        typer.echo(
            "an event costs other than bench/expected.csv says; if that is meant: make bench BENCH='--short --accept'"
        )
        return 1
    typer.echo(f"{len(rows)} rows: calls and write units of an event are as expected")
    return 0


def _whole(out: Path, rounds: int, seed: int, sizes: Sequence[int], orders: Sequence[int]) -> int:
    from bench import end_to_end, protections, rivals
    from bench.cold_start import IMPORTS, starts
    from bench.files import write
    from bench.machine import Machine
    from bench.results import Results

    all_cases = list(cases(sizes))
    with processes() as started, _progress(len(all_cases) + 3 + len(orders)) as tell:
        rows, ratios = _compared(started, all_cases, rounds, seed, tell)
        tell("security and flow control")
        rows += protections.measured()
        tell("the start of a function")
        begun = starts(rounds)
        ways = []
        for number in orders:
            tell(f"the whole way of {number:,} orders")
            ways.append(end_to_end.measured(number))
        tell("from the bus to a queue, beside other clouds")
        passages, absent = rivals.passages(rounds)
        imports = starts(rounds, IMPORTS)
    results = Results(
        machine=Machine.here(),
        rounds=rounds,
        seed=seed,
        rows=rows,
        ratios=ratios,
        starts=begun,
        ways=ways,
        passages=passages,
        imports=imports,
        absent=absent,
    )
    _show(ratios)
    for path in write(results, out):
        typer.echo(f"wrote {path}", err=True)
    return 0


def _compared(
    started: Sequence[SystemProcess], all_cases: Sequence[Case], rounds: int, seed: int, tell: Tell
) -> tuple[list[Row], list[Ratio]]:
    rows: list[Row] = []
    ratios: list[Ratio] = []
    for case in all_cases:
        tell(f"{case.case}, batch of {case.batch:,}, {case.keys}")
        found, ratio = compare(started, case, rounds=rounds, seed=seed)
        rows += found
        ratios.append(ratio)
    return rows, ratios


@contextmanager
def _progress(total: int) -> Iterator[Tell]:
    """Show a bar on a terminal; what is told is measured next."""
    console = Console(stderr=True)
    columns = (bar.TextColumn("{task.description}"), bar.BarColumn(), bar.MofNCompleteColumn(), bar.TimeElapsedColumn())
    with bar.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("starting", total=total)
        yield lambda what: shown.update(task, description=what, advance=1)


def _show(ratios: Sequence[Ratio]) -> None:
    from rich.table import Table

    table = Table("of powertools'", "batch", "keys", "calls", "write units", "processor time", "wall time")
    for ratio in ratios:
        shares = (ratio.calls, ratio.write_units, ratio.cpu, ratio.wall)
        numbers = ("" if share is None else f"{share:.2f}" for share in shares)
        table.add_row(ratio.case.case, f"{ratio.case.batch:,}", ratio.case.keys, *numbers)
    Console().print(table)
