"""The shop is a user of the tool: with all of it deleted, what is left is whole."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shop.place import ROOT

SHOP = (
    "bench",
    "data",
    "docs/events",
    "events",
    "functions",
    "layers/contracts",
    "shop",
    "template.yaml",
    "tests/shop",
)
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md", "mkdocs.yml")
KEPT = (*PAGES, "docs", "eachonce_workbench", "layers", "locks", "tests", "Makefile", "pyproject.toml")


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, without the shop."""
    root = tmp_path_factory.mktemp("left")
    gone = {(ROOT / name).resolve() for name in SHOP}
    for name in KEPT:
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, root)
        else:
            shutil.copytree(ROOT / name, root / name, ignore=lambda folder, names: ignored(Path(folder), names, gone))
    project = root / "pyproject.toml"
    project.write_text(re.sub(r"\[tool\.eachonce\]\n.*\n", "", project.read_text()))
    return root


def ignored(folder: Path, names: list[str], gone: set[Path]) -> set[str]:
    return {name for name in names if name == "__pycache__" or (folder / name).resolve() in gone}


def python(left: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (left, left / "layers" / "eachonce")))}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", *arguments]
    return subprocess.run(command, cwd=left, env=environment, capture_output=True, text=True, check=False)


def test_every_other_test_can_be_imported(left: Path) -> None:
    """None of them needs what is gone."""
    ended = python(left, "--collect-only", "tests")

    assert ended.returncode == 0, ended.stdout[-3000:]
    assert int(re.findall(r"(\d+) tests collected", ended.stdout)[0]) > 4000


def test_commands_run_a_bundle_there(left: Path) -> None:
    """One that has samples and no books."""
    ended = python(left, "tests/integration/test_any_bundle.py", "-k", "samples_go_where or derived or version")

    assert ended.returncode == 0, ended.stdout[-3000:]


@pytest.mark.whole
def test_every_other_test_passes(left: Path) -> None:
    """All that is left of `make test`: `pytest -m whole` runs this, since it takes as long again."""
    ended = python(left, "-n", "2", "--dist", "worksteal", "tests")

    assert ended.returncode == 0, ended.stdout[-6000:]
