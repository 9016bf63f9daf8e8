"""The plots: calls, processor time and wall time of a batch of ten, and what a batch's size changes."""

from __future__ import annotations

from collections.abc import Sequence

from bench.orders import DISTINCT
from bench.plot import Plot
from bench.results import Results
from bench.rows import Row
from bench.systems import OURS
from bench.works import WORKS

_BATCH = 10


def plots(results: Results) -> dict[str, str]:
    """Return the plots of what was measured, by the names of their files; calls.svg is counted, and not among them."""
    rows = _of_works(results.rows)
    of_ten = [row for row in rows if row.batch == _BATCH]
    drawn = {}
    if _has(of_ten, "cpu_us_per_event"):
        drawn["cpu.svg"] = _by_work(of_ten, "cpu_us_per_event", "µs an event", "Processor time in a batch of ten")
        drawn["batches.svg"] = _by_size([row for row in rows if row.system == OURS])
    if _has(of_ten, "wall_ms"):
        drawn["wall.svg"] = _by_work(of_ten, "wall_ms", "ms a batch", "A batch of ten, with AWS's published latencies")
    return drawn


def calls_plot(rows: Sequence[Row]) -> str:
    """Return the plot of calls: the same on any machine."""
    of_ten = [row for row in _of_works(rows) if row.batch == _BATCH]
    return _by_work(of_ten, "calls_per_event", "AWS calls an event", "AWS calls in a batch of ten")


def _of_works(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.case in WORKS and row.keys == DISTINCT]


def _has(rows: Sequence[Row], field: str) -> bool:
    return any(getattr(row, field) is not None for row in rows)


def _by_work(rows: Sequence[Row], field: str, axis: str, title: str) -> str:
    values = {(row.system, row.case): getattr(row, field) for row in rows}
    systems = list(dict.fromkeys(row.system for row in rows))
    columns = {system: [values.get((system, work)) for work in WORKS] for system in systems}
    x_axis = "the work, another key each event"
    return Plot(title=title, x_axis=x_axis, y_axis=axis, groups=list(WORKS), values=columns).svg()


def _by_size(rows: Sequence[Row]) -> str:
    sizes = sorted({row.batch for row in rows})
    values = {(row.case, row.batch): row.cpu_us_per_event for row in rows}
    works = [work for work in WORKS if work in {row.case for row in rows}]
    columns = {work: [values.get((work, size)) for size in sizes] for work in works}
    return Plot(
        title="Processor time by the size of a batch",
        x_axis="messages a batch",
        y_axis="µs an event",
        groups=[f"{size:,}" for size in sizes],
        values=columns,
    ).svg()
