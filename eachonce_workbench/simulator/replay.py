"""Replays: a witness as a file, and the scenario that such a file describes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from eachonce_workbench.run.books import Books, Input
from eachonce_workbench.simulator.shrink import Witness
from eachonce_workbench.simulator.simulation import Scenario


class ReplayError(ValueError):
    """The file describes no scenario, or one of other inputs; the message says why."""


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a witness comes to: the inputs, in order, the faults that happen, and what is `broken` then.

    They come one by one where they come `apart`; None where the bundle's books judge, and have their own way.
    """

    broken: str
    seed: int
    inputs: list[str]
    faults: list[str]
    apart: bool | None = None

    @classmethod
    def of(cls, witness: Witness) -> Self:
        """Return the replay of a witness."""
        return cls(
            broken=str(witness.violation),
            seed=witness.scenario.seed,
            inputs=[given.name for given in witness.scenario.inputs],
            faults=list(witness.faults),
            apart=None if witness.scenario.manner is None else witness.scenario.manner.apart,
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

    def scenario(self, inputs: Sequence[Input], *, books: Books, template: Path) -> Scenario:
        """Return the scenario, whose inputs are among `inputs`. Raises ReplayError."""
        return Scenario(
            inputs=self.chosen(inputs),
            books=books,
            template=template,
            seed=self.seed,
            only=frozenset(self.faults),
        )

    def chosen(self, inputs: Sequence[Input]) -> list[Input]:
        """Return those of `inputs` that it is about. Raises ReplayError where one is missing."""
        named = {given.name: given for given in inputs}
        missing = [name for name in self.inputs if name not in named]
        if missing:
            raise ReplayError(f"there is no input {', '.join(missing)}")
        return [named[name] for name in self.inputs]
