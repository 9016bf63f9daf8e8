"""The results are written as rows that anybody can read, as a page, and as plots."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from bench.app import app
from bench.cold_start import Start
from bench.end_to_end import Way
from bench.files import write
from bench.machine import Machine
from bench.results import Results
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
}


def row(system: str, cpu: float, wall: float | None) -> Row:
    return Row(
        case="counter",
        batch=10,
        keys="distinct",
        system=system,
        calls_per_event=1.0,
        write_units_per_event=4.0,
        cpu_us_per_event=cpu,
        wall_ms=wall,
    )


RESULTS = Results(
    machine=Machine.here(),
    rounds=5,
    seed=0,
    rows=[
        row("eachonce", 100.0, 25.0),
        row("powertools", 1000.0, 240.0),
        protection("verifying", cpu_us=150.0),
        row("eachonce, fewest calls", 120.0, 60.0),
    ],
    ratios=[
        Ratio(case=Case(case="counter", batch=10, keys="distinct"), calls=0.33, write_units=1.3, cpu=0.1, wall=0.2),
    ],
    starts=[
        Start(system="eachonce", wall_ms=300, cpu_ms=290, peak_mib=60),
        Start(system="bare boto3", wall_ms=250, cpu_ms=240, peak_mib=50),
    ],
    ways=[
        Way(
            system="eachonce serve",
            orders=100,
            messages_per_second=200,
            p50_ms=900,
            p90_ms=1500,
            p99_ms=1800,
            cpu_ms_per_message=2,
        )
    ],
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


def test_the_page_says_where_an_aim_is_missed(written: Path) -> None:
    """And whose machine the times are of."""
    page = (written / "results.md").read_text()

    assert "| counter | distinct | 0.10: reached | 0.20: not reached |" in page
    assert "| eachonce | 300 ms | +50 ms | 290 ms | +50 ms | 60.0 MiB | +10.0 MiB |" in page
    assert "| eachonce serve | 100 | 200 | 0.90 s | 1.50 s | 1.80 s | 2.00 ms |" in page
    assert str(RESULTS.machine) in page


def test_the_page_says_what_fewer_calls_reach(written: Path) -> None:
    """Beside what is reached where write units win."""
    page = (written / "results.md").read_text()

    assert "The same shares of `eachonce, fewest calls`" in page
    assert "| counter | distinct | 0.12: reached | 0.25: not reached |" in page


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
