"""A dead letter on its way: what is noted beside an event that is given up, and what of it isn't true."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eachonce_workbench.simulator.invocation import Copy, id_in
from eachonce_workbench.simulator.poison import BREAKS, FAILS, KILLS, REUSED, subject_in

SIMULATED = "SimulatedError"
"""What the failures that the simulator makes up are called."""

# The layer's own words, of which each says what the letter claims.
_DIED = re.compile(r"without a word (\d+) times")
_OTHER_CONTENT = "different content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message for a dead-letter queue: the event's id, its body, and the notes."""

    event_id: str
    body: str
    notes: Mapping[str, str]

    @property
    def reason(self) -> str:
        """Why the event was given up."""
        return self.notes.get("reason", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a letter may say: what the simulator has seen of its event, at the consumer that gives it up.

    `most_attempts` is how often the consumer lets an event fail, and `deaths` how many starts may have ended without a
    word; None for what nobody knows.
    """

    consumer: str | None
    copies: Sequence[Copy]
    failures: int
    most_attempts: int | None
    deaths: int


def letters_of(entries: Sequence[Mapping[str, Any]]) -> Iterator[Letter]:
    """Yield those of the entries of a SendMessageBatch that hold an event."""
    for entry in entries:
        event_id = id_in(entry["MessageBody"])
        if event_id is not None:
            notes = {name: said.get("StringValue", "") for name, said in entry.get("MessageAttributes", {}).items()}
            yield Letter(event_id=event_id, body=entry["MessageBody"], notes=notes)


def untruths(letter: Letter, truth: Truth) -> Iterator[str]:
    """Yield what a letter says that isn't true, and what it ought to say and doesn't."""
    yield from _of_the_message(letter, truth)
    if not letter.reason:
        yield "it has no reason"
        return
    died, attempts = _DIED.search(letter.reason), int(letter.notes.get("attempts", 0))
    if attempts > truth.failures:
        yield f"it has {attempts} attempts of {truth.failures} failures"
    if letter.notes.get("error") == SIMULATED:
        yield from _of_failures(letter.reason, attempts, truth.most_attempts)
    if died is not None and int(died[1]) > truth.deaths:
        yield f"its reason has {died[1]} deaths of {truth.deaths}"
    if not _says_what_was_done(letter, died=died is not None):
        yield f"that is not why: {letter.reason} ({letter.notes.get('error', 'no error')})"


def _of_the_message(letter: Letter, truth: Truth) -> Iterator[str]:
    copies = [copy for copy in truth.copies if copy.body == letter.body]
    if not copies:
        yield "its body is none that came"
    seen = letter.notes.get("first_seen")
    times = {copy.first_received_ms for copy in copies}
    if copies and (seen is None or round(datetime.fromisoformat(seen).timestamp() * 1000) not in times):
        yield f"it was first seen at {seen}"
    if letter.notes.get("event_id") != letter.event_id:
        yield f"its event is called {letter.notes.get('event_id')}"
    if truth.consumer is not None and letter.notes.get("consumer") != truth.consumer:
        yield f"its consumer is called {letter.notes.get('consumer')}"


def _of_failures(reason: str, attempts: int, most: int | None) -> Iterator[str]:
    if most is not None and attempts < most:
        yield f"it is given up after {attempts} failures of {most}"
    if f"{attempts} times" not in reason:
        yield f"its reason doesn't say that it failed {attempts} times: {reason}"


def _says_what_was_done(letter: Letter, *, died: bool) -> bool:
    """Whether the reason is that for which the simulator has made the event poison; workers may die of any event."""
    kind, error = letter.event_id.rpartition("-")[0], letter.notes.get("error")
    if (subject_in(letter.body) or "").startswith(REUSED):
        return _OTHER_CONTENT in letter.reason
    match kind:
        case _ if kind == KILLS:
            return died and error is None
        case _ if kind == FAILS:
            return died or error == SIMULATED
        case _ if kind == BREAKS:
            return died or (error is not None and error != SIMULATED)
    return True
