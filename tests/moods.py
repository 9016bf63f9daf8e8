"""Handlers in all moods, and the deliveries that they meet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from eachonce import Event, Reject, Retry, Wait, Work

from tests.parcels import Weighed, weigh, weighed
from tests.records import batch, record


def fail(event: Event[Any], work: Work) -> None:
    raise ValueError("the scales are broken")


def refuse(event: Event[Any], work: Work) -> None:
    raise Reject("no parcels on Sundays")


def later(event: Event[Any], work: Work) -> None:
    raise Retry("the office is closed")


def wait(event: Event[Any], work: Work) -> None:
    raise Wait("the postman", up_to=timedelta(minutes=10))


def power_cut(event: Event[Any], work: Work) -> None:
    """End as suddenly as a process does: nothing after this line happens."""
    raise KeyboardInterrupt


def moody(event: Event[Weighed], work: Work) -> None:
    """Fail where the parcel's name asks for it."""
    {"fails": fail, "refused": refuse, "later": later}.get(event.data.parcel, weigh)(event, work)


def poisonous(event: Event[Weighed], work: Work) -> None:
    """Die where the parcel's name asks for it."""
    (power_cut if event.data.parcel == "poison" else moody)(event, work)


def delivered(times: int, event: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """Return a batch of one message that is received for the so-many-eth time."""
    body = weighed() if event is None else event
    return batch(record(body, message_id="m-1", receive_count=times, **options))


def together(*parcels: str, times: int) -> dict[str, Any]:
    """Return a batch of parcels that are received for the so-many-eth time."""
    return batch(
        *[
            record(weighed(parcel, event_id=f"e-{parcel}"), message_id=f"m-{parcel}", receive_count=times)
            for parcel in parcels
        ]
    )
