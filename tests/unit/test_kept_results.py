"""What commands keep of their last results: whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from eachonce_workbench.cli.command import arguments, keep_last
from eachonce_workbench.run.kept import KeptError, keep, kept


class Result(msgspec.Struct):
    text: str


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    """Half a character included, and nothing lies beside it."""
    path = tmp_path / "deep" / "result.json"
    assert kept(path, Result) is None

    keep(path, {"text": "old"})
    keep(path, {"text": "\ud800<"})

    assert kept(path, Result) == Result(text="\ud800<")
    assert list(path.parent.iterdir()) == [path]


def test_what_is_no_result_says_so(tmp_path: Path) -> None:
    """With its path, and why."""
    path = tmp_path / "result.json"
    path.write_text('{"text": 1}')

    with pytest.raises(KeptError, match="Expected `str`"):
        kept(path, Result)
    with pytest.raises(KeptError, match="Is a directory"):
        kept(tmp_path, Result)


def test_what_cannot_be_kept_stops_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told on the side."""
    (tmp_path / "file").write_text("")

    keep_last(tmp_path / "file" / "result.json", Result(text="a"))

    assert capsys.readouterr().err.startswith(f"not kept for the console: {tmp_path}/file/result.json: ")


def test_arguments_are_named_from_the_bundles_folder(tmp_path: Path) -> None:
    """Where they lie in it; those that weren't given are left out."""
    given = {"--events": tmp_path / "a" / ".." / "events", "--input": Path("/else"), "--books": None, "--seed": 0}

    assert arguments(given, tmp_path) == ["--events", "events", "--input", "/else", "--seed", "0"]
