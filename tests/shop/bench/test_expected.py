"""What an event is expected to cost, and what is said when it costs something else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench import expected, summary
from bench.plots import calls_plot
from bench.rows import Row, cases
from bench.systems import SYSTEMS

ROW = Row(case="counter", batch=10, keys="hot", system="eachonce", calls_per_event=1.0, write_units_per_event=4.0)


def test_what_is_as_expected_is_not_told(tmp_path: Path) -> None:
    """It is written and read as it was counted."""
    expected.write([ROW], tmp_path / "expected.csv")

    assert list(expected.differences([ROW], expected.read(tmp_path / "expected.csv"))) == []


def test_one_transaction_more_for_a_hundred_events_is_no_change(tmp_path: Path) -> None:
    """Which works are together in a full one is the threads' to decide."""
    expected.write([ROW], tmp_path / "expected.csv")
    found = replace(ROW, calls_per_event=ROW.calls_per_event + 0.01)

    assert list(expected.differences([found], expected.read(tmp_path / "expected.csv"))) == []


def test_a_dearer_event_is_told_and_a_cheaper_one_too(tmp_path: Path) -> None:
    """With what it was."""
    expected.write([ROW], tmp_path / "expected.csv")
    found = replace(ROW, calls_per_event=1.5, write_units_per_event=2.2)

    lines = list(expected.differences([found], expected.read(tmp_path / "expected.csv")))

    assert lines == [
        "counter, batch of 10, hot keys, eachonce: 1.5 calls an event, dearer than 1",
        "counter, batch of 10, hot keys, eachonce: 2.2 write units an event, cheaper than 4",
    ]


def test_what_only_one_side_knows_is_told(tmp_path: Path) -> None:
    """A case that nobody counts any more would hide what it costs."""
    expected.write([ROW], tmp_path / "expected.csv")
    other = replace(ROW, batch=100)

    first, second = expected.differences([other], expected.read(tmp_path / "expected.csv"))

    assert first.endswith("batch of 10, hot keys, eachonce: expected, and not counted")
    assert second.endswith("batch of 100, hot keys, eachonce: not expected at all")


def test_every_case_of_every_system_is_expected() -> None:
    """So that none can become dearer unseen."""
    known = {(case, int(batch), keys, system) for case, batch, keys, system in expected.read()}

    assert known >= {(one.case, one.batch, one.keys, system) for one in cases([1, 10, 100]) for system in SYSTEMS}


def test_the_readme_shows_what_is_expected() -> None:
    """Its table and its plot are those of expected.csv; `make bench BENCH='--short --accept'` writes all three."""
    rows = [
        Row(
            case=case,
            batch=int(batch),
            keys=keys,
            system=system,
            calls_per_event=calls,
            write_units_per_event=write_units,
        )
        for (case, batch, keys, system), (calls, write_units) in expected.read().items()
    ]

    assert summary.shown() == summary.table(rows)
    assert summary.PLOT.read_text(encoding="utf-8") == calls_plot(rows)


def test_what_is_compared_costs_what_it_is_known_for() -> None:
    """A guarded write, alone, is one call and one unit; Powertools adds two of each."""
    known = expected.read()

    for keys in ("distinct", "hot"):
        assert known["projection", "10", keys, "powertools"] == (3.0, 3.0)
        assert known["projection", "10", keys, "bare boto3"] == (1.0, 1.0)
        assert known["projection", "10", keys, "eachonce"][1] == 1.0
