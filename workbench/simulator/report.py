"""What simulations came to: as a document, and as a person sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from workbench.simulator.coverage import Met, missed, sites, times, together
from workbench.simulator.fault import CallFault
from workbench.simulator.simulation import Simulated

_MOST_SHOWN = 20


def document(
    seeds: Sequence[int], runs: Sequence[Simulated], others: Sequence[Simulated], *, faults: str, limit: int | None
) -> dict[str, Any]:
    """Return all runs as a JSON object; the peer's runs, `others`, may be none."""
    met = together(run.call_faults for run in runs)
    return {
        "faults": faults,
        "limit": limit,
        "runs": [_run(seed, run) for seed, run in zip(seeds, runs, strict=True)],
        "peer": [_run(seed, run) for seed, run in zip(seeds, others, strict=False)],
        "coverage": {
            site: {str(fault): count for fault in CallFault if (count := times(met, site, fault)) is not None}
            for site in sites()
        },
        "missed": missed(met),
    }


def show_run(console: Console, seed: int, run: Simulated) -> None:
    """Print what did not hold in a run, and the line that says it all."""
    for violation in run.violations[:_MOST_SHOWN]:
        console.print(f"broken: {violation}", markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"seed {seed}: {run.reconciliation}; {run.deliveries:,} deliveries, {len(run.happened):,} faults, "
        f"{len(run.violations)} promises broken; {run.virtual_seconds / 3600:.1f} hours in {run.seconds:.1f} seconds, "
        f"{run.deliveries / run.seconds:.0f} deliveries a second",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def show_coverage(console: Console, met: Met) -> None:
    """Print how often each call of the layer met each fault, and which it never met."""
    table = Table("call", title="call x fault: times", title_justify="left")
    for fault in CallFault:
        table.add_column(fault, justify="right")
    for site in sites():
        counts = (times(met, site, fault) for fault in CallFault)
        table.add_row(site, *("" if count is None else str(count) for count in counts))
    console.print(table)
    for pair in missed(met):
        console.print(f"never met: {pair}", markup=False, highlight=False, soft_wrap=True)


def show_comparison(console: Console, runs: Sequence[Simulated], others: Sequence[Simulated]) -> None:
    """Print what the same faults did to the bundle's consumers and to the peer's."""
    table = Table("under the same seeds and faults", "Eachonce", "peer")
    ours, theirs = _sums(runs), _sums(others)
    for name in ours:
        table.add_row(name, f"{ours[name]:,}", f"{theirs[name]:,}")
    console.print(table)


def _sums(runs: Sequence[Simulated]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for run in runs:
        books = run.reconciliation
        sums["rows lost"] += len(books.lost)
        sums["rows doubled"] += len(books.doubled)
        sums["rows with other values"] += len(books.different)
        sums["events never published"] += len(run.unannounced)
        sums["innocent neighbours dead-lettered"] += len(run.neighbours)
        sums["deliveries"] += run.deliveries
    return sums


def _run(seed: int, run: Simulated) -> dict[str, Any]:
    return {
        "seed": seed,
        "reconciliation": asdict(run.reconciliation),
        "violations": [str(violation) for violation in run.violations],
        "neighbours": list(run.neighbours),
        "unannounced": list(run.unannounced),
        "consumers": {name: dict(counts) for name, counts in run.consumers.items()},
        "faults": dict(Counter(name.partition(":")[0] for name in run.happened)),
        "deliveries": run.deliveries,
        "seconds": round(run.seconds, 2),
        "virtual_seconds": round(run.virtual_seconds, 1),
    }
