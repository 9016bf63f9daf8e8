"""The command that simulates every fault: `eachonce simulate --help`."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from eachonce_workbench.cli.command import (
    BooksName,
    InputPath,
    Limit,
    Template,
    arguments,
    bundle_of,
    confined,
    inputs_of,
    keep_last,
    loaded_books,
    require_writable,
    seen_from,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from eachonce_workbench.run.books import Books, Input
    from eachonce_workbench.run.bundle import Bundle
    from eachonce_workbench.run.progress import Progress
    from eachonce_workbench.simulator.bundle.campaign import Bounds
    from eachonce_workbench.simulator.bundle.oracle import Oracle
    from eachonce_workbench.simulator.last import LastSimulation
    from eachonce_workbench.simulator.recorder import Recorder
    from eachonce_workbench.simulator.replay import Replay
    from eachonce_workbench.simulator.shrink import Witness
    from eachonce_workbench.simulator.simulation import Scenario, Simulated

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
    events: Annotated[
        Path | None,
        typer.Option(
            "--events",
            exists=True,
            help="The inputs, whatever the books say: a sample, or a folder of them.",
            metavar="PATH",
            show_default="events/, else drawn from contracts",
        ),
    ] = None,
    limit: Limit = None,
    seed: Annotated[int, typer.Option(help="What every fault is drawn from.", metavar="S")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Run this many seeds, from --seed on.", metavar="N")] = 1,
    faults: Annotated[Faults, typer.Option(help="How much goes wrong.")] = Faults.HEAVY,
    singles: Annotated[
        int,
        typer.Option(min=0, help="The most faults that are tried by themselves; without books.", metavar="N"),
    ] = 100,
    cover: Annotated[
        bool,
        typer.Option("--cover", help="List how often each call of the layer met each fault; fail where one never did."),
    ] = False,
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
    """Run a bundle's inputs through it under virtual time, let everything go wrong, and judge what is left.

    A bundle with books is judged by them. Any other is its own oracle: what its inputs come to when nothing goes wrong,
    each once and in order, they must come to under each fault by itself and under many. Functions need no layer.

    Functions reach nobody meanwhile, and write to nothing but temporary folders: what they try is told. Services that
    the local cloud hasn't got, and anybody's HTTP API, are stood in for, and what is asked of them counts as an effect.

    The same seed and code give the same run. Where a promise is broken, the fewest faults that break it are looked for.
    The bundle keeps what came of the last one in .run, for the console; a replay's JSON tells its steps.

    Exit status: 0 when every promise holds, 1 when one is broken, a function's role doesn't allow what it does, or too
    little was seen to say so; 2 for a wrong argument.
    """
    require_writable(out)
    bundle = bundle_of(template, books=books)
    confined(context, bundle.kept, out)
    loaded = loaded_books(bundle)
    given = {"--template": template, "--books": books, "--input": inputs, "--events": events}
    command = _Command(bundle=bundle, out=out, as_json=as_json, asked=arguments(given, bundle.folder))
    if loaded is None or events is not None:
        from eachonce_workbench.simulator.bundle.campaign import Bounds

        source = inputs if events is None else events
        bounds = Bounds(singles=singles, seeds=range(seed, seed + seeds), faults=faults.value)
        command.judge_by_itself(loaded, source, limit, bounds, replay, cover=cover)
    chosen = inputs_of(loaded, inputs, limit)
    scenarios = _scenarios(loaded, chosen, bundle.template, range(seed, seed + seeds), faults)
    command.judge_by_books(scenarios, inputs, replay, cover=cover)


class _Command:
    """One command, which ends by raising typer.Exit."""

    def __init__(self, *, bundle: Bundle, out: Path | None, as_json: bool, asked: Sequence[str]) -> None:
        from rich.console import Console

        self._bundle = bundle
        self._out = out
        self._asked = asked
        self._as_json = as_json
        self._console = Console(quiet=as_json, width=None if sys.stdout.isatty() else _PAGE)

    def judge_by_itself(
        self,
        books: Books | None,
        source: Path | None,
        limit: int | None,
        bounds: Bounds,
        replay: Path | None,
        *,
        cover: bool,
    ) -> NoReturn:
        """Judge a bundle by what it comes to when nothing goes wrong."""
        from eachonce_workbench import template
        from eachonce_workbench.cli.screens.run import show_lines
        from eachonce_workbench.export.inputs import Inputs
        from eachonce_workbench.run.books import BooksError
        from eachonce_workbench.simulator.bundle.campaign import campaign
        from eachonce_workbench.simulator.bundle.oracle import Oracle
        from eachonce_workbench.simulator.bundle.report import document, last, show_findings, show_verdict
        from eachonce_workbench.simulator.coverage import missed, together
        from eachonce_workbench.simulator.report import show_coverage

        topology = template.load(self._bundle.template)
        finder = Inputs(self._bundle.folder, topology)
        try:
            inputs = finder.of(source, limit)
        except BooksError as error:
            raise typer.BadParameter(str(error), param_hint="--events") from error
        show_lines(self._console, (*topology.passed_over, *finder.passed_over))
        oracle = Oracle(self._bundle.template, topology, books=books, seed=bounds.seeds[0])
        if replay is not None:
            self._replay_by_itself(oracle, _read(replay), inputs)
        functions = [function.logical_id for function in topology.functions]
        with _progress() as progress:
            judged = campaign(oracle, inputs, functions=functions, bounds=bounds, progress=progress)
        met = together(run.call_faults for run in judged.all_runs)
        if cover:
            show_coverage(self._console, met)
        uncovered = len(missed(met)) if cover else 0
        show_findings(self._console, judged)
        if judged.witness is not None:
            self._keep_witness(judged.witness, [] if source is None else ["--events", str(source)])
        show_verdict(self._console, judged)
        ok = judged.verdict == "holds" and not uncovered
        self._keep_last(last(judged, at=datetime.now(UTC), asked=self._asked, ok=ok))
        self._end(document(judged), ok=ok)

    def _replay_by_itself(self, oracle: Oracle, replay: Replay, inputs: Sequence[Input]) -> NoReturn:
        from dataclasses import replace

        from eachonce_workbench.simulator.bundle.report import replayed
        from eachonce_workbench.simulator.report import say, show_faults
        from eachonce_workbench.simulator.simulation import simulate as simulated
        from eachonce_workbench.simulator.step_by_step import StepByStep

        with _replaying():
            chosen = replay.chosen(inputs)
        scenario = oracle.scenario(chosen, apart=bool(replay.apart))
        steps = StepByStep()
        run = simulated(replace(scenario, seed=replay.seed, only=frozenset(replay.faults)), recorder=steps)
        show_faults(self._console, run.happened)
        for violation in run.violations:
            say(self._console, f"broken: {violation}")
        self._end(replayed(replay, run, steps), ok=not run.violations)

    def judge_by_books(
        self, scenarios: Sequence[Scenario], source: Path | None, replay: Path | None, *, cover: bool
    ) -> NoReturn:
        """Judge a bundle by its books."""
        from eachonce_workbench.simulator.coverage import missed, together
        from eachonce_workbench.simulator.report import (
            document,
            last,
            show_coverage,
            show_faults,
            show_missed,
            show_verdict,
        )
        from eachonce_workbench.simulator.step_by_step import StepByStep

        if replay is not None:
            scenarios = [_replayed(_read(replay), scenarios[0])]
        steps = None if replay is None else StepByStep()
        runs = list(_runs(scenarios, self._console, steps))
        witness = None if replay is not None else _witness(scenarios, runs)
        met = together(run.call_faults for run in runs)
        if replay is not None:
            show_faults(self._console, runs[0].happened)
        elif cover:
            show_coverage(self._console, met)
        else:
            show_missed(self._console, met)
        uncovered = len(missed(met)) if cover else 0
        if witness is not None:
            self._keep_witness(witness, [] if source is None else ["--input", str(source)])
        show_verdict(self._console, runs, uncovered=uncovered)
        if replay is None:
            now = datetime.now(UTC)
            self._keep_last(last(scenarios, runs, witness, at=now, asked=self._asked, uncovered=uncovered))
        broken = any(run.violations or run.denied for run in runs)
        self._end(document(scenarios, runs, witness, replayed=steps), ok=not broken and not uncovered)

    def _keep_witness(self, witness: Witness, chosen: Sequence[str]) -> None:
        from eachonce_workbench.simulator.last import WITNESS_NAME
        from eachonce_workbench.simulator.replay import Replay
        from eachonce_workbench.simulator.report import show_witness

        replay = Replay.of(witness)
        path = (self._bundle.kept if self._out is None else self._out) / WITNESS_NAME
        replay.write(path)
        if self._out is not None:
            keep_last(self._bundle.kept / WITNESS_NAME, replay)
        here = Path.cwd()
        template = self._bundle.template
        named = [] if template.parent == here else ["--template", str(seen_from(here, template))]
        command = ["eachonce", "simulate", *named, *chosen, "--replay", str(seen_from(here, path))]
        show_witness(self._console, witness, shlex.join(command))

    def _keep_last(self, simulation: LastSimulation) -> None:
        from eachonce_workbench.simulator.last import NAME

        keep_last(self._bundle.kept / NAME, simulation)

    def _end(self, report: Any, *, ok: bool) -> NoReturn:
        if self._out is not None:
            (self._out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        if self._as_json:
            typer.echo(json.dumps(report))
        raise typer.Exit(0 if ok else 1)


def _scenarios(
    books: Books, inputs: Sequence[Input], template: Path, seeds: Sequence[int], faults: Faults
) -> list[Scenario]:
    from eachonce_workbench.simulator.simulation import Scenario

    return [Scenario(inputs=inputs, books=books, template=template, seed=seed, faults=faults.value) for seed in seeds]


def _read(replay: Path) -> Replay:
    from eachonce_workbench.simulator.replay import Replay

    with _replaying():
        return Replay.read(replay)


def _replayed(replay: Replay, of: Scenario) -> Scenario:
    with _replaying():
        return replay.scenario(of.inputs, books=of.books, template=of.template)


@contextmanager
def _replaying() -> Iterator[None]:
    """Let a witness that can't be run again be a wrong argument."""
    from eachonce_workbench.simulator.replay import ReplayError

    try:
        yield
    except ReplayError as error:
        raise typer.BadParameter(str(error), param_hint="--replay") from error


def _runs(scenarios: Sequence[Scenario], console: Console, recorder: Recorder | None) -> Iterator[Simulated]:
    """Yield what each scenario comes to, and print it as soon as it is known."""
    from eachonce_workbench.simulator.report import show_run
    from eachonce_workbench.simulator.simulation import simulate as simulated

    for scenario in scenarios:
        with _progress() as progress:
            progress.about(f"seed {scenario.seed}")
            run = simulated(scenario, progress=progress, recorder=recorder)
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
