"""A run of the mutants goes on where the last one ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import known_mutants

MODULE = "src/eachonce/plan.py"
TESTS = ["tests/unit/test_plan.py", "tests/unit/test_group.py"]
NOTICED, SURVIVED, TIMED_OUT = 1, 0, 36
# Each by a test, and one that survived since its function changed.
KILLS = [
    ("add_1", f"{TESTS[0]}::test_adds[2]"),
    ("add_2", f"{TESTS[1]}::test_adds"),
    ("add_3", f"{TESTS[0]}::test_adds"),
]
FOUND = {"add_1": NOTICED, "add_2": NOTICED, "add_3": SURVIVED, "add_4": TIMED_OUT, "add_5": None}


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Path:
    """A project with two tests of `plan`, and what a run of its mutants left."""
    root, copy = tmp_path, tmp_path / ".mutants/mutants"
    for test in TESTS:
        write(root / test, "def test_adds() -> None:\n    assert 1 + 1 == 2\n")
    known_mutants.forget(copy, root, [MODULE], TESTS)
    for test in TESTS:
        write(copy.parent / test, (root / test).read_text())
    write(copy / MODULE, "def add_1(): ...")
    write(copy / f"{MODULE}.meta", json.dumps({"exit_code_by_key": FOUND}))
    write(copy / known_mutants.KILLS, "".join(f"{mutant} {test}\n" for mutant, test in KILLS))
    return root


def test_what_was_found_is_known_while_the_tests_are_the_same(project: Path) -> None:
    """Only what wasn't tried is tried."""
    assert known_next_time(project) == FOUND


def test_a_mutant_is_tried_again_when_the_test_that_noticed_it_has_changed(project: Path) -> None:
    """It may notice it no more; what another test noticed stays noticed."""
    write(project / TESTS[0], "def test_adds() -> None:\n    assert 1 + 1\n")

    assert known_next_time(project) == FOUND | {"add_1": None, "add_3": None, "add_4": None}


def test_a_mutant_is_tried_again_when_the_test_that_noticed_it_is_gone(project: Path) -> None:
    (project / TESTS[0]).write_text("")

    assert known_next_time(project)["add_1"] is None


def test_what_no_test_is_known_to_notice_is_tried_by_a_new_one(project: Path) -> None:
    """And nothing else is: a test that was added takes nothing from those that were there."""
    with (project / TESTS[1]).open("a") as file:
        file.write("\n\ndef test_adds_others() -> None:\n    assert 2 + 2 == 4\n")

    assert known_next_time(project) == FOUND | {"add_3": None, "add_4": None}


def test_a_new_test_of_another_module_makes_nobody_try_again(project: Path) -> None:
    """Of a module that isn't asked for, what survives waits until it is."""
    write(project / TESTS[1], "def test_adds() -> None:\n    assert 1 + 1\n")

    assert known_next_time(project, module="src/eachonce/group.py") == FOUND | {"add_2": None}


@pytest.mark.parametrize(("module", "known"), [("plan", False), ("group", True)])
def test_a_module_may_be_begun_anew(project: Path, module: str, known: bool) -> None:
    """Then mutmut tries all of it; what is known of others stays."""
    found = project / f".mutants/mutants/{MODULE}.meta"

    known_mutants.forget_all(project / ".mutants/mutants", [f"src/eachonce/{module}.py"])

    assert found.exists() is known


def test_the_files_of_a_run_are_made_anew(project: Path) -> None:
    """Its mutants, too: mutmut takes them for today's if they are there."""
    known_next_time(project)

    left = {path.name for path in (project / ".mutants").rglob("*") if path.is_file()}
    assert left == {"plan.py.meta", "plan.py.tests", "kills"}


def known_next_time(root: Path, *, module: str = MODULE) -> dict[str, int | None]:
    """Return what is known of `plan` as the next run, of a module, begins."""
    copy = root / ".mutants/mutants"
    known_mutants.forget(copy, root, [module], TESTS)
    found: dict[str, int | None] = json.loads((copy / f"{MODULE}.meta").read_text())["exit_code_by_key"]
    return found


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
