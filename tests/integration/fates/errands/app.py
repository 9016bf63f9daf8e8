"""A consumer whose events say themselves what becomes of them: they are done, they fail, or they end the process."""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from eachonce import Consumer, Contract, Event, Reject, Retry, Wait, Work

FOLDER = Path(os.environ["FOLDER"])
FIRST_PAUSE = timedelta(seconds=int(os.environ["PAUSE_SECONDS"]))

# The first draws that follow are near 1: each random pause is about as long as it may be.
random.seed(5252)


class Errand(Contract, frozen=True, kw_only=True):
    """Something to do: the first `times` that it is tried, what `does` names happens instead."""

    does: str = "nothing"
    times: int = 1_000_000
    seconds: float = 0.0
    after: str = ""


class Letter(Errand, frozen=True, kw_only=True):
    """An errand with an effect outside the commit, for a receiver who knows a letter that comes again by its key."""


class Payment(Errand, frozen=True, kw_only=True):
    """An errand with an effect outside the commit, for a receiver who would take a second one for another."""


consumer = Consumer(
    "errands",
    concurrency=int(os.environ["CONCURRENCY"]),
    ordered=os.environ["ORDERED"] == "yes",
    max_attempts=int(os.environ["MAX_ATTEMPTS"]),
    max_starts=int(os.environ["MAX_STARTS"]),
    first_pause=FIRST_PAUSE,
    longest_pause=2 * FIRST_PAUSE,
    reserve=timedelta(seconds=float(os.environ["RESERVE_SECONDS"])),
)


@consumer.on(Errand)
def run(event: Event[Errand], work: Work) -> None:
    """Note that the errand is run, and run it."""
    if _note(event, work) <= event.data.times:
        DEEDS[event.data.does](event.data, work)
    work.add("Effects", {"errand": event.id}, times=1)


@consumer.on(Letter, external=True, uncertain="again")
def write(event: Event[Letter], work: Work) -> None:
    """Note that the letter is sent: the note is what its receiver sees."""
    run(event, work)


@consumer.on(Payment, external=True, uncertain="reject")
def pay(event: Event[Payment], work: Work) -> None:
    """Note that the payment is made: the note is what its receiver sees."""
    run(event, work)


handler = consumer


def _note(event: Event[Errand], work: Work) -> int:
    """Append a line, which stays whatever becomes of the process; return how often the errand has been tried now."""
    line = {"errand": event.id, "at": time.time(), "pid": os.getpid(), "key": work.idempotency_key}
    with (FOLDER / "runs.jsonl").open("a") as runs:
        runs.write(json.dumps(line) + "\n")
    with (FOLDER / "runs.jsonl").open() as runs:
        return sum(json.loads(run)["errand"] == event.id for run in runs)


def _exit(errand: Errand, work: Work) -> None:
    os._exit(1)


def _segfault(errand: Errand, work: Work) -> None:
    ctypes.string_at(0)


def _hoard(errand: Errand, work: Work) -> None:
    hoard = [bytearray(os.urandom(1)) * (8 << 20) for _ in range(40)]
    time.sleep(len(hoard))


def _loop(errand: Errand, work: Work) -> None:
    while True:
        time.sleep(0.01)  # others need the processor, too


def _stand_still(errand: Errand, work: Work) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _sleep(errand: Errand, work: Work) -> None:
    time.sleep(errand.seconds)


def _fail(errand: Errand, work: Work) -> None:
    raise ConnectionError("nobody answers the door")


def _reject(errand: Errand, work: Work) -> None:
    raise Reject("there is no such street")


def _come_back(errand: Errand, work: Work) -> None:
    raise Retry("the shop is closed", after=timedelta(seconds=errand.seconds), counted=False)


def _wait(errand: Errand, work: Work) -> None:
    if work.read("Effects", {"errand": errand.after}) is None:
        raise Wait("the errand before it", up_to=timedelta(seconds=errand.seconds))


DEEDS: Mapping[str, Callable[[Errand, Work], None]] = {
    "nothing": lambda errand, work: None,
    "exit": _exit,
    "segfault": _segfault,
    "hoard": _hoard,
    "loop": _loop,
    "stand still": _stand_still,
    "sleep": _sleep,
    "fail": _fail,
    "reject": _reject,
    "come back": _come_back,
    "wait": _wait,
}
