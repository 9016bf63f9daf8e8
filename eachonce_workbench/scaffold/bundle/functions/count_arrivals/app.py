"""CountArrivals: how many bicycles came to each station, a day, and how long they were out."""

from contracts import TripEnded
from eachonce import Consumer, Event, Work

consumer = Consumer("count-arrivals")


@consumer.on(TripEnded)
def count(event: Event[TripEnded], work: Work) -> None:
    """Add to the station's day: any order of events gives the same sum."""
    trip = event.data
    key = {"station": trip.station, "day": trip.ended_at.date().isoformat()}
    work.add("Stations", key, arrivals=1, minutes=trip.minutes)


handler = consumer
