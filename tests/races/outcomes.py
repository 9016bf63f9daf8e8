"""What scenes have in common: deliveries, and a report that remembers what it was told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from eachonce.deadline import Deadline
from eachonce.outcome import Outcome, Verdict

from tests.parcels import weighed
from tests.records import batch, record

NAME = "post"
DONE = Outcome(verdict=Verdict.DONE)
FAILED = Outcome(verdict=Verdict.RETRY, cause=TimeoutError(), counted=True)
IN_TIME = Deadline(lambda: timedelta(seconds=30))


class Heard:
    """A report that says nothing, and remembers what it was told."""

    def __init__(self) -> None:
        self.outcomes: dict[str, list[Outcome]] = {}
        self.warned: list[str] = []

    def log(self, outcome: Outcome, event: object, *, message_id: str, **_: object) -> None:
        self.outcomes.setdefault(message_id, []).append(outcome)

    def count(self, outcomes: Iterable[Outcome]) -> None:
        list(outcomes)

    def warn(self, message: str, **_: str) -> None:
        self.warned.append(message)

    def verdicts(self) -> dict[str, list[Verdict]]:
        return {name: [one.verdict for one in outcomes] for name, outcomes in self.outcomes.items()}


def freight(*parcels: str, subjects: str | None = None, **data: Any) -> dict[str, Any]:
    """Return a batch of parcels that were weighed, each another event; a letter of `subjects` is its lane."""
    of = parcels if subjects is None else subjects
    bodies = [weighed(parcel, event_id=f"e-{n}", **data) | {"subject": of[n]} for n, parcel in enumerate(parcels)]
    return batch(*[record(body, message_id=f"m-{n}") for n, body in enumerate(bodies)])
