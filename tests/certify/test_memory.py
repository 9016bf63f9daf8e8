"""What a handler keeps between events can be forgotten: wherever it is, and without touching what libraries keep."""

from __future__ import annotations

import enum
import io
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import count, cycle
from pathlib import Path
from typing import Any

import pytest
from eachonce import Consumer

from eachonce_workbench.certify.memory import Memory

_seen: list[str] = []
_by_name: dict[str, list[int]] = {"a": [1]}
_line: deque[int] = deque(maxlen=2)
_numbers = count(5)
_total = 0


class Mood(enum.Enum):
    GOOD = "good"


class Desk:
    drawer: list[int] = []  # noqa: RUF012 - what is shared by mistake

    def __init__(self) -> None:
        self.letters = 0

    def handle(self) -> object:
        self.letters += 1
        self.drawer.append(self.letters)
        return self.letters, list(self.drawer)

    def __call__(self) -> object:
        return self.handle()


@dataclass(slots=True)
class Tray:
    papers: list[int] = field(default_factory=list)
    mood: Mood = Mood.GOOD

    def handle(self) -> object:
        self.papers = [*self.papers, len(self.papers)]
        return self.papers


def of_a_list() -> object:
    _seen.append("x")
    return list(_seen)


def of_a_dict_in_depth() -> object:
    _by_name["a"].append(2)
    _by_name["b"] = []
    return {name: list(values) for name, values in _by_name.items()}


def of_a_deque() -> object:
    _line.append(len(_line))
    return list(_line)


def of_a_counter() -> object:
    return next(_numbers)


def of_a_global() -> object:
    global _total
    _total += 1
    return _total


def of_a_default(kept: list[int] = []) -> object:  # noqa: B006 - what is to be found out
    kept.append(len(kept))
    return list(kept)


def of_an_attribute() -> object:
    of_an_attribute.__dict__["times"] = of_an_attribute.__dict__.get("times", 0) + 1
    return of_an_attribute.__dict__["times"]


def of_a_closure() -> Callable[[], object]:
    times = 0

    def handle() -> object:
        nonlocal times
        times += 1
        return times

    return handle


@lru_cache
def _first_of(_: str) -> int:
    return next(_numbers)


def of_a_cache() -> object:
    return _first_of("key"), next(_numbers)


_book = io.StringIO("before: ")
_database = sqlite3.connect(":memory:", check_same_thread=False)
_database.execute("CREATE TABLE seen (name TEXT)")


def of_a_file_in_memory() -> object:
    _book.seek(0, os.SEEK_END)
    _book.write("x")
    return _book.getvalue()


def of_a_database_in_memory() -> object:
    _database.execute("INSERT INTO seen VALUES ('x')")
    return _database.execute("SELECT count(*) FROM seen").fetchone()


_desk = threading.local()


def of_a_thread() -> object:
    _desk.letters = getattr(_desk, "letters", 0) + 1
    return _desk.letters


KEEPERS: dict[str, Callable[[], Any]] = {
    "list": of_a_list,
    "dict in depth": of_a_dict_in_depth,
    "deque": of_a_deque,
    "counter": of_a_counter,
    "thread": of_a_thread,
    "global": of_a_global,
    "default": of_a_default,
    "attribute": of_an_attribute,
    "closure": of_a_closure(),
    "cache": of_a_cache,
    "file in memory": of_a_file_in_memory,
    "database in memory": of_a_database_in_memory,
    "object": Desk().handle,
    "callable object": Desk(),
    "object with slots": Tray().handle,
    "partial": partial(of_a_default),
}


@pytest.mark.parametrize("where", KEEPERS)
def test_what_was_kept_is_forgotten(where: str) -> None:
    """After any number of runs, the next one is like the first one."""
    handle = KEEPERS[where]
    memory = Memory([handle])

    first = handle()
    assert handle() != first

    memory.restore()
    assert handle() == first
    memory.restore()


def test_a_file_is_read_again_from_where_it_was(tmp_path: Path) -> None:
    """One that is written is not: what is in it is somebody else's."""
    (tmp_path / "lines").write_text("one\ntwo\n")
    with (tmp_path / "lines").open() as lines, (tmp_path / "log").open("w") as log:

        def handle() -> object:
            log.write("x")
            return lines.readline(), log.tell()

        memory = Memory([handle])
        handle()
        memory.restore()

        assert handle() == ("one\n", 2)


@pytest.mark.parametrize("kept", [cycle("ab"), (letter for letter in "ab"), iter("ab"), {"in": [cycle("ab")]}])
def test_how_far_an_iterator_is_cannot_be_put_back(kept: object) -> None:
    """And is known not to be."""
    assert not Memory([lambda: kept]).whole
    assert Memory([of_a_list, of_a_counter, of_a_thread]).whole


def test_a_container_stays_the_same_object() -> None:
    """Others may hold it, too: what is in it is put back."""
    alias = _seen
    memory = Memory([of_a_list])

    of_a_list()
    memory.restore()

    assert alias is _seen
    assert alias == []


def test_what_a_library_keeps_is_left_alone() -> None:
    """A consumer in the handlers' module goes on being what it is."""
    consumer = Consumer("kept")
    registry = {"kept": consumer}

    def handle() -> object:
        return registry

    memory = Memory([handle])
    consumer.name = "renamed"
    memory.restore()

    assert registry == {"kept": consumer}
    assert consumer.name == "renamed"
