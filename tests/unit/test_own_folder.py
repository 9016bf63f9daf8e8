"""A run's own folder: by the same name each time where it can be, and nobody else's."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from eachonce_workbench.run.folder import own_folder


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_the_next_run_has_the_folder_of_the_last_one_and_finds_it_empty() -> None:
    """So that what was made for its name is good for the next one, too."""
    with own_folder() as first:
        (first / "mail").mkdir()
    with own_folder() as second:
        assert list(second.iterdir()) == []

    assert first == second
    assert not second.exists()


def test_runs_at_once_have_folders_of_their_own() -> None:
    """And so has one beside a folder that somebody has left there."""
    with own_folder() as first, own_folder() as second:
        assert first != second
        assert {path.stat().st_mode & 0o777 for path in (first, second)} == {0o700}


def test_where_all_names_are_taken_it_has_another(tmp_path: Path) -> None:
    """Nobody waits for those that were killed."""
    for number in range(100):
        (tmp_path / f"eachonce-{number}").write_text("")

    with own_folder() as folder:
        assert list(folder.iterdir()) == []
