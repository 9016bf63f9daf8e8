"""A small post office, to say the layer's rules with: its events, and what they do."""

from __future__ import annotations

from typing import Any

from eachonce import Contract, Event, Work

from tests.records import cloud_event


class Registered(Contract, frozen=True, kw_only=True):
    """A parcel was handed in: it comes into being."""

    parcel: str
    sender: str = "Ada"


class Seen(Contract, frozen=True, kw_only=True):
    """A parcel was seen somewhere: the newest place counts."""

    parcel: str
    at: int
    place: str = "Leeds"


class Weighed(Contract, frozen=True, kw_only=True):
    """Freight was weighed: it adds up."""

    parcel: str
    grams: int = 100

    @property
    def subject(self) -> str:
        return self.parcel


class Arrived(Contract, frozen=True, kw_only=True):
    """What the post office says when it has weighed something."""

    parcel: str


TABLES = {"Journal": ("pk",), "Parcels": ("parcel",), "Places": ("parcel",), "Weights": ("parcel",)}


def register(event: Event[Registered], work: Work) -> None:
    work.create("Parcels", {"parcel": event.data.parcel}, sender=event.data.sender)


def see(event: Event[Seen], work: Work) -> None:
    seen = event.data
    work.put("Places", {"parcel": seen.parcel}, newer_than="at", at=seen.at, place=seen.place)


def weigh(event: Event[Weighed], work: Work) -> None:
    work.add("Weights", {"parcel": event.data.parcel}, grams=event.data.grams)


def announce(event: Event[Weighed], work: Work) -> None:
    work.publish(Arrived(parcel=event.data.parcel))


def weigh_and_announce(event: Event[Weighed], work: Work) -> None:
    weigh(event, work)
    announce(event, work)


def heaviest(event: Event[Weighed], work: Work) -> None:
    """Read, compare, write: the result depends on what was read."""
    key = {"parcel": event.data.parcel}
    known = work.read("Weights", key)
    if known is None or known["grams"] < event.data.grams:
        work.put("Weights", key, grams=event.data.grams)


def registered(parcel: str = "p", *, event_id: str = "e-1", **data: Any) -> dict[str, Any]:
    return cloud_event("Registered", {"parcel": parcel, **data}, event_id=event_id)


def seen(parcel: str = "p", *, event_id: str = "e-1", **data: Any) -> dict[str, Any]:
    return cloud_event("Seen", {"parcel": parcel, "at": 1, **data}, event_id=event_id)


def weighed(parcel: str = "p", *, event_id: str = "e-1", **data: Any) -> dict[str, Any]:
    return cloud_event("Weighed", {"parcel": parcel, **data}, event_id=event_id)
