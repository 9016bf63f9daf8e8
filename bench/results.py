"""The results of a run, and the files that they are written to: results.json, results.md and the plots."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
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
            "passages": [asdict(passage) for passage in self.passages],
            "absent": list(self.absent),
        }

    def write(self, folder: Path) -> list[Path]:
        """Write all files; return their paths."""
        from bench.plots import plots
        from bench.report import report

        folder.mkdir(parents=True, exist_ok=True)
        texts = {
            "results.json": json.dumps(self.as_json(), indent=1) + "\n",
            "results.md": report(self),
            **plots(self),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        return [folder / name for name in texts]


def _flat(ratio: Ratio) -> dict[str, Any]:
    fields = asdict(ratio)
    numbers = {name: None if value is None else round(value, 4) for name, value in fields.items() if name != "case"}
    return {**fields["case"], **numbers}
