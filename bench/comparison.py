"""The comparison: every system does the same works for the same batches, in alternating runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median

from bench.measuring import Measured, Task
from bench.process import SystemProcess
from bench.quantiles import median_ratio
from bench.rows import Case, Ratio, Row
from bench.systems import OURS, PEER, SYSTEMS

Tell = Callable[[str], None]

_EVENTS = 400  # of a run, in as many batches as they make
_SLOW_ROUNDS = {1: 10, 10: 6, 100: 4}
"""Runs in which AWS takes its time, by the batch's size, in pairs; a batch of a thousand takes half a minute."""


@dataclass(slots=True)
class Runs:
    """What the runs of a system measured of one case: microseconds an event, and milliseconds a batch."""

    counted: Measured | None = None
    cpu_us: list[float] = field(default_factory=list)
    boto3_us: list[float] = field(default_factory=list)
    logs_us: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)


@contextmanager
def processes() -> Iterator[list[SystemProcess]]:
    """Start a process for each system, and end them all."""
    with ExitStack() as stack:
        yield [stack.enter_context(SystemProcess(name)) for name in SYSTEMS]


def counts(started: Sequence[SystemProcess], cases: Sequence[Case], tell: Tell) -> list[Row]:
    """Return calls and write units alone; the systems work side by side."""

    def counted(process: SystemProcess) -> list[Row]:
        rows = []
        for case in cases:
            tell(f"{process.name}: {case.case}")
            rows.append(_row(case, process.name, Runs(counted=process.measure(_task(case, batches=1)))))
        return rows

    with ThreadPoolExecutor(len(started)) as threads:
        try:
            return [row for rows in threads.map(counted, started) for row in rows]
        except BaseException:
            for process in started:  # or their threads would wait for them
                process.end()
            raise


def compare(started: Sequence[SystemProcess], case: Case, *, rounds: int, seed: int) -> tuple[list[Row], Ratio]:
    """Measure a case with every system in turn, round after round, every second round the other way about."""
    runs = {process.name: Runs() for process in started}
    for process in _alternating(started, rounds):
        _run(process, case, runs[process.name])
    for place, process in enumerate(_alternating(started, _SLOW_ROUNDS.get(case.batch, 1))):
        pair, second = divmod(place // len(started), 2)
        task = _task(case, batches=1, seed=seed + pair, mirrored=bool(second))
        runs[process.name].wall_ms.append(process.measure(task).wall_seconds[0] * 1000)
    return [_row(case, name, measured) for name, measured in runs.items()], _ratio(case, runs[OURS], runs[PEER])


def _alternating(started: Sequence[SystemProcess], rounds: int) -> Iterator[SystemProcess]:
    for number in range(rounds):
        yield from started if number % 2 == 0 else reversed(started)


def _run(process: SystemProcess, case: Case, runs: Runs) -> None:
    measured = process.measure(_task(case, batches=max(1, _EVENTS // case.batch)))
    runs.counted = measured
    runs.cpu_us.append(measured.cpu_seconds / measured.events * 1e6)
    runs.boto3_us.append(measured.boto3_seconds / measured.events * 1e6)
    runs.logs_us.append(measured.logs_seconds / measured.events * 1e6)


def _task(case: Case, *, batches: int, seed: int | None = None, mirrored: bool = False) -> Task:
    return Task(work=case.case, keys=case.keys, batch=case.batch, batches=batches, seed=seed, mirrored=mirrored)


def _row(case: Case, system: str, runs: Runs) -> Row:
    assert runs.counted is not None
    return Row(
        case=case.case,
        batch=case.batch,
        keys=case.keys,
        system=system,
        calls_per_event=round(runs.counted.calls / runs.counted.events, 4),
        write_units_per_event=round(runs.counted.write_units / runs.counted.events, 4),
        cpu_us_per_event=_median(runs.cpu_us, 1),
        wall_ms=_median(runs.wall_ms, 2),
        boto3_us_per_event=_median(runs.boto3_us, 1),
        logs_us_per_event=_median(runs.logs_us, 1),
    )


def _median(values: Sequence[float], digits: int) -> float | None:
    return round(median(values), digits) if values else None


def _ratio(case: Case, ours: Runs, theirs: Runs) -> Ratio:
    assert ours.counted is not None
    assert theirs.counted is not None
    return Ratio(
        case=case,
        calls=ours.counted.calls / theirs.counted.calls,
        write_units=ours.counted.write_units / theirs.counted.write_units,
        cpu=median_ratio(ours.cpu_us, theirs.cpu_us),
        wall=median_ratio(ours.wall_ms, theirs.wall_ms),
    )
