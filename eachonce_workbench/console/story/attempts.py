"""What an event's consumers made of it, delivery by delivery, and where in their code it went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eachonce_workbench.console.failure import place_of
from eachonce_workbench.console.known import Handling, KnownEvent
from eachonce_workbench.operations.failure_place import FailurePlace
from eachonce_workbench.template.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A delivery, and the line of the handler's own code at which it failed; None where it didn't, or nobody told."""

    handling: Handling
    place: FailurePlace | None


def attempts_of(event: KnownEvent, topology: Topology | None) -> Iterator[Attempt]:
    """Yield an event's deliveries, oldest first."""
    for handling in event.handlings:
        yield Attempt(handling=handling, place=place_of(handling, topology))
