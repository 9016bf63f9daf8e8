"""What the README shows of the bench, from what is counted alone: it is the same on any machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import ROOT
from bench.orders import DISTINCT
from bench.plots import calls_plot
from bench.rows import Row
from bench.systems import OURS, PEER
from bench.works import WORKS

README = ROOT / "README.md"
PLOT = Path(__file__).with_name("calls.svg")

_BATCH = 10
_PLACE = re.compile(r"(?<=<!-- counted by make bench -->\n).*?(?=<!-- end of it -->)", re.DOTALL)
_KEYS = {DISTINCT: "another key each", "hot": "one key"}


def write(rows: Sequence[Row]) -> None:
    """Write the README's table anew, and its plot."""
    readme = README.read_text(encoding="utf-8")
    README.write_text(_PLACE.sub(lambda _: table(rows), readme), encoding="utf-8")
    PLOT.write_text(calls_plot(rows), encoding="utf-8")


def shown() -> str:
    """Return the table as the README has it."""
    found = _PLACE.search(README.read_text(encoding="utf-8"))
    return "" if found is None else found[0]


def table(rows: Sequence[Row]) -> str:
    """Return calls and write units of an event in a batch of ten, ours beside the peer's."""
    lines = [
        "| an event in a batch of ten | keys | AWS calls | Powertools' | write units | Powertools' |",
        "|---" * 6 + "|",
    ]
    return "\n".join([*lines, *_lines(rows)]) + "\n"


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    found = {(row.case, row.keys, row.system): row for row in rows if row.batch == _BATCH}
    for work, kind in WORKS.items():
        for keys in kind.keys:
            ours, theirs = found[work, keys, OURS], found[work, keys, PEER]
            numbers = (
                ours.calls_per_event,
                theirs.calls_per_event,
                ours.write_units_per_event,
                theirs.write_units_per_event,
            )
            yield f"| {work} | {_KEYS[keys]} | {' | '.join(f'{number:g}' for number in numbers)} |"
