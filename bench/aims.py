"""What is aimed at, what was measured of it, and, where it isn't reached, what the limit is: by the rows of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.cold_start import LOGS, Start
from bench.end_to_end import Way
from bench.orders import HOT
from bench.results import Results
from bench.rivals import OURS as LOCAL_CLOUD
from bench.rivals import Passage
from bench.rows import Ratio, Row
from bench.systems import FEWEST, FLOOR, OURS, PEER
from bench.works import COUNTER, ONLY_EVENTS, PROJECTION, READ_STATE_AND_EVENT, STATE_AND_EVENT

BATCH = 10
_SHARE = 1 / 8
_GROUPED_CALLS = 0.2
_WRITE_UNITS = {PROJECTION: 1.0, COUNTER: 4.0, STATE_AND_EVENT: 4.0, READ_STATE_AND_EVENT: 4.0, ONLY_EVENTS: 1.0}
_START_MS = 60
_RIVAL, _EVENTS, _TIMES = "ministack", 5_000, 2
_FLAT, _MANY = 1.1, 100

Rows = Mapping[str, Row]
"""The rows of one case, by system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One figure. `limit` says what is in the way, and is empty where it is reached."""

    figure: str
    aimed_at: str
    measured: str
    limit: str = ""

    @property
    def reached(self) -> bool:
        return not self.limit


def aims(results: Results) -> list[Aim]:
    """Return every figure that was measured."""
    return [
        *_of_batches(results),
        *_of_the_start(results.starts),
        *_of_the_whole_way(results.ways),
        *_of_the_local_cloud(results.passages, results.imports),
    ]


def _of_batches(results: Results) -> Iterator[Aim]:
    for ratio in results.ratios:
        case = ratio.case
        if case.batch != BATCH:
            continue
        rows = {
            row.system: row for row in results.rows if (row.case, row.batch, row.keys) == (case.case, BATCH, case.keys)
        }
        name = f"{case.case}, {case.keys}"
        yield from _counts(name, rows)
        yield _share(f"{name}: processor time", ratio.cpu, _processor(ratio, rows) + _fewest(rows, "cpu_us_per_event"))
        if ratio.wall is not None:
            yield _share(f"{name}: a batch's wall time", ratio.wall, _wall(rows) + _fewest(rows, "wall_ms"))


def _counts(name: str, rows: Rows) -> Iterator[Aim]:
    ours = rows[OURS]
    units = _WRITE_UNITS[ours.case]
    yield _most(
        f"{name}: write units",
        ours.write_units_per_event or 0.0,
        units,
        "an item is over a kilobyte, or a group was split",
    )
    limit = "each read is a call"
    if ours.case != READ_STATE_AND_EVENT:
        limit = "write units win: what shares a call is a transaction, which bills each item that it writes twice"
        if FEWEST in rows:
            fewest = rows[FEWEST]
            limit += f" (`{FEWEST}`: {fewest.calls_per_event:g} calls, {fewest.write_units_per_event:g} units)"
    yield _most(f"{name}: AWS calls", ours.calls_per_event, _GROUPED_CALLS, limit)


def _most(figure: str, value: float, most: float, limit: str) -> Aim:
    return Aim(figure=figure, aimed_at=f"{most:g}", measured=f"{value:g}", limit=limit if value > most else "")


def _share(figure: str, share: float, limit: str) -> Aim:
    return Aim(figure=figure, aimed_at="1/8", measured=f"{share:.3f}", limit=limit if share > _SHARE else "")


def _processor(ratio: Ratio, rows: Rows) -> str:
    """Say what is left of the share if the layer itself took nothing, and what bare boto3 takes."""
    ours, peer = rows[OURS], rows[PEER].cpu_us_per_event
    whole, calls, logs = ours.cpu_us_per_event, ours.boto3_us_per_event, ours.logs_us_per_event
    if whole is None or peer is None or calls is None or logs is None:
        return "not measured"
    own = whole - calls - logs
    parts = f"of {whole:.0f} µs boto3 takes {calls:.0f}, Powertools' logs {logs:.0f}, layer and handler {own:.0f}"
    least = ratio.cpu * (calls + logs) / whole
    without = f"without the last {least:.2f} of the peer's would be left"
    floor = rows.get(FLOOR)
    if floor is None or floor.cpu_us_per_event is None or floor.calls_per_event > ours.calls_per_event:
        return f"{parts}; {without}"
    alone = floor.cpu_us_per_event / peer
    return f"{parts}; {without}: {FLOOR} alone, with no more calls and nothing else, is at {alone:.2f}"


def _wall(rows: Rows) -> str:
    """Say how much of a batch's time is AWS's."""
    ours, peer = rows[OURS], rows[PEER].wall_ms
    if ours.wall_ms is None or ours.cpu_us_per_event is None or peer is None:
        return "not measured"
    own = ours.cpu_us_per_event * ours.batch / 1000
    aws = max(0.0, ours.wall_ms - own)
    told = (
        f"of {ours.wall_ms:.1f} ms at most {own:.1f} are processor time, the rest AWS's answers: they alone are "
        f"{aws / peer:.3f} of the peer's"
    )
    if ours.keys != HOT:
        return told
    return f"{told}, since what is about one subject is handled one after the other"


def _fewest(rows: Rows, field: str) -> str:
    """Say which share of the peer's is reached where all works share calls, if ours don't."""
    if FEWEST not in rows or rows[FEWEST].calls_per_event >= rows[OURS].calls_per_event:
        return ""
    ours, theirs = getattr(rows[FEWEST], field), getattr(rows[PEER], field)
    return "" if ours is None or theirs is None else f"; `{FEWEST}` is at {ours / theirs:.2f}"


def _of_the_start(starts: Sequence[Start]) -> Iterator[Aim]:
    by_system = {start.system: start for start in starts}
    if not {OURS, FLOOR} <= by_system.keys():
        return
    ours, floor = by_system[OURS], by_system[FLOOR]
    over = ours.wall_ms - floor.wall_ms
    limit = ""
    if over > _START_MS:
        limit = f"{floor.system} itself took {floor.wall_ms:.0f} ms here"
        if LOGS in by_system:
            limit += (
                f"; with Powertools' logger and metrics alone it is {by_system[LOGS].wall_ms - floor.wall_ms:+.0f} ms"
            )
    yield Aim(
        figure=f"the start of a function, over {floor.system} with one client",
        aimed_at=f"{_START_MS} ms",
        measured=f"{over:.0f} ms",
        limit=limit,
    )


def _of_the_whole_way(ways: Sequence[Way]) -> Iterator[Aim]:
    """Yield whether a message costs the same however many were before it."""
    by_orders = sorted((way for way in ways if way.orders >= _MANY), key=lambda way: way.orders)
    for fewer, more in pairwise(by_orders):
        first, last = fewer.cpu_ms_per_message, more.cpu_ms_per_message
        yield Aim(
            figure=f"the local cloud: processor time a message at {more.orders:,} orders, over {fewer.orders:,}'s",
            aimed_at=f"{_FLAT:g} times",
            measured=f"{last / first:.2f} times",
            limit="" if last <= _FLAT * first else f"{last:.2f} ms a message after {first:.2f}",
        )


def _of_the_local_cloud(passages: Sequence[Passage], imports: Sequence[Start]) -> Iterator[Aim]:
    of = {passage.system: passage for passage in passages if passage.events == _EVENTS}
    if not {LOCAL_CLOUD, _RIVAL} <= of.keys():
        return
    ours, theirs = of[LOCAL_CLOUD], of[_RIVAL]
    times = ours.events_per_second / theirs.events_per_second
    used = f"{ours.cpu_ms_per_event:.2f} ms of processor time an event against {theirs.cpu_ms_per_event:.2f}"
    yield Aim(
        figure=f"the local cloud: events a second at {_EVENTS:,}, over {_RIVAL}'s",
        aimed_at=f"{_TIMES} times",
        measured=f"{times:.2f} times",
        limit="" if times >= _TIMES else f"it takes {used}; {_CLIENT}",
    )
    began, other = ours.first_answer_cpu_seconds, theirs.first_answer_cpu_seconds
    parts = "".join(f"; to import {one.system} alone takes {one.cpu_ms / 1000:.2f} s" for one in imports)
    later = ours.first_answer_seconds > theirs.first_answer_seconds
    yield Aim(
        figure=f"the local cloud: from its start to its first answer, beside {_RIVAL}",
        aimed_at=f"{theirs.first_answer_seconds:.2f} s",
        measured=f"{ours.first_answer_seconds:.2f} s",
        limit=f"{began:.2f} s of processor time against {other:.2f}{parts}" if later else "",
    )


_CLIENT = "what the one client takes that sends and receives over HTTP is the same for both"
