"""The results of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.cold_start import Start
from bench.end_to_end import Way
from bench.machine import Machine
from bench.rivals import Passage
from bench.rows import Ratio, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that a run measured."""

    machine: Machine
    rounds: int
    seed: int
    rows: Sequence[Row]
    ratios: Sequence[Ratio]
    starts: Sequence[Start] = ()
    ways: Sequence[Way] = ()
    passages: Sequence[Passage] = ()
    imports: Sequence[Start] = ()
    absent: Sequence[str] = field(default=())
    """What was not measured, and why."""

    def as_json(self) -> dict[str, Any]:
        """Return them as they are written."""
        return {
            "machine": asdict(self.machine),
            "rounds": self.rounds,
            "seed": self.seed,
            "rows": [asdict(row) for row in self.rows],
            "ratios": [_flat(ratio) for ratio in self.ratios],
            "starts": [asdict(start) for start in self.starts],
            "end_to_end": [asdict(way) for way in self.ways],
            "imports": [asdict(start) for start in self.imports],
            "passages": [asdict(passage) for passage in self.passages],
            "absent": list(self.absent),
        }


def _flat(ratio: Ratio) -> dict[str, Any]:
    fields = asdict(ratio)
    numbers = {name: None if value is None else round(value, 4) for name, value in fields.items() if name != "case"}
    return {**fields["case"], **numbers}
