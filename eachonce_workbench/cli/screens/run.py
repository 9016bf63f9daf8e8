"""What a person sees of a run: a bar while it is under way, tables and one line at its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from rich import progress as bar
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eachonce_workbench.run.progress import Progress
from eachonce_workbench.run.run import Result
from eachonce_workbench.template.topology import Topology
from eachonce_workbench.template.web.addresses import routes

_EXAMPLES = 10

_COLUMNS = {
    "delivered": ("Delivered",),
    "done": ("Done", "Ignored"),
    "duplicate": ("Duplicate",),
    "stale": ("Stale",),
    "deferred": ("Retried", "Waiting", "OverRate", "Unavailable", "Abandoned"),
    "rejected": ("Rejected",),
}


class LineProgress(Progress):
    """Lines alone, for what is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

        self._told: set[str] = set()

    def started(self, topology: Topology) -> None:
        """Say what isn't run."""
        show_passed_over(self._console, topology)

    def failing(self, lines: Sequence[str]) -> None:
        """Say each way of failing once, as soon as it is known."""
        for line in lines:
            way = line.rpartition(", ")[0] if line.endswith(" times") else line
            if way not in self._told:
                self._told.add(way)
                show_lines(self._console, [f"fails: {way}"])


class BarProgress(LineProgress):
    """A bar on a terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        columns = (
            bar.TextColumn("{task.description}"),
            bar.BarColumn(),
            bar.MofNCompleteColumn(),
            _Clock(),
        )
        # Not time.monotonic, which moves by hours in a simulation.
        self._bar = bar.Progress(*columns, console=console, transient=True, get_time=time.perf_counter)
        self._about = ""
        self._task = self._bar.add_task("starting the local cloud", total=None)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        self._bar.stop()

    def about(self, what: str) -> None:
        """Begin each line with this."""
        self._about = f"{what}: "

    def sent(self, done: int, total: int) -> None:
        """Advance the bar."""
        self._bar.update(self._task, description=f"{self._about}sending inputs", completed=done, total=total)

    def tried(self, done: int, total: int) -> None:
        """Advance the bar by a run."""
        self._bar.update(self._task, description=f"{self._about}simulating", completed=done, total=total)

    def settling(self) -> None:
        """Say that the queues are still busy."""
        self._bar.update(self._task, description=f"{self._about}waiting for quiet")


class _Clock(bar.ProgressColumn):
    """The seconds since the beginning, which go on when all is sent: a finished task's own clock stands still."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.perf_counter()

    def render(self, task: bar.Task) -> Text:  # noqa: ARG002 - as a column has it
        """Return what is shown now."""
        return Text(f"{time.perf_counter() - self._began:.0f} s", style="progress.elapsed")


def show_result(console: Console, result: Result) -> None:
    """Print a table of consumers, what is wrong if anything is, and the line that says it all."""
    console.print(_table(result))
    found = result.reconciliation
    if found is not None:
        for kind, rows in (("lost", found.lost), ("doubled", found.doubled), ("different", found.different)):
            _show_rows(console, kind, rows)
    _show_rows(console, "failed", result.failed)
    if not result.passes:
        _show_rows(console, "fails", result.failing)
    show_lines(console, result.refused)
    console.print(f"{result.seconds:.1f} seconds", style="dim")
    show_lines(console, [_verdict(result)])


def _table(result: Result) -> Table:
    table = Table("consumer")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for consumer, counts in result.consumers.items():
        table.add_row(consumer, *(_count(counts, metrics) for metrics in _COLUMNS.values()))
    return table


def _count(counts: Mapping[str, int], metrics: Sequence[str]) -> str:
    """Return a number; a dash where a function without the layer tells none."""
    known = [counts[metric] for metric in metrics if metric in counts]
    return f"{sum(known):,}" if known else "-"


def _verdict(result: Result) -> str:
    if not result.quiet:
        return "gave up: it is not quiet yet"
    if result.reconciliation is not None:
        return f"reconciled: {result.reconciliation}"
    return f"{result.sent} inputs sent, {len(result.failed)} failed; nothing compared: the bundle has no books"


def show_lines(console: Console, lines: Iterable[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _show_rows(console: Console, kind: str, rows: Sequence[str]) -> None:
    for row in rows[:_EXAMPLES]:
        console.print(f"{kind}: {row}", markup=False, highlight=False, soft_wrap=True)
    if len(rows) > _EXAMPLES:
        console.print(f"{kind}: ... and {len(rows) - _EXAMPLES} more", markup=False)


def show_passed_over(console: Console, topology: Topology) -> None:
    """Print a line for each part of the template that isn't run."""
    for line in topology.passed_over:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def show_cloud(console: Console, endpoint: str, topology: Topology) -> None:
    """Print where the local cloud is, what is in it, and what isn't."""
    rows = [("function", function.name, function.logical_id) for function in topology.functions]
    rows += [("queue", queue.name, queue.url) for queue in topology.queues]
    rows += [("bus", bus.name, bus.arn) for bus in topology.buses]
    rows += [("table", table.name, table.arn) for table in topology.tables]
    rows += [("topic", topic.name, topic.arn) for topic in topology.topics]
    rows += [("bucket", bucket.name, bucket.arn) for bucket in topology.buckets]
    rows += [("schedule", schedule.name, schedule.expression) for schedule in topology.schedules]
    rows += [("route", f"{route.method} {route.path}", url) for route, url in routes(endpoint, topology)]
    widest = max((len(name) for _, name, _ in rows), default=0)
    for kind, name, address in rows:
        console.print(f"{kind:<8}  {name:<{widest}}  {address}", highlight=False, markup=False, soft_wrap=True)
    show_passed_over(console, topology)
    console.print(
        f"listening on {endpoint}, region {topology.region}; any credentials do. Ctrl-C ends it.", soft_wrap=True
    )
