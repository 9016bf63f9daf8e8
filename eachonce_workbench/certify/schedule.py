"""Schedules: which message is delivered when, and what goes wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass

from eachonce.outcome import Verdict

from eachonce_workbench.certify.ending import Ending
from eachonce_workbench.certify.fault import Fault
from eachonce_workbench.certify.footprint import Footprint
from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.simulator.fault import DeliveryFault


@dataclass(frozen=True, slots=True)
class Step:
    """One delivery: of which event (by id), and the fault that it meets, if any.

    A fault of the kind SENT_AGAIN makes it the delivery of a copy, after the event itself.
    """

    event: str
    fault: Fault | None = None

    @property
    def events(self) -> frozenset[str]:
        """The events that the step handles: two where one overtakes the other."""
        by = self.fault.by if self.fault is not None else ""
        return frozenset({self.event, by} if by else {self.event})


@dataclass(frozen=True, slots=True)
class Taken:
    """A step as it went: its calls to AWS, the rows that it touched, and its verdict (None: its worker was killed)."""

    step: Step
    calls: tuple[str, ...]
    footprint: Footprint
    verdict: Verdict | None
    deferred: bool = False

    def commutes_with(self, other: Taken) -> bool:
        """Whether the two may change places: no event and no row in common of which one is written.

        What is deferred comes again in the order in which it was, so two deferrals have that in common.
        """
        apart = not self.step.events & other.step.events and not (self.deferred and other.deferred)
        return apart and not self.footprint.shared_with(other.footprint)

    def __str__(self) -> str:
        fault = self.step.fault
        if fault is None:
            return f"{self.step.event}{self._outcome()}"
        if fault.kind is DeliveryFault.SENT_AGAIN:
            return f"a copy of {self.step.event}{self._outcome()}"
        call = f"its call {fault.call + 1}, {self.calls[fault.call]}"
        match fault.kind:
            case CallFault.KILLED_BEFORE:
                return f"{self.step.event}, whose worker is killed before {call}"
            case CallFault.KILLED_AFTER:
                return f"{self.step.event}, whose worker is killed after {call}"
            case CallFault.LOST:
                return f"{self.step.event}, which never hears the answer to {call}"
        return f"{self.step.event}, with {fault.by} handled just before {call}"

    def _outcome(self) -> str:
        return {Verdict.REJECT: " (rejected)", Verdict.WAIT: " (waits)", Verdict.RETRY: " (fails)"}.get(
            self.verdict or Verdict.DONE, ""
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """The steps, in order, and what they left behind."""

    steps: tuple[Taken, ...]
    ending: Ending

    @property
    def faults(self) -> int:
        """How many faults there are in it."""
        return sum(taken.step.fault is not None for taken in self.steps)

    def __str__(self) -> str:
        return "; ".join(map(str, self.steps))
