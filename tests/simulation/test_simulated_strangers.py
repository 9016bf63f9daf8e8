"""A simulation finds what bundles lose or double that know nothing of it, and accuses none that doesn't."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from eachonce_workbench.cli.simulate import simulate
from eachonce_workbench.run.kept import kept
from eachonce_workbench.simulator.last import LastSimulation
from tests.simulation import strangers
from tests.simulation.strangers import stranger
from tests.typed import said, typed


@pytest.mark.parametrize(
    ("code", "broken", "by"),
    [
        (strangers.COUNTS, "nothing is doubled: Totals", "killed after: Do UpdateItem Totals id=a #1"),
        (strangers.MARKS_FIRST, "nothing is lost: Totals", "killed after: Do PutItem Totals id=seen_e1 #1"),
        (strangers.NAMES_BY_CHANCE, "nothing is doubled: Totals", "killed after: Do PutItem"),
        (strangers.LAST_TO_COME_WINS, "nothing ends differently: Totals", "late: Do PutItem Totals id=a last=e1 #1"),
        (strangers.SENDS_MAIL, "nothing is doubled: ses SendEmail", "answer lost: Do SendEmail ses #1"),
        (strangers.PAYS, "nothing is doubled: POST pay.example.com/payments", "killed before: Do PutItem Totals"),
    ],
    ids=["counts", "marks first", "names by chance", "last to come wins", "sends mail", "pays"],
)
def test_what_is_lost_or_doubled_is_found_by_one_fault(code: str, broken: str, by: str, tmp_path: Path) -> None:
    """With the call after which it happens."""
    template = stranger(tmp_path, code)

    result = typed(simulate, "--template", str(template), "--faults", "light", "--singles", "14", "--json")

    report = json.loads(result.stdout)
    assert (result.exit_code, report["verdict"]) == (1, "broken")
    found = [each for each in report["broken"] if each["promise"] == broken]
    assert any(len(each["faults"]) == 1 and each["faults"][0].startswith(by) for each in found), report["broken"]


@pytest.mark.parametrize(
    "code", [strangers.PUTS, strangers.TELLS, strangers.PAYS_BY_KEY], ids=["puts", "tells", "pays by key"]
)
def test_who_does_the_same_again_is_acquitted(code: str, tmp_path: Path) -> None:
    """What is made by the clock and by chance isn't compared, and that is said."""
    result = typed(simulate, "--template", str(stranger(tmp_path, code)), "--singles", "14")

    assert result.exit_code == 0, result.stdout
    assert result.stdout.splitlines()[-1].startswith("holds: ")
    if code is strangers.PUTS:
        assert "not compared: Totals: try is made by chance" in result.stdout
        assert "not compared: Totals: at is made by the clock" in result.stdout


def test_a_witness_shows_it_again_and_says_which_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the command that is printed; and the same command reports the same, to the letter.

    A program is told step by step what happens, and what the rows are then. The bundle keeps what came of the last one.
    """
    stranger(tmp_path, strangers.COUNTS)
    monkeypatch.chdir(tmp_path)
    first = typed(simulate, "--singles", "8", "--out", "one")
    second = typed(simulate, "--singles", "8", "--out", "two")
    command = re.search(r"^again: eachonce simulate (.*)$", first.stdout, re.MULTILINE)
    assert command is not None

    again = typed(simulate, *command[1].split(), "--json")

    replay = json.loads(again.stdout)
    assert (first.exit_code, second.exit_code, again.exit_code) == (1, 1, 1)
    assert (tmp_path / "one" / "report.json").read_bytes() == (tmp_path / "two" / "report.json").read_bytes()
    assert len(replay["faults"]) == 1
    assert replay["broken"][0].startswith("nothing is doubled: Totals: id=a: n is ")
    told = [step["told"] for step in replay["steps"]]
    assert replay["steps"][0]["kind"] == "input"
    assert [step["at"] for step in replay["steps"]] == sorted(step["at"] for step in replay["steps"])
    assert told.index(replay["faults"][0]) < told.index(replay["broken"][0])
    wrong = replay["broken"][0].split("n is ")[1].partition(",")[0]
    left = [each for step in replay["steps"] for each in step.get("left", ())]
    totals = [each["now"] for each in left if each["where"] == "Totals id=a"]
    assert (totals[-1], replay["left_out"]) == (f"id: a\nn: {wrong}", 0)
    last = kept(tmp_path / ".run" / "simulation.json", LastSimulation)
    assert last is not None
    assert last.witness is not None
    assert (last.holds, last.witness.faults) == (False, replay["faults"])
    assert last.coverage["Do UpdateItem"]["answer lost"] > 0
    assert (tmp_path / ".run" / "witness.json").exists()


def test_what_fails_by_itself_is_judged_by_nobody(tmp_path: Path) -> None:
    """That is no pass."""
    result = typed(simulate, "--template", str(stranger(tmp_path, strangers.FAILS)))

    assert result.exit_code == 1
    assert "inconclusive: no input comes to anything, with nothing gone wrong: nothing was judged" in result.stdout


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    """With the line that imports it."""
    template = stranger(tmp_path, "import botany\n" + strangers.PUTS)

    result = typed(simulate, "--template", str(template))

    assert result.exit_code == 1
    assert "No module named 'botany'" in result.stdout


def test_a_single_sample_can_be_named(tmp_path: Path) -> None:
    """Of the only function; what can't be read is a wrong argument."""
    template = stranger(tmp_path, strangers.PUTS)
    sample = tmp_path / "elsewhere.json"
    sample.write_text((tmp_path / "events" / "do" / "batch.json").read_text())

    named = typed(simulate, "--template", str(template), "--events", str(sample), "--faults", "none", "--json")
    (tmp_path / "broken.json").write_text("{")
    broken = typed(simulate, "--template", str(template), "--events", str(tmp_path / "broken.json"))

    assert json.loads(named.stdout)["inputs"] == ["elsewhere.json#1", "elsewhere.json#2"]
    assert (named.exit_code, broken.exit_code) == (0, 2)
    assert "broken.json" in said(broken)
