"""Steps: what happened in a simulation, one after the other, and what each of them left."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal[
    "input",  # something is sent into the bundle from outside
    "event",  # a bus, a topic or a schedule has something for somebody
    "message",  # a queue gives a message away, gets it back, or is rid of it
    "invoked",  # a worker is handed a batch
    "call",  # a worker's call arrives
    "ended",  # an invocation is over
    "fault",  # something goes wrong
    "broken",  # a promise is broken
]


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A row, or a queue, as it is after a step; `now` is empty where the row is gone."""

    where: str
    now: str


class Step(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One thing that happened: `at` so many virtual seconds after the beginning, by `who` (an invocation), in words."""

    at: float
    kind: Kind
    told: str
    who: str = ""
    left: list[Left] = []
