"""What can be seen of a scenario when all is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One time that the handler was begun: for which errand, when (seconds since the epoch), where, with which key."""

    errand: str
    at: float
    pid: int
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message in the dead-letter queue: its event, and what is noted on it."""

    event: dict[str, Any]
    notes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What there is when all is over; mappings are by the event's id.

    - `effects`: how often each event has taken effect
    - `journal`: the rows, each the whole story of its event
    - `runs`: every time that the handler was begun, in order
    - `dead_letters`: what lies in the dead-letter queue
    - `invocations`: how each invocation ended, in order
    - `deaths`: what Lambda calls each end without a word, in order
    - `left`: how many messages the queue held at each of these ends
    - `requests`: how often the store was asked to do what
    - `pauses`: for how many seconds a returned message was hidden, in order
    - `outcomes`: what the function's log says of each event, in order
    """

    effects: Mapping[str, int]
    journal: Mapping[str, dict[str, Any]]
    runs: Sequence[Run]
    dead_letters: Mapping[str, DeadLetter]
    invocations: Sequence[str]
    deaths: Sequence[str]
    left: Sequence[int]
    requests: Mapping[str, int]
    pauses: Sequence[int]
    outcomes: Mapping[str, Sequence[str]]

    @property
    def times_run(self) -> Mapping[str, int]:
        """How often the handler was begun for each errand."""
        return Counter(run.errand for run in self.runs)

    @property
    def run_again_when_done(self) -> list[Run]:
        """The runs that began after the errand was done."""
        done = {name: row["done_at"] for name, row in self.journal.items() if "done_at" in row}
        return [run for run in self.runs if run.errand in done and run.at > _seconds(done[run.errand])]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
