"""What a handler does to the world is noted, what would reach somebody is refused, and looking is no effect."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from eachonce_workbench.certify.effect import importing, unwatched, watched
from eachonce_workbench.cloud.confinement.guard import RefusedError
from eachonce_workbench.cloud.confinement.refusals import Refusals


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
    "tried to connect to 127.0.0.1:9": lambda: socket.socket().connect(("127.0.0.1", 9)),
    "tried to look up example.org": lambda: socket.create_connection(("example.org", 80)),
    "tried to send an HTTP request to http://example.org/x": lambda: urllib.request.urlopen("http://example.org/x"),
    "tried to start a program": lambda: subprocess.run([sys.executable, "-V"], check=False),
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

    with watched(noted), pytest.raises(RefusedError):
        BEYOND[what]()

    assert noted[0] == what


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_file_that_is_not_the_codes_own_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own is the folder for temporary files, as in Lambda; links lead nowhere else."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "link").symlink_to(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "own"))
    noted: list[str] = []

    with watched(noted):
        (tmp_path / "own" / "a").write_text("a")
        for path in (tmp_path / "b", tmp_path / "own" / ".." / "b", tmp_path / "own" / "link" / "b"):
            with pytest.raises(RefusedError):
                path.write_text("b")
        with pytest.raises(RefusedError):
            (tmp_path / "own" / "a").replace(tmp_path / "b")
        with pytest.raises(RefusedError):
            (tmp_path / "b").hardlink_to(tmp_path / "own" / "a")
        shutil.rmtree(tmp_path / "own")

    assert noted[:2] == ["writes the file a", f"tried to write the file {tmp_path / 'b'}"]
    assert not (tmp_path / "b").exists()
    assert not (tmp_path / "own").exists()


def test_what_a_module_tries_while_it_is_imported_is_told_of_it() -> None:
    """Once, however often it was tried."""
    refusals = Refusals()

    with importing("app", refusals):
        for _ in range(3):
            with pytest.raises(RefusedError):
                socket.getaddrinfo("example.org", 80)

    assert refusals.lines() == ("app, while it was imported, tried to look up example.org: refused",)


@pytest.mark.parametrize("event", ["socket.gethostbyname", "socket.gethostbyaddr", "http.client.connect"])
def test_every_way_to_a_host_has_its_words(event: str) -> None:
    """Whichever library it is that calls."""
    noted: list[str] = []
    arguments = (None, "example.org", 443) if event == "http.client.connect" else ("example.org",)

    with watched(noted), pytest.raises(RefusedError):
        sys.audit(event, *arguments)

    assert noted[0] in {"tried to look up example.org", "tried to connect to example.org:443"}


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
