"""Reconciliation: a found state beside the one that was expected, row by row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, Any]
State = Mapping[str, "Sheet"]
"""A state that can be compared: sheets by name."""

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Rows, and the columns (of text) that tell them apart; what `uncompared` columns hold need not be equal."""

    key: tuple[str, ...]
    rows: list[Row]
    uncompared: frozenset[str] = frozenset()

    def by_key(self) -> dict[_Key, Row]:
        """Return the rows by what tells them apart."""
        return {self._key_of(row): row for row in self.rows}

    def counts(self) -> Counter[_Key]:
        """Return how often each row is there."""
        return Counter(map(self._key_of, self.rows))

    def _key_of(self, row: Row) -> _Key:
        return tuple(row[column] for column in self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """How a found state differs from the expected one: a sentence for each row that does.

    `counts` say how much was looked at, the most telling number first; `found` is the state itself.
    """

    counts: Mapping[str, int]
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    found: State = field(default_factory=dict, compare=False, repr=False)

    @property
    def agrees(self) -> bool:
        """Whether the states are equal."""
        return not (self.lost or self.doubled or self.different)

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON shows of it."""
        differing = {"lost": self.lost, "doubled": self.doubled, "different": self.different}
        return dict(self.counts) | {name: list(rows) for name, rows in differing.items()}

    def write(self, directory: Path) -> None:
        """Write each sheet that was found as <name>.jsonl, a JSON object a line, in the order of its keys."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, sheet in self.found.items():
            rows = sorted(sheet.rows, key=lambda row: tuple(row[column] for column in sheet.key))
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (directory / f"{name}.jsonl").write_text(text, encoding="utf-8")

    def __str__(self) -> str:
        first, *others = [f"{count} {name}" for name, count in self.counts.items()]
        differing = (
            f"{len(rows)} {name}"
            for name, rows in (("lost", self.lost), ("doubled", self.doubled), ("different", self.different))
        )
        return ", ".join((first, *differing, *others))


def reconcile(expected: State, found: State, *, counted: Iterable[str]) -> Reconciliation:
    """Compare every row: one that is missing is lost, one too many is doubled, one with other values is different.

    `counted` are the sheets whose found rows are counted.
    """
    lost: list[str] = []
    doubled: list[str] = []
    different: list[str] = []
    for name, sheet in expected.items():
        wanted, there = sheet.by_key(), found[name].by_key()
        lost += [f"{name} {_said(key)}" for key in wanted.keys() - there.keys()]
        counts = found[name].counts()
        doubled += [f"{name} {_said(key)}" for key, count in counts.items() if count > 1 or key not in wanted]
        different += [
            f"{name} {_said(key)}: {'; '.join(changes)}"
            for key in wanted.keys() & there.keys()
            if (changes := list(_changes(wanted[key], there[key], sheet.uncompared)))
        ]
    return Reconciliation(
        counts={name: len(found[name].rows) for name in counted},
        lost=tuple(sorted(lost)),
        doubled=tuple(sorted(doubled)),
        different=tuple(sorted(different)),
        found=found,
    )


def _changes(wanted: Row, there: Row, uncompared: frozenset[str]) -> Iterator[str]:
    for column in sorted((wanted.keys() | there.keys()) - uncompared):
        if wanted.get(column) != there.get(column):
            yield f"{column} is {there.get(column)}, expected {wanted.get(column)}"


def _said(key: _Key) -> str:
    return " ".join(key)
