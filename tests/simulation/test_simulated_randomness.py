"""What a run draws: the same of the same seed, whatever its process has imported before."""

from __future__ import annotations

import importlib
import os
import sys
import uuid
from pathlib import Path

import pytest

from eachonce_workbench.simulator.staging import staged


def drawn(seed: int, *, importing: str | None = None) -> tuple[bytes, str, list[str]]:
    """Return what a run draws, and what a module draws that is imported meanwhile."""
    with staged(seed, hook=lambda *_, **__: None):
        first = os.urandom(8)
        theirs = [] if importing is None else [importlib.import_module(importing).DRAWN]
        return first, str(uuid.uuid4()), theirs


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that nobody has imported yet, and that draws when it is."""
    (tmp_path / "it_draws.py").write_text("import uuid\nDRAWN = str(uuid.uuid4())\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "it_draws", raising=False)
    return "it_draws"


def test_the_same_seed_draws_the_same() -> None:
    """And another one draws otherwise."""
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_what_a_module_draws_when_it_is_imported_is_nobody_elses(module: str) -> None:
    """The first run of a process imports it, and the next ones don't."""
    assert drawn(1, importing=module)[:2] == drawn(1, importing=module)[:2] == drawn(1)[:2]


def test_a_module_that_is_loaded_anew_draws_the_same(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a function's are, in each run."""
    first = drawn(1, importing=module)
    monkeypatch.delitem(sys.modules, module)

    assert drawn(1, importing=module) == first
