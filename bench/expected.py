"""What an event may cost: `expected.csv` has the calls and write units of every case, and a change of them is told.

They are the same on any machine, but for which works of a large batch are in the same full transaction. Who makes an
event dearer means to, and says so there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.rows import Row

FILE = Path(__file__).with_name("expected.csv")

_COLUMNS = ("case", "batch", "keys", "system", "calls_per_event", "write_units_per_event")

# Threads fill transactions as they come: one more for a hundred events is no change.
_GIVE = 0.02

Counts = tuple[float, float]


def read(path: Path = FILE) -> dict[tuple[str, ...], Counts]:
    """Return the calls and write units that are expected, by case, batch, keys and system."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {
            tuple(row[name] for name in _COLUMNS[:4]): (float(row[_COLUMNS[4]]), float(row[_COLUMNS[5]]))
            for row in csv.DictReader(lines)
        }


def write(rows: Sequence[Row], path: Path = FILE) -> None:
    """Expect what was counted."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(_COLUMNS)
        table.writerows([*_key(row), *_counts(row)] for row in rows)


def differences(rows: Sequence[Row], expected: dict[tuple[str, ...], Counts]) -> Iterator[str]:
    """Return a line for each case that costs other than expected, or that only one side knows."""
    found = {_key(row): _counts(row) for row in rows}
    for key in sorted(found.keys() | expected.keys()):
        named = "{}, batch of {}, {} keys, {}".format(*key)
        if key not in expected:
            yield f"{named}: not expected at all"
        elif key not in found:
            yield f"{named}: expected, and not counted"
        else:
            for what, now, before in zip(("calls", "write units"), found[key], expected[key], strict=True):
                if abs(now - before) > _GIVE * before:
                    yield f"{named}: {now:g} {what} an event, {'dearer' if now > before else 'cheaper'} than {before:g}"


def _key(row: Row) -> tuple[str, ...]:
    return row.case, str(row.batch), str(row.keys), row.system


def _counts(row: Row) -> Counts:
    return row.calls_per_event, row.write_units_per_event or 0.0
