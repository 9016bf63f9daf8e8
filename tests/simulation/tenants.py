"""Bicycles of two cities: an API that says whose a trip is, and a consumer that keeps the cities apart, at a rate."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from eachonce_workbench.run.books import Input, Outcome
from eachonce_workbench.run.reconciliation import Reconciliation
from eachonce_workbench.scaffold.bundle import new_bundle

CITIES = ("leeds", "york")

# Their contracts are their own: a package of contracts is imported once in a process, and the shop's may have been.
_CONTRACT = """
class TripEnded(Contract, frozen=True, kw_only=True):
    trip: str
    minutes: int

    @property
    def subject(self) -> str:
        return self.trip
"""

_ENDPOINT = f"""
from eachonce import Contract, Endpoint, Event, Work

handler = Endpoint("end-trip", tenant=lambda request: request.headers["city"])

{_CONTRACT}

class LockClosed(TripEnded, frozen=True, kw_only=True):
    pass


@handler.on(LockClosed)
def end(event: Event[LockClosed], work: Work) -> None:
    work.publish(TripEnded(trip=event.data.trip, minutes=event.data.minutes))
"""

_CONSUMER = f"""
from eachonce import Consumer, Contract, Event, Rate, Work

handler = Consumer("count-arrivals", isolated_by="city", rate=Rate(5, by="tenant"))

{_CONTRACT}

@handler.on(TripEnded)
def count(event: Event[TripEnded], work: Work) -> None:
    work.add("Stations", {{"station": f"{{event.tenant}}#all", "day": "all"}}, arrivals=1)
    trip = {{"station": f"{{event.tenant}}#{{event.data.trip}}", "day": "trip"}}
    work.put("Stations", trip, newer_than="minutes", minutes=event.data.minutes, trace=event.trace_id)
"""


def write_bundle(folder: Path) -> Path:
    """Write the bundle, and return its template."""
    new_bundle(folder)
    (folder / "functions" / "end_trip" / "app.py").write_text(_ENDPOINT)
    (folder / "functions" / "count_arrivals" / "app.py").write_text(_CONSUMER)
    return folder / "template.yaml"


def trace_of(number: int) -> str:
    return f"{number + 1:032x}"


def _trip(number: int) -> Input:
    """Return a request: both cities call a trip, and its request's key, alike."""
    city, trip = CITIES[number % 2], number // 2
    lock = {"trip": f"{trip}", "minutes": number + 1}
    headers = {
        "city": city,
        "idempotency-key": f"{city}-{trip}",
        "traceparent": f"00-{trace_of(number)}-{number + 1:016x}-01",
    }
    request = {"version": "2.0", "routeKey": "POST /trips", "rawPath": "/trips", "headers": headers}
    context = {"http": {"method": "POST", "path": "/trips"}}
    payload = {**request, "requestContext": context, "body": json.dumps(lock)}
    return Input(name=f"{city} {trip}", kind="function", target="EndTrip", payload=json.dumps(payload).encode())


class Cities:
    """Books: so many trips, every other one of the other city."""

    def __init__(self, trips: int) -> None:
        self._trips = trips
        self.differences: list[str] = []

    def parameters(self, folder: Path) -> Mapping[str, str]:
        """Have consumers verify what functions sign."""
        return {"Signatures": "verify"}

    def inputs(self, source: Path | None, limit: int | None) -> Sequence[Input]:
        return [_trip(number) for number in range(self._trips)]

    def reconcile(self, inputs: Sequence[Input], outcome: Outcome) -> Reconciliation | None:
        self.differences = list(differences(len(inputs), list(outcome.scan("Stations"))))
        return None


def differences(trips: int, rows: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Yield what a table of stations has that these trips don't come to, or lacks."""
    there = {(str(row["station"]), str(row["day"])): row for row in rows}
    expected = Counter(CITIES[number % 2] for number in range(trips))
    for city, arrivals in expected.items():
        found = there.pop((f"{city}#all", "all"), {}).get("arrivals")
        if found != arrivals:
            yield f"{city} has {found} arrivals, expected {arrivals}"
    for number in range(trips):
        found = there.pop((f"{CITIES[number % 2]}#{number // 2}", "trip"), {}).get("trace")
        if found != trace_of(number):
            yield f"trip {number} is in the trace {found}"
    yield from (f"nobody's: {row}" for row in there)
