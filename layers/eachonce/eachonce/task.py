"""The task: one event that a handler runs for, and what it wants, ready to be committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from eachonce.event import Event
from eachonce.handler import Handler
from eachonce.journal import Mark
from eachonce.ledger import Begun
from eachonce.plan import Plan
from eachonce.work import Address, Admit, Item, Work

Fetch = Callable[[Address], Item | None]


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One try at an event: who tries, and what the journal says of earlier ones.

    - `id`: the same for the same delivery, so that its failure counts once; None where failures aren't counted
    - `age`: how long ago the message was first received
    - `row`: the event's journal row, where it was read
    - `former`: rows from before sources counted, this event's perhaps among them; None where nobody has looked yet
    - `begun`: what `Ledger.begin_all` returned for it
    - `suspect`: whether an earlier try ended without a word
    """

    id: str | None = None
    age: timedelta = timedelta()
    row: Mapping[str, Any] = msgspec.field(default_factory=dict)
    former: Mapping[str, Item] | None = None
    begun: Begun | None = None
    suspect: bool = False

    @property
    def failures(self) -> int | None:
        """How often the handler has failed on the event before, where the journal says so."""
        return int(self.row["attempts"]) if "attempts" in self.row else None


class Task(msgspec.Struct, frozen=True):
    """One event that a handler runs for, as often as it must.

    - `event`: decoded
    - `story`: what the journal's row keeps of earlier tries
    - `key`: the same for every try, for the receiver of an effect outside the commit
    - `admit`: what refuses the keys that aren't the event's tenant's
    """

    handler: Handler
    event: Event[Any]
    mark: Mark
    attempt: Try
    begun: Begun | None
    story: Mapping[str, Any]
    key: str
    admit: Admit | None

    @property
    def fence(self) -> str | None:
        """The claim that must still be ours when it is committed."""
        return None if self.begun is None else self.begun.fence


class Prepared(msgspec.Struct, frozen=True):
    """What a handler wants for its event, and the plan by which it is committed."""

    task: Task
    work: Work
    plan: Plan
