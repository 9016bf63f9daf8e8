"""The faults that a delivery can meet, each at one of its AWS calls."""

from __future__ import annotations

from dataclasses import dataclass

from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.simulator.fault import DeliveryFault

AT_A_CALL = (CallFault.KILLED_BEFORE, CallFault.KILLED_AFTER, CallFault.LOST)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and at which of the delivery's calls (0 is the first).

    A message that is overtaken waits before its call until another, `by`, was handled from beginning to end.
    """

    kind: CallFault | DeliveryFault
    call: int = 0
    by: str = ""


def faults_at_calls(calls: int) -> list[Fault]:
    """Return every crash point and every lost answer of a delivery that makes so many calls.

    A worker killed after a call and one killed before the next leave the same behind, so only the first call has both.
    """
    return [
        Fault(kind, call)
        for call in range(calls)
        for kind in AT_A_CALL
        if kind is not CallFault.KILLED_BEFORE or call == 0
    ]
