"""What is compared: each system does every work of `bench.works` for a batch of SQS messages.

A module of this room is imported in a process of its own, with the environment of `bench.tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

Function = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A system's functions for one work: what takes the batch, and what takes the journal's stream, if any."""

    consumer: Function
    relay: Function | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Where a system is, and what its environment says beside that of all."""

    module: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def build(self, work: str) -> Built:
        """Make the functions of a work; its environment is that of this process by then."""
        built: Built = import_module(self.module).build(work)
        return built


OURS, FEWEST, ALONE = "eachonce", "eachonce, fewest calls", "eachonce, one by one"
PEER, FLOOR = "powertools", "bare boto3"

SYSTEMS: Mapping[str, System] = {
    OURS: System(module="bench.systems.layer"),
    FEWEST: System(module="bench.systems.layer", environment={"GROUP_COMMIT": "calls"}),
    ALONE: System(module="bench.systems.layer", environment={"GROUP_COMMIT": "off"}),
    PEER: System(module="bench.systems.powertools"),
    FLOOR: System(module="bench.systems.floor"),
}
"""The last one is no safe way to consume events: it is what boto3 takes for the effects alone."""
