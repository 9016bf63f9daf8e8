"""Where the code of a consumer failed, as far as the record knows."""

from __future__ import annotations

from eachonce_workbench.console.known import Handling
from eachonce_workbench.operations.failure_place import FailurePlace, place_in_reason, place_in_trace
from eachonce_workbench.template.topology import Topology


def place_of(handling: Handling, topology: Topology | None) -> FailurePlace | None:
    """Return the line of the handler's own code at which it failed; None where it didn't, or nobody told."""
    functions = () if topology is None else topology.functions
    code = next((each.code for each in functions if each.logical_id == handling.consumer), None)
    place = place_in_trace(handling.trace, () if code is None else (code,)) if handling.trace else None
    return place_in_reason(handling.reason) if place is None else place
