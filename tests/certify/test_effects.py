"""What a handler does to the world is noted, what would reach somebody is refused, and looking is no effect."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.certify.effect import EffectRefusedError, unwatched, watched


def move(folder: Path) -> None:
    (folder / "a").write_text("a")
    (folder / "a").replace(folder / "b")


def open_database(folder: Path) -> None:
    sqlite3.connect(folder / "data.db").close()


ON_DISK: dict[str, Callable[[Path], object]] = {
    "writes the file note.txt": lambda folder: (folder / "note.txt").write_text("x"),
    "writes the file log.txt": lambda folder: (folder / "log.txt").open("a").close(),
    "makes the folder new": lambda folder: (folder / "new").mkdir(),
    "removes the file gone.txt": lambda folder: (folder / "gone.txt").unlink(missing_ok=True),
    "renames the file a": move,
    "opens the database data.db": open_database,
}

BEYOND: dict[str, Callable[[], object]] = {
    "connects to 127.0.0.1": lambda: socket.socket().connect(("127.0.0.1", 9)),
    "looks up example.org": lambda: socket.create_connection(("example.org", 80)),
    "sends an HTTP request to http://example.org/x": lambda: urllib.request.urlopen("http://example.org/x"),
    "starts a program": lambda: subprocess.run([sys.executable, "-V"], check=False),
}


@pytest.mark.parametrize("what", ON_DISK)
def test_what_changes_files_is_noted(what: str, tmp_path: Path) -> None:
    """By the file's own name, which is the same on every machine."""
    noted: list[str] = []

    with watched(noted):
        ON_DISK[what](tmp_path)

    assert what in noted


@pytest.mark.parametrize("what", BEYOND)
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_would_reach_somebody_is_noted_and_refused(what: str) -> None:
    """Nobody is told of an event that never happened."""
    noted: list[str] = []

    with watched(noted), pytest.raises(EffectRefusedError):
        BEYOND[what]()

    assert noted[0] == what


def test_looking_is_no_effect(tmp_path: Path) -> None:
    """Reading a file, a folder or the environment changes nothing."""
    (tmp_path / "known.txt").write_text("x")
    noted: list[str] = []

    with watched(noted):
        assert (tmp_path / "known.txt").read_text() == "x"
        assert os.listdir(tmp_path) == ["known.txt"]  # noqa: PTH208 - as a handler may
        assert "PATH" in os.environ

    assert noted == []


def test_what_the_layer_does_meanwhile_is_not_the_handlers(tmp_path: Path) -> None:
    """Only the handler's own doing is noted, and only while it runs."""
    noted: list[str] = []

    with watched(noted), unwatched():
        (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")

    assert noted == []
