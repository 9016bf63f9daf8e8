"""`eachonce simulate`: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import re
import signal
from functools import partial
from pathlib import Path

import pytest

from eachonce_workbench.cli.simulate import simulate
from eachonce_workbench.run.bundle import Bundle
from eachonce_workbench.run.kept import kept
from eachonce_workbench.simulator.last import LastSimulation
from tests.interruptible import started
from tests.shop.place import ROOT, TEMPLATE
from tests.simulation.wrong_layers import WrongLayer
from tests.typed import said, typed

adding_too_much = WrongLayer.read()["each add is one too many"].in_place
run = partial(typed, simulate, "--template", str(TEMPLATE))


@pytest.fixture(autouse=True)
def _kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test simulates is no result of the shop's."""
    monkeypatch.setattr(Bundle, "kept", tmp_path / "kept")


def test_each_seed_has_its_line_and_the_last_one_has_the_verdict() -> None:
    """What no call has met is a number."""
    result = run("--limit", "4", "--seed", "7", "--seeds", "2")

    assert result.exit_code == 0
    assert re.findall(r"^seed (\d+): 4 orders, 0 lost, 0 doubled", result.stdout, re.MULTILINE) == ["7", "8"]
    assert re.search(r"^\d+ of \d+ pairs of call and fault never met; --cover lists them$", result.stdout, re.MULTILINE)
    assert re.fullmatch(r"every promise holds: 2 runs, \d+ deliveries, \d+ faults", result.stdout.splitlines()[-1])


def test_the_shop_holds_by_its_own_samples_too() -> None:
    """It is its own oracle then: nothing that the simulator does by itself, such as other keys, is its fault."""
    result = run("--events", str(ROOT / "events"), "--singles", "2")

    assert (result.exit_code, "broken" in result.stdout) == (0, False)
    assert result.stdout.splitlines()[-1].startswith("holds: ")


def test_a_call_that_never_met_a_fault_can_be_an_error() -> None:
    """Where nothing goes wrong, none of them has."""
    assert run("--limit", "2", "--faults", "none").exit_code == 0

    result = run("--limit", "2", "--faults", "none", "--cover")

    assert result.exit_code == 1
    assert "call x fault: times" in result.stdout
    assert re.search(r"^never met: relay._set_aside SendMessageBatch x late$", result.stdout, re.MULTILINE)
    assert max(map(len, result.stdout.splitlines())) <= 200


def test_programs_get_one_object(tmp_path: Path) -> None:
    """The same that is written."""
    result = run("--limit", "3", "--json", "--out", str(tmp_path / "out"))

    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report
    (only,) = report["runs"]
    assert (only["seed"], only["faults"], only["inputs"], only["violations"]) == (0, "heavy", 3, [])
    assert sum(only["happened"].values()) > 10
    assert report["coverage"]["work.read GetItem"].keys() == {
        "refused before",
        "throttled",
        "answer lost",
        "killed before",
        "killed after",
    }
    assert "relay._set_aside SendMessageBatch x late" in report["missed"]
    assert report["witness"] is None


def test_what_breaks_is_kept_and_the_command_shows_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the layer mended, the same command says that it is."""
    monkeypatch.chdir(tmp_path)
    with adding_too_much():
        found = run("--limit", "3", "--out", "out")
        command = re.search(r"^again: eachonce simulate (.*)$", found.stdout, re.MULTILINE)
        assert command is not None
        again = run(*command[1].split())

    assert (found.exit_code, again.exit_code) == (1, 1)
    assert command[1] == f"--template {TEMPLATE} --replay out/witness.json"
    assert "the least that breaks it" in found.stdout
    assert "0 faults on 1 input, 536365" in found.stdout
    assert "broken: the books agree with the inputs: " in again.stdout
    assert json.loads((tmp_path / "out" / "report.json").read_text())["witness"]["inputs"] == ["536365"]
    mended = run(*command[1].split(), "--json")
    assert (mended.exit_code, json.loads(mended.stdout)["faults"]) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--input", "nowhere.csv"], "--input"),
        (["--limit", "0"], "--limit"),
        (["--faults", "some"], "'none', 'light', 'heavy'"),
        (["--replay", "nowhere.json"], "--replay"),
    ],
)
def test_a_wrong_argument_names_the_right_one(arguments: list[str], told: str) -> None:
    """And nothing is run."""
    result = run(*arguments)

    assert result.exit_code == 2
    assert told in said(result)


def test_a_witness_of_other_orders_says_so(tmp_path: Path) -> None:
    """By the invoice that is missing."""
    witness = tmp_path / "witness.json"
    witness.write_text('{"broken": "", "seed": 0, "inputs": ["none"], "faults": []}')

    result = run("--replay", str(witness), "--limit", "2")

    assert result.exit_code == 2
    assert "there is no input none" in said(result)


def test_ctrl_c_ends_it_at_once() -> None:
    """As a shell expects."""
    with started("simulate", "--limit", "5", "--seeds", "50") as program:
        assert program.stdout is not None
        program.stdout.readline()  # the first seed is done, and the second under way
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=60)

    assert (program.returncode, errors) == (130, "stopped\n")


def test_a_witness_goes_to_the_bundles_own_folder(tmp_path: Path) -> None:
    """Where nobody says where."""
    with adding_too_much():
        run("--limit", "1")

    last = kept(tmp_path / "kept" / "simulation.json", LastSimulation)
    assert last is not None
    assert (tmp_path / "kept" / "witness.json").exists()
    assert (last.holds, last.inputs, last.seeds) == (False, 1, [0])
    assert last.coverage.keys() > {"committer.commit TransactWriteItems", "relay._set_aside SendMessageBatch"}
    assert last.asked == ["--template", "template.yaml"]
