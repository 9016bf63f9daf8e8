"""Trips on bicycles that anybody may take at one station and leave at another."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from eachonce import Contract

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class LockClosed(Contract, frozen=True, kw_only=True):
    """What a station's lock reports: it holds a bicycle again."""

    trip: Text
    bicycle: Text
    station: Text
    at: Time
    minutes: Minutes

    @property
    def subject(self) -> str:
        """The trip."""
        return self.trip


class TripEnded(Contract, frozen=True, kw_only=True):
    """A bicycle came back to a station, after so many minutes."""

    trip: Text
    bicycle: Text
    station: Text
    ended_at: Time
    minutes: Minutes

    @property
    def subject(self) -> str:
        """The trip."""
        return self.trip
