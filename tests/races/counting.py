"""Threads that count together, in ways that are right and wrong."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence

from tests.races.exploration import Play, Scene


class Counting(Play):
    """Threads that each count one."""

    def __init__(self, count: Callable[[Counting], None], threads: int) -> None:
        self.total = 0
        self.locks = [threading.Lock(), threading.Lock()]
        self._count = count
        self._threads = threads

    def threads(self) -> Sequence[Callable[[], object]]:
        return [lambda: self._count(self)] * self._threads

    def broken(self) -> Iterator[str]:
        if self.total != self._threads:
            yield f"{self.total} of {self._threads}"


def counting(count: Callable[[Counting], None], *, preemptions: int = 1, threads: int = 2) -> Scene:
    return Scene(
        name="counting",
        play=lambda: Counting(count, threads),
        watched=(sys.modules[__name__],),
        preemptions=preemptions,
    )


def hastily(counter: Counting) -> None:
    was = counter.total
    counter.total = was + 1


def with_a_lock(counter: Counting) -> None:
    with counter.locks[0]:
        hastily(counter)


def with_a_lock_too_late(counter: Counting) -> None:
    was = counter.total
    with counter.locks[0]:
        counter.total = was + 1


def in_any_order(counter: Counting) -> None:
    first, second = counter.locks if counter.total else reversed(counter.locks)
    counter.total += 1
    with first:
        _take(second)


def _take(lock: threading.Lock) -> None:
    with lock:
        pass


def for_ever(counter: Counting) -> None:
    while True:
        counter.total = 0
