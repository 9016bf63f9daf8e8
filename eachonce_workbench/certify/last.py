"""The last certificate of a bundle, as it is kept."""

from __future__ import annotations

from datetime import datetime

import msgspec

NAME = "certificate.json"
"""The file's name in the bundle's folder of results."""


class LastStep(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery of a way, and all that is there after it, by where it is."""

    told: str
    there: dict[str, str] = {}


class LastWitness(msgspec.Struct, frozen=True, kw_only=True):
    """Two ways to deliver the same events, and what differs afterwards."""

    cause: str
    events: list[str]
    one: str
    other: str
    where: str
    one_value: str
    other_value: str
    one_steps: list[LastStep] = []
    other_steps: list[LastStep] = []


class LastPair(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on two types of events; `why` says what keeps it from being one."""

    types: tuple[str, str]
    verdict: str
    why: str | None = None
    witness: LastWitness | None = None


class LastExamined(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about one consumer or endpoint; `explored` says how much was tried, a line each."""

    consumer: str
    passes: bool
    summary: str
    pairs: list[LastPair]
    explored: list[str] = []
    refused: list[str] = []

    @property
    def witnesses(self) -> list[LastPair]:
        """The pairs with a witness, each witness once."""
        found: dict[tuple[str, ...], LastPair] = {}
        for pair in self.pairs:
            if pair.witness is not None:
                seen = pair.witness
                found.setdefault((seen.cause, *seen.events, seen.one, seen.other, seen.where), pair)
        return list(found.values())

    @property
    def unsaid(self) -> list[str]:
        """Why nothing can be said of some types, each reason once."""
        return list(dict.fromkeys(pair.why for pair in self.pairs if pair.why is not None))


class LastCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """What one command examined: when it ended, which arguments it had, and its bounds, in words."""

    at: datetime
    asked: list[str]
    bounds: str
    passes: bool
    consumers: list[LastExamined]
    refused: list[str] = []
