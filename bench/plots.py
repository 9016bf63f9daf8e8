"""The plots of the results: processor time, calls and wall time of a batch of ten, and what a batch's size changes."""

from __future__ import annotations

from bench.orders import DISTINCT
from bench.plot import Plot
from bench.results import Results
from bench.rows import Row
from bench.systems import OURS
from bench.works import WORKS

_TEN = 10
_VALUES = {
    "calls": ("calls_per_event", "AWS calls an event", "AWS calls an event, in a batch of ten"),
    "cpu": (
        "cpu_us_per_event",
        "µs an event",
        "Processor time an event, in a batch of ten",
    ),
    "wall": ("wall_ms", "ms a batch", "Time of a batch of ten, with AWS's latency as published"),
}


def plots(results: Results) -> dict[str, str]:
    """Return the plots by the names of their files; none of what wasn't measured."""
    rows = [row for row in results.rows if row.case in WORKS and row.keys == DISTINCT]
    of_ten = [row for row in rows if row.batch == _TEN]
    drawn = {f"{name}.svg": _by_work(of_ten, *of) for name, of in _VALUES.items() if _has(of_ten, of[0])}
    if _has(rows, "wall_ms"):
        drawn["batches.svg"] = _by_size([row for row in rows if row.system == OURS])
    return drawn


def _has(rows: list[Row], field: str) -> bool:
    return any(getattr(row, field) is not None for row in rows)


def _by_work(rows: list[Row], field: str, axis: str, title: str) -> str:
    values = {(row.system, row.case): getattr(row, field) for row in rows}
    systems = list(dict.fromkeys(row.system for row in rows))
    columns = {system: [values.get((system, work)) for work in WORKS] for system in systems}
    return Plot(
        title=title, x_axis="the work, another key each event", y_axis=axis, groups=list(WORKS), values=columns
    ).svg()


def _by_size(rows: list[Row]) -> str:
    sizes = sorted({row.batch for row in rows})
    values = {(row.case, row.batch): row.cpu_us_per_event for row in rows}
    works = [work for work in WORKS if work in {row.case for row in rows}][:4]
    columns = {work: [values.get((work, size)) for size in sizes] for work in works}
    return Plot(
        title="Processor time an event by the size of its batch",
        x_axis="messages a batch",
        y_axis="µs an event",
        groups=[f"{size:,}" for size in sizes],
        values=columns,
    ).svg()
