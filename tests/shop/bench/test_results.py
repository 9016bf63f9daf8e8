"""The results are written as rows that anybody can read, as a page, and as plots."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from bench.aims import aims
from bench.app import app
from bench.cold_start import LOGS, Start
from bench.end_to_end import Way
from bench.files import write
from bench.machine import Machine
from bench.results import Results
from bench.rivals import Passage
from bench.rows import Case, Ratio, Row, protection

FIELDS = {
    "case",
    "batch",
    "keys",
    "system",
    "calls_per_event",
    "write_units_per_event",
    "cpu_us_per_event",
    "wall_ms",
    "boto3_us_per_event",
    "logs_us_per_event",
}


def row(system: str, cpu: float, wall: float | None, *, calls: float = 1.0) -> Row:
    return Row(
        case="counter",
        batch=10,
        keys="distinct",
        system=system,
        calls_per_event=calls,
        write_units_per_event=4.0,
        cpu_us_per_event=cpu,
        wall_ms=wall,
        boto3_us_per_event=0.6 * cpu,
        logs_us_per_event=0.1 * cpu,
    )


def way(orders: int, *, cpu_ms: float) -> Way:
    return Way(
        system="eachonce serve",
        orders=orders,
        messages_per_second=200,
        p50_ms=900,
        p90_ms=1500,
        p99_ms=1800,
        cpu_ms_per_message=cpu_ms,
    )


def passage(system: str, *, rate: float, first: float) -> Passage:
    return Passage(
        system=system,
        events=5_000,
        events_per_second=rate,
        first_answer_seconds=first,
        cpu_ms_per_event=0.2,
        first_answer_cpu_seconds=first,
    )


RESULTS = Results(
    machine=Machine.here(),
    rounds=5,
    seed=0,
    rows=[
        row("eachonce", 100.0, 25.0),
        row("powertools", 1000.0, 240.0),
        protection("verifying", cpu_us=150.0),
        row("eachonce, fewest calls", 120.0, 60.0, calls=0.1),
        row("bare boto3", 240.0, 80.0),
    ],
    ratios=[
        Ratio(case=Case(case="counter", batch=10, keys="distinct"), calls=0.33, write_units=1.3, cpu=0.1, wall=0.2),
    ],
    starts=[
        Start(system="eachonce", wall_ms=300, cpu_ms=290, peak_mib=60),
        Start(system=LOGS, wall_ms=275, cpu_ms=265, peak_mib=52),
        Start(system="bare boto3", wall_ms=250, cpu_ms=240, peak_mib=50),
    ],
    imports=[Start(system="moto's tables and queues", wall_ms=400, cpu_ms=310, peak_mib=60)],
    passages=[passage("eachonce serve", rate=900, first=1.5), passage("ministack", rate=600, first=0.5)],
    ways=[way(1, cpu_ms=17.5), way(100, cpu_ms=2.0), way(1_000, cpu_ms=1.5), way(10_000, cpu_ms=1.8)],
)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with all that is written."""
    write(RESULTS, tmp_path / "new")
    return tmp_path / "new"


def test_a_row_has_the_same_fields_whatever_it_is_of(written: Path) -> None:
    """What wasn't measured is null."""
    rows = json.loads((written / "results.json").read_text())["rows"]

    assert all(set(one) == FIELDS for one in rows)
    assert rows[0] == asdict(RESULTS.rows[0])
    assert (rows[2]["keys"], rows[2]["wall_ms"]) == (None, None)


def test_the_page_says_what_is_reached(written: Path) -> None:
    """And whose machine the times are of."""
    page = (written / "results.md").read_text()

    assert "| counter, distinct: processor time | 1/8 | 0.100 | yes |" in page
    assert "| counter, distinct: a batch's wall time | 1/8 | 0.200 | no |" in page
    assert "| counter | distinct | eachonce | 100 | 60 (60%) | 10 (10%) | 30 (30%) |" in page
    assert "| eachonce | 300 ms | +50 ms | 290 ms | +50 ms | 60.0 MiB | +10.0 MiB |" in page
    assert "| eachonce serve | 100 | 200 | 0.90 s | 1.50 s | 1.80 s | 2.00 ms |" in page
    assert str(RESULTS.machine) in page


def test_a_missed_aim_names_its_limit(written: Path) -> None:
    """By what was measured in the same run."""
    missed = {aim.figure: aim.limit for aim in aims(RESULTS) if not aim.reached}
    page = (written / "results.md").read_text()

    assert missed == {
        "counter, distinct: AWS calls": "write units win: what shares a call is a transaction, which bills each item "
        "that it writes twice (`eachonce, fewest calls`: 0.1 calls, 4 units)",
        "counter, distinct: a batch's wall time": "of 25.0 ms at most 1.0 are processor time, the rest AWS's answers: "
        "they alone are 0.100 of the peer's; `eachonce, fewest calls` is at 0.25",
        "the local cloud: processor time a message at 10,000 orders, over 1,000's": "1.80 ms a message after 1.50",
        "the local cloud: events a second at 5,000, over ministack's": "it takes 0.20 ms of processor time an event "
        "against 0.20; what the one client takes that sends and receives over HTTP is the same for both",
        "the local cloud: from its start to its first answer, beside ministack": "1.50 s of processor time against "
        "0.50; to import moto's tables and queues alone takes 0.31 s",
    }
    assert all(f"- **{figure}** (" in page and f"): {limit}.\n" in page for figure, limit in missed.items())


def test_a_slower_processor_share_is_told_by_its_parts() -> None:
    """And beside bare boto3, where a work has a call of its own."""
    (ratio,) = RESULTS.ratios
    missed = [
        aim for aim in aims(replace(RESULTS, ratios=[replace(ratio, cpu=0.4)])) if aim.figure.endswith("processor time")
    ]

    (aim,) = missed
    assert aim.limit == (
        "of 100 µs boto3 takes 60, Powertools' logs 10, layer and handler 30; without the last 0.28 of the peer's "
        "would be left: bare boto3 alone, with no more calls and nothing else, is at 0.24; `eachonce, fewest calls` is "
        "at 0.12"
    )


def test_a_late_start_is_told_beside_what_others_take() -> None:
    """Powertools' logger is not the layer's."""
    late, *others = RESULTS.starts
    missed = [
        aim for aim in aims(replace(RESULTS, starts=[replace(late, wall_ms=330), *others])) if "60 ms" in aim.aimed_at
    ]

    assert [(aim.measured, aim.limit) for aim in missed] == [
        ("80 ms", "bare boto3 itself took 250 ms here; with Powertools' logger and metrics alone it is +25 ms")
    ]


def test_the_plots_are_documents(written: Path) -> None:
    """One of processor time, one of wall time, and one by the size of batches."""
    plots = sorted(written.glob("*.svg"))

    assert [plot.name for plot in plots] == ["batches.svg", "cpu.svg", "wall.svg"]
    for plot in plots:
        assert ET.parse(plot).getroot().tag.endswith("svg")


@pytest.mark.parametrize("arguments", [["--accept"], ["--rounds", "0"], ["--batch", "0"], ["--long"]])
def test_a_wrong_argument_ends_with_2(arguments: list[str]) -> None:
    """Before anything is measured."""
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_ctrl_c_ends_it_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """And 130, as a shell has it."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.app.counts", interrupted)
    monkeypatch.setattr("bench.app.processes", lambda: nullcontext([]))

    ended = CliRunner().invoke(app, ["--short"])

    assert (ended.exit_code, ended.output) == (130, "stopped\n")
