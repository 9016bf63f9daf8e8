"""EndTrip: a bicycle is locked at a station, and whoever wants to know hears of it."""

from contracts import LockClosed, TripEnded
from eachonce import Endpoint, Event, Reject, Work

endpoint = Endpoint("end-trip")


@endpoint.on(LockClosed)
def end(event: Event[LockClosed], work: Work) -> None:
    """Record the trip, once, and publish its end: one commit."""
    lock = event.data
    if lock.minutes > 24 * 60:
        raise Reject("a trip ends within a day: this bicycle was stolen or lost")
    work.create("Trips", {"trip": lock.trip}, bicycle=lock.bicycle, station=lock.station, minutes=lock.minutes)
    work.publish(
        TripEnded(trip=lock.trip, bicycle=lock.bicycle, station=lock.station, ended_at=lock.at, minutes=lock.minutes)
    )
    work.result = {"trip": lock.trip}


handler = endpoint
