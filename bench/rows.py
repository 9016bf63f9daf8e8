"""The rows of the bench: one a case and system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.systems import OURS
from bench.works import WORKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is the same for all systems that are compared."""

    case: str
    batch: int
    keys: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a system takes for one event of a case; None is what isn't measured there.

    `wall_ms` is of a whole batch, where AWS takes its time. `boto3_us_per_event` and `logs_us_per_event` are the parts
    of the processor time that AWS's calls and log lines take.
    """

    case: str
    batch: int
    keys: str | None
    system: str
    calls_per_event: float
    write_units_per_event: float | None
    cpu_us_per_event: float | None = None
    wall_ms: float | None = None
    boto3_us_per_event: float | None = None
    logs_us_per_event: float | None = None


def protection(
    case: str, *, cpu_us: float | None, calls: float = 0.0, write_units: float | None = 0.0, batch: int = 1
) -> Row:
    """Return what one event costs us for what nobody else here has: security, or flow control."""
    return Row(
        case=case,
        batch=batch,
        keys=None,
        system=OURS,
        calls_per_event=round(calls, 4),
        write_units_per_event=write_units,
        cpu_us_per_event=None if cpu_us is None else round(cpu_us, 1),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """What we take of what the peer takes: medians of the ratios of alternating runs."""

    case: Case
    calls: float
    write_units: float
    cpu: float
    wall: float | None


def cases(sizes: Sequence[int]) -> Iterator[Case]:
    """Return every case of all works."""
    for work, kind in WORKS.items():
        for keys in kind.keys:
            for size in sizes:
                yield Case(case=work, batch=size, keys=keys)
