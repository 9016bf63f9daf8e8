"""Examples: the events and requests that samples show, a bundle's own or made-up ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

from eachonce import Contract, Event
from eachonce.handler import Handler

from eachonce_workbench.certify.crowd import crowds


@runtime_checkable
class Examples(Protocol):
    """Books (`run.books.Books`) that know examples better than those that can be made up."""

    def events(self) -> Sequence[Event[Any]]:
        """Return events of different types."""
        ...

    def requests(self) -> Sequence[Contract]:
        """Return the data of requests of different types."""
        ...


class Shown:
    """What is shown of each contract: the bundle's example where it has one, else what its types allow."""

    def __init__(self, examples: Examples | None) -> None:
        events = [] if examples is None else examples.events()
        requests = [] if examples is None else examples.requests()
        self.events = {event.type: event for event in events}
        self.requests = {type(request).__name__: request for request in requests}

    def event(self, handler: Handler) -> Event[Any]:
        """Return an event of a handler's. Raises NoSampleError where none can be made up."""
        name = handler.description.type
        if name not in self.events:
            self.events[name] = _drawn(handler)
        return self.events[name]

    def request(self, contract: type[Contract]) -> Contract:
        """Return the data of a request. Raises NoSampleError where none can be made up."""
        if contract.__name__ not in self.requests:
            self.requests[contract.__name__] = _drawn(contract).data
        return self.requests[contract.__name__]

    def contracts(self) -> Iterable[type[Contract]]:
        """Return the contracts of all that was shown."""
        return dict.fromkeys([*map(type, self.requests.values()), *(type(each.data) for each in self.events.values())])


def _drawn(told: type[Contract] | Handler) -> Event[Any]:
    """Return an event that is the same each time."""
    ((event, *_), *_) = crowds([told], size=1, count=1, chosen_by=0)
    return event
