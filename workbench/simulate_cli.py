"""The command that simulates every fault: `eachonce simulate --help`."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.orders import OrdersError, read_invoices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.orders import Row
    from workbench.run import Progress
    from workbench.simulator.simulation import Peer, Simulated

_ROOT = Path(__file__).resolve().parent.parent
_TEMPLATE = _ROOT / "template.yaml"
_ORDERS = _ROOT / "data" / "online-retail-2010-12.csv.gz"
_PEERS = _ROOT / "bench" / "peers"

_INTERRUPTED = 130  # as a shell says of a program that Ctrl-C ended


class Faults(StrEnum):
    """How much goes wrong."""

    NONE = "none"
    LIGHT = "light"
    HEAVY = "heavy"


class PeerName(StrEnum):
    """Whose consumers are compared."""

    POWERTOOLS = "powertools"


def simulate(
    *,
    orders: Annotated[
        Path, typer.Option(help="A CSV of orders, plain or .gz.", metavar="CSV", show_default="the month in data/")
    ] = _ORDERS,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first N invoices.", metavar="N", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option(help="What every fault is drawn from.", metavar="S")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Run this many seeds, from --seed on.", metavar="N")] = 1,
    faults: Annotated[Faults, typer.Option(help="How much goes wrong.")] = Faults.HEAVY,
    cover: Annotated[bool, typer.Option("--cover", help="Fail, too, where a call never met a fault.")] = False,
    peer: Annotated[
        PeerName | None, typer.Option(help="The same with these consumers, side by side.", show_default="none")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write report.json here.", metavar="DIR", show_default="nowhere")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Run real orders through the whole bundle under virtual time, let everything go wrong, and check the promises.

    The same seed and code give the same run. Exit status: 0 when every promise holds, 1 when one is broken, 2 for a
    wrong argument.
    """
    from rich.console import Console

    from workbench.run import Progress
    from workbench.screen import BarProgress
    from workbench.simulator.coverage import missed, together
    from workbench.simulator.peers import powertools
    from workbench.simulator.report import document, show_comparison, show_coverage, show_run

    try:
        invoices = read_invoices(orders, limit=limit)
    except OrdersError as error:
        raise typer.BadParameter(str(error), param_hint="--orders") from error
    console, told = Console(), Console(stderr=True)
    numbers = range(seed, seed + seeds)
    with BarProgress(told) if told.is_terminal else Progress() as progress:
        runs = _runs(invoices, numbers, faults, None, progress)
        others = [] if peer is None else _runs(invoices, numbers, faults, powertools(_PEERS / peer.value), progress)
    report = document(numbers, runs, others, faults=faults.value, limit=limit)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(report))
    else:
        for number, run in zip(numbers, runs, strict=True):
            show_run(console, number, run)
        show_coverage(console, together(run.call_faults for run in runs))
        if others:
            show_comparison(console, runs, others)
    uncovered = cover and missed(together(run.call_faults for run in runs))
    raise typer.Exit(1 if uncovered or any(run.violations for run in runs) else 0)


def _runs(
    invoices: Mapping[str, list[Row]], seeds: Sequence[int], faults: Faults, peer: Peer | None, progress: Progress
) -> list[Simulated]:
    from workbench.simulator.simulation import Scenario
    from workbench.simulator.simulation import simulate as simulated

    try:
        return [
            simulated(
                Scenario(invoices=invoices, template=_TEMPLATE, seed=seed, faults=faults.value),
                peer=peer,
                progress=progress,
            )
            for seed in seeds
        ]
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        sys.exit(_INTERRUPTED)
