"""The command that simulates every fault: `eachonce simulate --help`."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eachonce_workbench.cli.command import ORDERS, ROOT, TEMPLATE, confined
from shop.orders import OrdersError, read_invoices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from eachonce_workbench.run.run import Progress
    from eachonce_workbench.simulator.shrink import Witness
    from eachonce_workbench.simulator.simulation import Peer, Scenario, Simulated

_PEERS = ROOT / "bench" / "peers"
_RUN = ROOT / ".run"

_PAGE = 120  # characters: where there is no terminal, the table is to fit


class Faults(StrEnum):
    """How much goes wrong."""

    NONE = "none"
    LIGHT = "light"
    HEAVY = "heavy"


class PeerName(StrEnum):
    """Whose consumers are compared."""

    POWERTOOLS = "powertools"


def simulate(
    context: typer.Context,
    *,
    orders: Annotated[
        Path, typer.Option(help="A CSV of orders, plain or .gz.", metavar="CSV", show_default="the month in data/")
    ] = ORDERS,
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
    replay: Annotated[
        Path | None, typer.Option(help="Run a witness again, and nothing else.", metavar="FILE", show_default="none")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write report.json here, and a witness.", metavar="DIR", show_default="nowhere; a witness to .run"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Run real orders through the whole bundle under virtual time, let everything go wrong, and check the promises.

    Functions reach nobody meanwhile, and write to nothing but temporary folders: what they try is told.
    The same seed and code give the same run. Where a promise is broken, the fewest faults that break it are looked for.
    Exit status: 0 when every promise holds, 1 when one is broken, 2 for a wrong argument.
    """
    from rich.console import Console

    from eachonce_workbench.simulator.coverage import missed, together
    from eachonce_workbench.simulator.peers import powertools
    from eachonce_workbench.simulator.report import document, show_comparison, show_coverage, show_faults

    if replay is not None and peer is not None:
        raise typer.BadParameter("a witness is of the bundle's own consumers", param_hint="--peer")
    confined(context, _RUN if out is None else out)
    scenarios = _scenarios(orders, limit, range(seed, seed + seeds), faults, replay)
    console = Console(quiet=as_json, width=None if sys.stdout.isatty() else _PAGE)
    runs = list(_runs(scenarios, None, console))
    others = [] if peer is None else list(_runs(scenarios, powertools(_PEERS / peer.value), Console(quiet=True)))
    witness = None if replay is not None else _witness(scenarios, runs)
    met = together(run.call_faults for run in runs)
    if replay is None:
        show_coverage(console, met)
    else:
        show_faults(console, runs[0].happened)
    if others:
        show_comparison(console, runs, others)
    if witness is not None:
        _keep(witness, (_RUN if out is None else out) / "witness.json", orders, console)
    report = document(scenarios, runs, others, witness)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(report))
    raise typer.Exit(1 if any(run.violations for run in runs) or (cover and missed(met)) else 0)


def _scenarios(
    orders: Path, limit: int | None, seeds: Sequence[int], faults: Faults, replay: Path | None
) -> list[Scenario]:
    from eachonce_workbench.simulator.replay import Replay, ReplayError
    from eachonce_workbench.simulator.simulation import Scenario

    try:
        invoices = read_invoices(orders, limit=limit)
    except OrdersError as error:
        raise typer.BadParameter(str(error), param_hint="--orders") from error
    if replay is None:
        return [Scenario(invoices=invoices, template=TEMPLATE, seed=seed, faults=faults.value) for seed in seeds]
    try:
        return [Replay.read(replay).scenario(invoices, TEMPLATE)]
    except ReplayError as error:
        raise typer.BadParameter(str(error), param_hint="--replay") from error


def _runs(scenarios: Sequence[Scenario], peer: Peer | None, console: Console) -> Iterator[Simulated]:
    """Yield what each scenario comes to, and print it as soon as it is known."""
    from eachonce_workbench.simulator.report import show_run
    from eachonce_workbench.simulator.simulation import simulate as simulated

    for scenario in scenarios:
        with _progress() as progress:
            progress.about(f"seed {scenario.seed}" if peer is None else f"seed {scenario.seed}, {peer.name}")
            run = simulated(scenario, peer=peer, progress=progress)
        show_run(console, scenario.seed, run)
        yield run


def _progress() -> Progress:
    from rich.console import Console

    from eachonce_workbench.cli.screens.run import BarProgress
    from eachonce_workbench.run.run import Progress

    console = Console(stderr=True)
    return BarProgress(console) if console.is_terminal else Progress()


def _witness(scenarios: Sequence[Scenario], runs: Sequence[Simulated]) -> Witness | None:
    """Return the smallest witness of what was broken first, if anything was."""
    from rich.console import Console

    from eachonce_workbench.simulator.shrink import shrink

    broken = next(((scenario, run) for scenario, run in zip(scenarios, runs, strict=True) if run.violations), None)
    if broken is None:
        return None
    console = Console(stderr=True)
    with console.status("looking for the fewest faults") if console.is_terminal else nullcontext() as status:

        def tell(witness: Witness) -> None:
            if status is not None:
                status.update(f"{len(witness.faults)} faults on {len(witness.scenario.invoices)} invoices do it, too")

        return shrink(*broken, told=tell)


def _keep(witness: Witness, path: Path, orders: Path, console: Console) -> None:
    from eachonce_workbench.simulator.replay import Replay
    from eachonce_workbench.simulator.report import show_witness

    Replay.of(witness).write(path)
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    chosen = [] if orders == ORDERS else ["--orders", str(orders)]
    show_witness(console, witness, shlex.join(["eachonce", "simulate", *chosen, "--replay", str(shown)]))
