"""The last simulation of a bundle, as it is kept: what it came to, and what is needed to play its witness again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from eachonce_workbench.cloud.faults.fault import CallFault, faults_of

NAME = "simulation.json"
"""The file's name in the bundle's folder of results."""

WITNESS_NAME = "witness.json"
"""The file of the last witness, beside it, which `eachonce simulate --replay` runs again."""


class LastWitness(msgspec.Struct, frozen=True, kw_only=True):
    """The least that breaks a promise: the promise, the inputs by their names, and the faults, in order."""

    broken: str
    inputs: list[str]
    faults: list[str]


class LastSimulation(msgspec.Struct, frozen=True, kw_only=True):
    """What all runs of one command came to.

    `at` is when it ended, and `asked` the arguments that tell which inputs of which bundle it ran. `summary` is its
    last line, `holds` whether it ended well. `coverage` says of each call how often it met each fault that AWS has for
    it, and `said` what else it had to say, a line each: what is denied, refused or can't be judged.
    """

    at: datetime
    asked: list[str]
    summary: str
    holds: bool
    seeds: list[int]
    inputs: int
    deliveries: int
    faults: int
    coverage: dict[str, dict[str, int]]
    broken: list[str] = []
    said: list[str] = []
    witness: LastWitness | None = None

    @property
    def unmet(self) -> int:
        """How many pairs of call and fault never met."""
        return sum(count == 0 for counts in self.coverage.values() for count in counts.values())


def coverage(
    sites: Iterable[str], calls: Mapping[str, int], met: Mapping[tuple[str, CallFault], int]
) -> dict[str, dict[str, int]]:
    """Return how often each call met each fault: those of the layer's `sites`, if it made any, and all others made.

    >>> coverage(["a GetItem"], {"Do PutEvents": 1}, {("Do PutEvents", CallFault.LATE): 2})["Do PutEvents"]["late"]
    2
    """
    own = list(sites)
    shown = [*(own if any(calls.get(site) for site in own) else ()), *sorted(set(calls) - set(own))]
    return {site: {fault: met.get((site, fault), 0) for fault in faults_of(site.rpartition(" ")[2])} for site in shown}
