"""Outages: what is down for a time, since chaos says so, and then is up again."""

from __future__ import annotations

import asyncio

from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.fault import DeliveryFault


class Outages:
    """Outages of one kind, each between `shortest` and `longest` seconds."""

    def __init__(self, chaos: Chaos, fault: DeliveryFault, *, shortest: float, longest: float) -> None:
        self._chaos = chaos
        self._fault = fault
        self._shortest = shortest
        self._longest = longest
        self._until: dict[str, float] = {}

    def down(self, name: str) -> bool:
        """Whether something is down now; asking may be what its outage begins with."""
        now = asyncio.get_running_loop().time()
        if now >= self._until.get(name, 0.0) and self._chaos.rare(self._fault, name):
            self._until[name] = now + self._chaos.between(self._shortest, self._longest, self._chaos.last)
        return now < self._until.get(name, 0.0)
