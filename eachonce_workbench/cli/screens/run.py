"""What a person sees of a run: a bar while it is under way, tables and one line at its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from rich import progress as bar
from rich.console import Console
from rich.table import Table

from eachonce_workbench.run.run import Progress, Result
from eachonce_workbench.template.topology import Topology

_EXAMPLES = 10

_COLUMNS = {
    "delivered": ("Delivered",),
    "done": ("Done", "Ignored"),
    "duplicate": ("Duplicate",),
    "stale": ("Stale",),
    "deferred": ("Retried", "Waiting", "Abandoned"),
    "rejected": ("Rejected",),
}


class LineProgress(Progress):
    """Lines alone, for what is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def started(self, topology: Topology) -> None:
        """Say what isn't run."""
        show_passed_over(self._console, topology)


class BarProgress(LineProgress):
    """A bar on a terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        columns = (
            bar.TextColumn("{task.description}"),
            bar.BarColumn(),
            bar.MofNCompleteColumn(),
            bar.TimeElapsedColumn(),
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

    def placed(self, done: int, total: int) -> None:
        """Advance the bar."""
        self._bar.update(self._task, description=f"{self._about}placing orders", completed=done, total=total)

    def settling(self) -> None:
        """Say that the queues are still busy."""
        self._bar.update(self._task, description=f"{self._about}waiting for quiet")


def show_result(console: Console, result: Result) -> None:
    """Print a table of consumers, what differs if anything does, and the line that says it all."""
    table = Table("consumer")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for consumer, counts in result.consumers.items():
        table.add_row(consumer, *(f"{sum(counts[metric] for metric in metrics):,}" for metrics in _COLUMNS.values()))
    console.print(table)
    found = result.reconciliation
    for kind, rows in (("lost", found.lost), ("doubled", found.doubled), ("different", found.different)):
        _show_rows(console, kind, rows)
    show_lines(console, result.refused)
    console.print(f"{result.seconds:.1f} seconds", style="dim")
    console.print(f"reconciled: {found}", markup=False, highlight=False, soft_wrap=True)


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
    widest = max(len(name) for _, name, _ in rows)
    for kind, name, address in rows:
        console.print(f"{kind:<8}  {name:<{widest}}  {address}", highlight=False, markup=False, soft_wrap=True)
    show_passed_over(console, topology)
    console.print(
        f"listening on {endpoint}, region {topology.region}; any credentials do. Ctrl-C ends it.", soft_wrap=True
    )
