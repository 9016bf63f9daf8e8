"""What handlers do to files: what lasts is told, what was there is put back, and open files are watched, too."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest
from eachonce import Consumer, Event, Work

from eachonce_workbench.certify.effect import watched
from eachonce_workbench.certify.examination import Bounds, examine
from eachonce_workbench.certify.files import Files
from eachonce_workbench.certify.open_files import OpenFiles
from eachonce_workbench.certify.subject import Subject
from eachonce_workbench.certify.witness import Cause
from tests.certify.post import Opened

Change = Callable[[Path], object]


def scratch(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        (Path(place) / "a").write_text("a")


LASTING: dict[str, tuple[Change, list[str], list[str]]] = {
    "a new file": (lambda at: (at / "new").write_text("x"), ["writes the file new"], ["writes into new: x"]),
    "more in a file": (
        lambda at: (at / "known").open("a").write(" and more"),
        ["writes the file known"],
        ["writes into known:  and more"],
    ),
    "another text": (lambda at: (at / "known").write_text("other"), ["writes the file known"], []),
    "a folder": (lambda at: (at / "folder").mkdir(), ["makes the folder folder"], []),
    "a file that goes": (lambda at: (at / "known").unlink(), ["removes the file known"], []),
    "rights": (lambda at: (at / "known").chmod(0o600), ["changes the rights of known"], []),
    "times": (lambda at: os.utime(at / "known", (1, 1)), ["changes the times of known"], []),
    "a scratch folder": (scratch, [], []),
    "a file without a name": (lambda at: tempfile.TemporaryFile(dir=at).close(), [], []),
    "nothing": (lambda at: (at / "known").open("a").close(), [], []),
}


def done(files: Files, change: Change, folder: Path) -> tuple[list[str], list[str]]:
    changes = files.begin()
    with watched([], changes.note):
        change(folder)
    return files.end(changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file in it."""
    (tmp_path / "known").write_text("known")
    (tmp_path / "known").chmod(0o644)
    return tmp_path


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("what", LASTING)
def test_what_lasts_is_told_and_put_back(what: str, folder: Path) -> None:
    """In words, and to the letter where a text was added; then everything is as it was."""
    change, effects, letters = LASTING[what]
    files = Files()

    assert done(files, change, folder) == (effects, letters)

    files.put_back({})
    assert [path.name for path in folder.iterdir()] == ["known"]
    assert (folder / "known").read_text() == "known"
    assert (folder / "known").stat().st_mode & 0o777 == 0o644


def test_files_are_what_they_were_when_they_were_kept(folder: Path) -> None:
    """A schedule goes on from where another one was."""
    files = Files()
    done(files, lambda at: (at / "new").write_text("one"), folder)
    kept = files.keep()

    done(files, lambda at: (at / "new").write_text("two"), folder)
    files.put_back(kept)

    assert (folder / "new").read_text() == "one"
    assert files.left() == {"new": "one"}


def test_a_file_that_is_open_already_is_watched(tmp_path: Path) -> None:
    """Whatever buffers what is written; one that is only read is none of them."""
    (tmp_path / "read").write_text("x")
    held = OpenFiles()
    held.look()
    with (tmp_path / "log").open("w") as log, (tmp_path / "read").open():
        assert held.look() == ["log"]

        before = held.states()
        log.write("a line")
        assert list(held.written(before)) == [("log", "a line")]

        before = held.states()
        os.write(log.fileno(), b" more")
        assert list(held.written(before)) == [("log", " more")]
        assert list(held.written(held.states())) == []
    assert held.look() == []


def test_what_another_process_adds_to_a_file_is_not_the_handlers(tmp_path: Path) -> None:
    """As to a log that both have open."""
    held = OpenFiles()
    with (tmp_path / "log").open("a"), (tmp_path / "log").open("a") as others:
        held.look()
        before = {number: state for number, state in held.states().items() if number != others.fileno()}

        others.write("a line")
        others.flush()

        assert list(held.written(before)) == []


def test_what_another_one_started_this_process_with_is_not_the_handlers(tmp_path: Path) -> None:
    """As the log of a whole build, to which others write meanwhile."""
    code = "from eachonce_workbench.certify.open_files import OpenFiles; print(OpenFiles().look())"
    with (tmp_path / "log").open("w") as log:
        told = subprocess.run(
            [sys.executable, "-c", code], pass_fds=[log.fileno()], check=True, stdout=subprocess.PIPE, text=True
        )

    assert told.stdout == "[]\n"


def written(log: IO[Any]) -> Consumer:
    consumer = Consumer("post")

    @consumer.on(Opened)
    def handle(event: Event[Opened], work: Work) -> None:
        log.write(event.data.clerk)
        work.add("Counters", {"counter": event.data.counter}, opened=1)

    return consumer


def test_who_writes_to_an_open_file_is_found_out() -> None:
    """What the file says is no part of the commit."""
    with tempfile.TemporaryFile("w+") as log:
        (pair,) = examine(Subject.of(written(log)), Bounds(events=2, crowds=2)).pairs

    assert pair.witness is not None
    assert pair.witness.cause is Cause.EFFECT
    assert pair.witness.one_value == "writes into the open file without a name"


def test_who_reads_from_an_open_file_is_certified(folder: Path) -> None:
    """From wherever the last one left it."""
    consumer = Consumer("post")
    with (folder / "known").open() as known:

        @consumer.on(Opened)
        def handle(event: Event[Opened], work: Work) -> None:
            known.seek(0)
            work.add("Counters", {"counter": event.data.counter}, letters=len(known.read()))

        assert examine(Subject.of(consumer), Bounds(events=2, crowds=2)).passes
