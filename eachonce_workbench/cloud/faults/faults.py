"""The faults that are on: which call meets one, how often, and how often that has been."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from eachonce_workbench.cloud.faults.fault import CallFault, faults_of


@dataclass(slots=True, kw_only=True)
class Fault:
    """A fault that calls meet while it is on.

    It is met by a function (its logical id) at some call sites: by any, and at any, where none is named. A site is a
    part of the layer and its operation, "ledger.begin UpdateItem", or a function's own "FUNCTION UpdateItem". Of these
    calls a `share` from 0 to 1 meets it, until it has happened as often as is `left`, where there is an end; and only
    those whose request has what they are `holding`. `number` is its own, `happened` how often it has been met.
    """

    kind: CallFault
    function: str = ""
    sites: frozenset[str] = frozenset()
    share: float = 1.0
    left: int | None = None
    holding: bytes = b""
    number: int = 0
    happened: int = 0

    @property
    def where(self) -> tuple[CallFault, str, frozenset[str], bytes]:
        """What it is, and where: a second one of the same takes its place."""
        return self.kind, self.function, self.sites, self.holding

    def concerns(self, function: str, site: str, operation: str, body: bytes) -> bool:
        """Whether a call may meet it."""
        return (
            self.function in ("", function)
            and (not self.sites or site in self.sites)
            and self.kind in faults_of(operation)
            and self.holding in body
        )


class Faults:
    """All faults of one local cloud, and of those that take its place; all of it is one loop's."""

    def __init__(self, *, draw: Callable[[], float] = random.random) -> None:
        """`draw` gives numbers from 0 to 1, which say whether a share of the calls has one more."""
        self._draw = draw
        self._faults: dict[int, Fault] = {}
        self._last = 0
        self.changes = 0

    @property
    def on(self) -> tuple[Fault, ...]:
        """Those that are on, in the order in which they were turned on."""
        return tuple(self._faults.values())

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._faults)

    def turn_on(self, fault: Fault) -> Fault:
        """Let calls meet a fault from now on; it has a number then."""
        for other in self.on:
            if other.where == fault.where:
                self.turn_off(other.number)
        self._last += 1
        fault.number = self._last
        self._faults[fault.number] = fault
        self.changes += 1
        return fault

    def turn_off(self, number: int) -> None:
        """Let no call meet this one any more; idempotent."""
        if self._faults.pop(number, None) is not None:
            self.changes += 1

    def turn_all_off(self) -> None:
        """Let all calls be."""
        for number in list(self._faults):
            self.turn_off(number)

    def meet(self, function: str, site: str, operation: str, body: bytes) -> CallFault | None:
        """Return what goes wrong with a call, which has happened then; the first that was turned on comes first."""
        for fault in self._faults.values():
            if fault.concerns(function, site, operation, body) and (fault.share >= 1 or self._draw() < fault.share):
                self._happened(fault)
                return fault.kind
        return None

    def _happened(self, fault: Fault) -> None:
        fault.happened += 1
        self.changes += 1
        if fault.left is not None:
            fault.left -= 1
            if fault.left <= 0:
                self.turn_off(fault.number)
