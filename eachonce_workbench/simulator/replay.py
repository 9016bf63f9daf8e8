"""Replays: a witness as a file, and the scenario that such a file describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec

from eachonce_workbench.simulator.shrink import Witness
from eachonce_workbench.simulator.simulation import Scenario
from shop.orders import Row


class ReplayError(ValueError):
    """The file describes no scenario, or one of other orders; the message says why."""


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a witness comes to: the invoices, in order, the faults that happen, and what is `broken` then."""

    broken: str
    seed: int
    invoices: list[str]
    faults: list[str]

    @classmethod
    def of(cls, witness: Witness) -> Self:
        """Return the replay of a witness."""
        return cls(
            broken=str(witness.violation),
            seed=witness.scenario.seed,
            invoices=list(witness.scenario.invoices),
            faults=list(witness.faults),
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file. Raises ReplayError."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError) as error:
            raise ReplayError(f"{path}: {error}") from error

    def write(self, path: Path) -> None:
        """Write a file, and the folders above it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")

    def scenario(self, invoices: Mapping[str, list[Row]], template: Path) -> Scenario:
        """Return the scenario, whose invoices are among `invoices`. Raises ReplayError."""
        missing = [number for number in self.invoices if number not in invoices]
        if missing:
            raise ReplayError(f"the orders have no invoice {', '.join(missing)}")
        return Scenario(
            invoices={number: invoices[number] for number in self.invoices},
            template=template,
            seed=self.seed,
            only=frozenset(self.faults),
        )
