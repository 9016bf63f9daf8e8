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

from eachonce_workbench.cli.command import (
    BooksName,
    InputPath,
    Limit,
    Template,
    books_of,
    bundle_of,
    confined,
    inputs_of,
    require_writable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from eachonce_workbench.run.books import Books, Input
    from eachonce_workbench.run.progress import Progress
    from eachonce_workbench.simulator.shrink import Witness
    from eachonce_workbench.simulator.simulation import Scenario, Simulated
    from eachonce_workbench.simulator.trial import Peer

_PAGE = 80  # characters: where there is no terminal, the table is to fit


class Faults(StrEnum):
    """How much goes wrong."""

    NONE = "none"
    LIGHT = "light"
    HEAVY = "heavy"


def simulate(
    context: typer.Context,
    *,
    template: Template = None,
    books: BooksName = None,
    inputs: InputPath = None,
    limit: Limit = None,
    seed: Annotated[int, typer.Option(help="What every fault is drawn from.", metavar="S")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Run this many seeds, from --seed on.", metavar="N")] = 1,
    faults: Annotated[Faults, typer.Option(help="How much goes wrong.")] = Faults.HEAVY,
    cover: Annotated[
        bool, typer.Option("--cover", help="List how often each call met each fault; fail where one never did.")
    ] = False,
    peer: Annotated[
        str | None,
        typer.Option(
            help="The same with these consumers of the books, side by side.", metavar="NAME", show_default="none"
        ),
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
    """Run a bundle's inputs through it under virtual time, let everything go wrong, and check the promises.

    Functions reach nobody meanwhile, and write to nothing but temporary folders: what they try is told.
    The same seed and code give the same run. Where a promise is broken, the fewest faults that break it are looked for.
    Exit status: 0 when every promise holds, 1 when one is broken or a function's role doesn't allow what it does, 2 for
    a wrong argument.
    """
    from rich.console import Console

    from eachonce_workbench.simulator.coverage import missed, together
    from eachonce_workbench.simulator.report import (
        document,
        show_comparison,
        show_coverage,
        show_faults,
        show_missed,
        show_verdict,
    )

    if replay is not None and peer is not None:
        raise typer.BadParameter("a witness is of the bundle's own consumers", param_hint="--peer")
    require_writable(out)
    bundle = bundle_of(template, books=books)
    keep = bundle.folder / ".run" if out is None else out
    confined(context, keep)
    loaded = books_of(bundle)
    other = None if peer is None else _peer(loaded, peer)
    scenarios = _scenarios(loaded, inputs_of(loaded, inputs, limit), bundle.template, range(seed, seed + seeds), faults)
    if replay is not None:
        scenarios = [_replayed(replay, scenarios[0])]
    console = Console(quiet=as_json, width=None if sys.stdout.isatty() else _PAGE)
    runs = list(_runs(scenarios, None, console))
    others = [] if other is None else list(_runs(scenarios, other, Console(quiet=True)))
    witness = None if replay is not None else _witness(scenarios, runs)
    met = together(run.call_faults for run in runs)
    if replay is not None:
        show_faults(console, runs[0].happened)
    elif cover:
        show_coverage(console, met)
    else:
        show_missed(console, met)
    if others:
        show_comparison(console, runs, others)
    if witness is not None:
        chosen = [] if inputs is None else ["--input", str(inputs)]
        _keep(witness, keep / "witness.json", chosen, console)
    uncovered = len(missed(met)) if cover else 0
    show_verdict(console, runs, uncovered=uncovered)
    report = document(scenarios, runs, others, witness)
    if out is not None:
        (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(report))
    raise typer.Exit(1 if any(run.violations or run.denied for run in runs) or uncovered else 0)


def _peer(books: Books, name: str) -> Peer:
    from eachonce_workbench.simulator.trial import Trial

    peers = books.peers() if isinstance(books, Trial) else {}
    if name not in peers:
        raise typer.BadParameter(f"the books know {', '.join(peers) or 'no peers'}, not {name}", param_hint="--peer")
    return peers[name]


def _scenarios(
    books: Books, inputs: Sequence[Input], template: Path, seeds: Sequence[int], faults: Faults
) -> list[Scenario]:
    from eachonce_workbench.simulator.simulation import Scenario

    return [Scenario(inputs=inputs, books=books, template=template, seed=seed, faults=faults.value) for seed in seeds]


def _replayed(replay: Path, of: Scenario) -> Scenario:
    from eachonce_workbench.simulator.replay import Replay, ReplayError

    try:
        return Replay.read(replay).scenario(of.inputs, books=of.books, template=of.template)
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
    from eachonce_workbench.run.progress import Progress

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
                status.update(f"{len(witness.faults)} faults on {len(witness.scenario.inputs)} inputs do it, too")

        return shrink(*broken, told=tell)


def _keep(witness: Witness, path: Path, chosen: Sequence[str], console: Console) -> None:
    from eachonce_workbench.simulator.replay import Replay
    from eachonce_workbench.simulator.report import show_witness

    Replay.of(witness).write(path)
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    show_witness(console, witness, shlex.join(["eachonce", "simulate", *chosen, "--replay", str(shown)]))
