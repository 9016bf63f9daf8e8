"""What is known of an event: who published it, where it went, and what each consumer made of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from eachonce_workbench.console.text import readable

MOST_STEPS = 200
"""What is kept of one event that goes round and round; what comes after that is only counted."""

ACKNOWLEDGED = "acknowledged"
"""What became of a message that its function, which has no layer to tell more, did not report as failed."""

MOST_OF_A_LINE = 256
MOST_OF_AN_ADDRESS = 2_000

FINAL = frozenset({"done", "duplicate", "stale", "ignored", "reject", ACKNOWLEDGED, "dead-lettered"})
"""Outcomes after which a message has left its queue."""

WAITING = "waiting"
"""What an event is at a consumer that it is on its way to, and that has not said anything yet."""


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to an event: when (seconds since 1970), what, where, and what else is to be said."""

    at: float
    kind: str
    who: str
    told: str = ""


class Handling(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One delivery of an event to a consumer's function, and what became of it.

    `outcome` is the layer's word, or "acknowledged" and "returned" where the function has no layer that tells. `began`
    and `ended` are seconds since 1970, of the invocation and of the outcome. `trace` is the handler's traceback.
    """

    consumer: str
    request_id: str | None
    began: float
    ended: float
    outcome: str
    reason: str = ""
    error: str = ""
    attempts: int = 0
    trace: str = ""
    told_by_layer: bool = True


class KnownEvent(msgspec.Struct, kw_only=True):
    """An event by its identity, whatever copies of it there are.

    `number` counts the events in the order in which they were first heard of. `body` is the bus's event as JSON, empty
    where only a consumer told of it, and `copies` is how often it was published.
    """

    number: int
    at: float
    event_id: str
    source: str
    type: str
    subject: str = ""
    tenant: str = ""
    cause_id: str = ""
    trace_id: str = ""
    bus: str = ""
    body: bytes = b""
    copies: int = 0
    lost: bool = False
    rules: list[str] = []
    steps: list[Step] = []
    left_out: int = 0
    handlings: list[Handling] = []
    outcomes: dict[str, str] = {}

    @property
    def under_way(self) -> bool:
        """Whether a consumer has it that has not said its last word."""
        return any(outcome not in FINAL for outcome in self.outcomes.values())

    def add(self, step: Step) -> None:
        """Keep a step, as long as there are few."""
        if len(self.steps) < MOST_STEPS:
            self.steps.append(step)
        else:
            self.left_out += 1

    def headline(self) -> dict[str, Any]:
        """Return what a list of events shows: no text that is longer than a line of it."""
        return {
            "number": self.number,
            "at": self.at,
            "id": readable(self.event_id, MOST_OF_A_LINE),
            "story": self.address,
            "type": readable(self.type, MOST_OF_A_LINE),
            "subject": readable(self.subject, MOST_OF_A_LINE),
            "copies": self.copies,
            "lost": self.lost,
            "outcomes": self.outcomes,
            "batches": {each.consumer: each.request_id for each in self.handlings if each.request_id},
        }

    @property
    def address(self) -> str:
        """The parameters by which its story is asked for: its identity, or its number where that is too long."""
        if len(self.source) + len(self.event_id) > MOST_OF_AN_ADDRESS:
            return urlencode({"number": self.number})
        return urlencode({"source": self.source, "id": self.event_id}, errors="replace")
