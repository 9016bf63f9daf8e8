"""Coverage: which call of the layer met which fault, and which did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from eachonce_workbench.cloud.faults.call_site import CALL_SITES
from eachonce_workbench.cloud.faults.fault import CallFault, faults_of

Met = Mapping[tuple[str, CallFault], int]


def together(runs: Iterable[Met]) -> Counter[tuple[str, CallFault]]:
    """Return how often each fault happened to each call in all runs."""
    total: Counter[tuple[str, CallFault]] = Counter()
    for run in runs:
        total.update(run)
    return total


def sites() -> list[str]:
    """Return every call site of the layer, as "ledger.begin UpdateItem"."""
    return [f"{place} {operation}" for place, operations in CALL_SITES.items() for operation in operations]


def times(met: Met, site: str, fault: CallFault) -> int | None:
    """Return how often a fault happened to a call; None where AWS has no such fault."""
    return met.get((site, fault), 0) if fault in faults_of(site.rpartition(" ")[2]) else None


def missed(met: Met) -> list[str]:
    """Return each call and fault that never came together, as "ledger.begin UpdateItem x throttled"."""
    return [f"{site} x {fault}" for site in sites() for fault in CallFault if times(met, site, fault) == 0]
