"""The results as a page: tables, what was aimed at, and how it was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bench.aims import BATCH, Aim, aims
from bench.cold_start import Start
from bench.end_to_end import Way
from bench.results import Results
from bench.rivals import Passage
from bench.rows import Ratio, Row
from bench.systems import OURS, PEER

_MEASURED = """
Calls and write units are the same on any machine; `bench/expected.csv` has them, and a change of them is told by
`make bench BENCH=--short`. Times are this machine's: compare them with each other alone. Ratios are medians of the
ratios of alternating runs. How it is measured is said in [`docs/bench.md`](../docs/bench.md).
"""
_UNITS = "Processor time is an event's, without the stand-in's. Wall time is a batch's, where AWS takes its time."
_WHOLE_WAY = (
    "From PutEvents to the acknowledgement of each of four consumers, all orders at once: so latencies are mostly the "
    "wait for the events before. A lone order's is mostly the window of the consumers' mappings, a second."
)
_SPENT = """
What the processor time of an event in a batch of ten is spent on: boto3's calls, Powertools' log lines, and all else,
which is the system's own and the handler's.
"""
_AIMED = """
Figures that are the same in every run, such as what happens in a crash, are shown by tests and by the simulator:
[`docs/proof.md`](../docs/proof.md).
"""


def report(results: Results) -> str:
    """Return the page."""
    parts = [
        "# What an event costs, side by side",
        f"Measured on {results.machine}; {results.rounds} alternating runs, seed {results.seed}.",
        _MEASURED.strip(),
        *_aims(aims(results)),
        *_compared(results.ratios),
        *_spent(results.rows),
        "## Every row",
        _UNITS,
        _table(_ROW_HEAD, map(_row, results.rows)),
        *_started(results.starts),
        *_ways(results.ways),
        *_passages(results.passages),
    ]
    if results.absent:
        parts += ["## Not measured", "\n".join(f"- {line}" for line in results.absent)]
    return "\n\n".join(parts) + "\n"


_ROW_HEAD = ("case", "batch", "keys", "system", "calls", "write units", "µs an event", "ms a batch")


def _aims(figures: Sequence[Aim]) -> Iterator[str]:
    """Yield every figure that is aimed at, and below them what is in the way of those that aren't reached."""
    if not figures:
        return
    yield "## What is aimed at"
    yield _AIMED.strip()
    head = ("figure", "at the most, or at least", "measured", "reached")
    yield _table(head, ((one.figure, one.aimed_at, one.measured, "yes" if one.reached else "no") for one in figures))
    if missed := [one for one in figures if not one.reached]:
        yield "What is in the way of the others:"
        yield "\n".join(f"- **{one.figure}** ({one.measured}): {one.limit}." for one in missed)


def _compared(ratios: Sequence[Ratio]) -> Iterator[str]:
    if not ratios:
        return
    yield f"## {OURS} as a share of {PEER}"
    yield "Less than 1 is cheaper, or faster."
    head = ("case", "batch", "keys", "calls", "write units", "processor time", "a batch's wall time")
    yield _table(head, map(_ratio, ratios))


def _spent(rows: Sequence[Row]) -> Iterator[str]:
    of_ten = [row for row in rows if row.batch == BATCH and row.boto3_us_per_event is not None]
    if not of_ten:
        return
    yield "## Where the processor time goes"
    yield _SPENT.strip()
    head = ("case", "keys", "system", "µs an event", "boto3", "logs", "all else")
    yield _table(head, map(_parts, of_ten))


def _parts(row: Row) -> Sequence[str]:
    whole, calls, logs = row.cpu_us_per_event or 0.0, row.boto3_us_per_event or 0.0, row.logs_us_per_event or 0.0
    parts = (f"{part:.0f} ({part / whole:.0%})" for part in (calls, logs, whole - calls - logs))
    return row.case, row.keys or "", row.system, f"{whole:.0f}", *parts


def _started(starts: Sequence[Start]) -> Iterator[str]:
    if not starts:
        return
    floor = starts[-1]
    yield "## The start of a function"
    yield f"Imports and clients in a fresh process, and what that is over {floor.system} with one client."
    head = ("system", "wall", "over it", "processor time", "over it", "most memory", "over it")
    yield _table(head, (_start(start, floor) for start in starts))


def _start(start: Start, floor: Start) -> Sequence[str]:
    return (
        start.system,
        f"{start.wall_ms:.0f} ms",
        f"{start.wall_ms - floor.wall_ms:+.0f} ms",
        f"{start.cpu_ms:.0f} ms",
        f"{start.cpu_ms - floor.cpu_ms:+.0f} ms",
        f"{start.peak_mib:.1f} MiB",
        f"{start.peak_mib - floor.peak_mib:+.1f} MiB",
    )


def _ways(ways: Sequence[Way]) -> Iterator[str]:
    if not ways:
        return
    yield "## The whole way on the local cloud"
    yield _WHOLE_WAY
    head = ("system", "orders", "messages a second", "p50", "p90", "p99", "processor time a message")
    yield _table(head, map(_way, ways))


def _way(way: Way) -> Sequence[str]:
    latencies = (f"{value / 1000:.2f} s" for value in (way.p50_ms, way.p90_ms, way.p99_ms))
    rate, used = f"{way.messages_per_second:,.0f}", f"{way.cpu_ms_per_message:.2f} ms"
    return way.system, f"{way.orders:,}", rate, *latencies, used


def _passages(passages: Sequence[Passage]) -> Iterator[str]:
    if not passages:
        return
    yield "## From the bus to a queue, beside other local clouds"
    yield "From PutEvents, by a rule, into a queue, received and deleted by one client over HTTP."
    head = (
        "system",
        "events",
        "events a second",
        "processor time an event",
        "from the start to the first answer",
        "processor time until then",
    )
    yield _table(head, map(_passage, passages))


def _passage(passage: Passage) -> Sequence[str]:
    rate, used = f"{passage.events_per_second:,.0f}", f"{passage.cpu_ms_per_event:.2f} ms"
    firsts = (f"{seconds:.2f} s" for seconds in (passage.first_answer_seconds, passage.first_answer_cpu_seconds))
    return passage.system, f"{passage.events:,}", rate, used, *firsts


def _ratio(ratio: Ratio) -> Sequence[str]:
    case = ratio.case
    shares = (ratio.calls, ratio.write_units, ratio.cpu, ratio.wall)
    return case.case, str(case.batch), case.keys, *("" if share is None else f"{share:.2f}" for share in shares)


def _row(row: Row) -> Sequence[str]:
    numbers = (row.calls_per_event, row.write_units_per_event, row.cpu_us_per_event, row.wall_ms)
    return row.case, f"{row.batch:,}", row.keys or "", row.system, *map(_number, numbers)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
