"""The files that the results of a run are written to: results.json, results.md and the plots."""

from __future__ import annotations

import json
from pathlib import Path

from bench.plots import plots
from bench.report import report
from bench.results import Results


def write(results: Results, folder: Path) -> list[Path]:
    """Write all files; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "results.json": json.dumps(results.as_json(), indent=1) + "\n",
        "results.md": report(results),
        **plots(results),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
