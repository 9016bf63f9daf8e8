"""A post office, whose counters make mistakes that show only now and then: its events."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from eachonce import Contract
from msgspec import Meta


class Posted(Contract, frozen=True, kw_only=True):
    """A parcel was handed in."""

    sender: str
    receiver: str
    town: str
    note: str
    grams: int = 1


class Lotted(Contract, frozen=True, kw_only=True):
    """A parcel went into a lot."""

    lot: Annotated[str, Meta(pattern="^LOT-[0-9]{6}$")]
    shelf: str


class Paid(Contract, frozen=True, kw_only=True):
    """Postage was paid into an account, or paid back."""

    account: str
    pence: int
    at: Annotated[datetime, Meta(tz=True)]


class Weighed(Contract, frozen=True, kw_only=True):
    """A parcel weighs so much; what is more than a ton is no parcel."""

    parcel: str
    kilos: Annotated[Decimal, Meta()]
    scale: Annotated[int, Meta(ge=1, le=900)]


class Opened(Contract, frozen=True, kw_only=True):
    """A counter was opened."""

    counter: str
    clerk: str


class Closed(Contract, frozen=True, kw_only=True):
    """A counter was closed."""

    counter: str
    clerk: str


class Cleaned(Contract, frozen=True, kw_only=True):
    """A counter was cleaned."""

    counter: str
    clerk: str


class Packed(Contract, frozen=True, kw_only=True):
    """Parcels were packed together."""

    town: str
    parcels: tuple[str, ...]


class Notice(Contract, frozen=True, kw_only=True):
    """What the post office tells others."""

    about: str
    pence: int = 0
