"""The expectation: what a run must leave, as runs without faults have left it, and each way in which one doesn't."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from eachonce_workbench.simulator.bundle.alike import Leaves, likeness, pairs
from eachonce_workbench.simulator.bundle.learned import Learned, Sheet, by_kind
from eachonce_workbench.simulator.bundle.leaves import Path, leaves, said
from eachonce_workbench.simulator.left import DEAD_LETTERS, Left
from eachonce_workbench.simulator.watch import Violation

# Two things with as much in common are one that differs, and not one that is lost and another that is too many.
_ONE_THING = 0.5
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Expectation:
    """Judges what is left (a Judge of `simulation.Scenario`)."""

    learned: Learned

    def __call__(self, left: Left) -> Iterator[Violation]:
        """Yield what is lost, doubled or different."""
        for name, sheet in _comparable(self.learned.rows):
            yield from _rows(name, sheet, left.rows.get(name, {}))
        for name, told in left.rows.items():
            if name not in self.learned.rows:
                yield from (_violation("doubled", name, f"{' '.join(key)} is there, and should not be") for key in told)
        yield from _sent(self.learned.sent, left.sent)
        yield from _effects(self.learned.effects, left)


def _comparable(sheets: Mapping[str, Sheet]) -> Iterator[tuple[str, Sheet]]:
    yield from ((name, sheet) for name, sheet in sheets.items() if sheet.comparable)


def _rows(name: str, sheet: Sheet, found: Mapping[Any, Any]) -> Iterator[Violation]:
    if sheet.named_by is not None:
        yield from _unnamed(name, sheet, [leaves(item) for item in found.values()], sheet.things)
        return
    there = {" ".join(key): leaves(item) for key, item in found.items()}
    for key, wanted in zip(sheet.names, sheet.things, strict=True):
        if key not in there:
            yield _violation("lost", name, f"{key} is not there")
        else:
            yield from _row(name, key, sheet.stable(wanted), sheet.stable(there[key]))
    yield from (
        _violation("doubled", name, f"{key} is there, and should not be") for key in there if key not in sheet.names
    )


def _row(name: str, key: str, wanted: Leaves, there: Leaves) -> Iterator[Violation]:
    changed = [path for path in sorted(wanted.keys() | there.keys()) if wanted.get(path) != there.get(path)]
    if changed:
        ways = Counter(_way(wanted.get(path, ()), there.get(path, ())) for path in changed)
        way = next(iter(ways)) if len(ways) == 1 else "different"
        changes = (
            f"{said(path)} is {_shown(there.get(path))}, expected {_shown(wanted.get(path))}" for path in changed
        )
        yield _violation(way, name, f"{key}: {'; '.join(changes)}"[:_LONGEST])


def _way(wanted: Sequence[Any], there: Sequence[Any]) -> str:
    """Return what became of a value: a number that is too large by itself, or of which something is missing."""
    if len(wanted) == len(there) == 1 and _is_number(wanted[0]) and _is_number(there[0]):
        if wanted[0] * there[0] > 0 or not there[0]:
            return "doubled" if abs(there[0]) > abs(wanted[0]) else "lost"
        return "different"
    more, fewer = Counter(there) - Counter(wanted), Counter(wanted) - Counter(there)
    if more and not fewer and len(there) > 1:
        return "doubled"
    return "lost" if fewer and not more else "different"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _sent(expected: Mapping[str, Sheet], found: Mapping[str, tuple[Any, ...]]) -> Iterator[Violation]:
    """Yield what was never sent, or sent again as something else: word for word the same again is a copy."""
    for name in dict.fromkeys([*expected, *found]):
        sheet = expected.get(name, _NONE)
        if sheet.comparable:
            there = _once(sheet, map(leaves, found.get(name, ())))
            yield from _unnamed(name, sheet, there, _once(sheet, sheet.things))


def _effects(expected: Mapping[str, Sheet], left: Left) -> Iterator[Violation]:
    """Yield what others were asked too often, or never; one that knows a second try isn't asked twice by it."""
    found = by_kind(left)
    repeatable = {effect.what for effect in left.effects if effect.repeatable or effect.key is not None}
    for name in dict.fromkeys([*expected, *found]):
        sheet = expected.get(name, _NONE)
        if not sheet.comparable:
            continue
        there: list[Leaves] = [leaves(each) for each in found.get(name, ())]
        wanted: list[Leaves] = list(sheet.things)
        if name in repeatable:
            there, wanted = _once(sheet, there), _once(sheet, wanted)
        yield from _unnamed(name, sheet, there, wanted)


_NONE = Sheet(things=())


def _once(sheet: Sheet, things: Iterable[Leaves]) -> list[Leaves]:
    """Return things without those that are another's copies: only the time may differ."""
    kept: dict[Any, Leaves] = {}
    for thing in things:
        kept.setdefault(frozenset(sheet.timeless(thing).items()), thing)
    return list(kept.values())


def _unnamed(name: str, sheet: Sheet, found: Sequence[Leaves], wanted: Sequence[Leaves]) -> Iterator[Violation]:
    """Yield how things differ that nothing names."""
    there, expected = list(map(sheet.stable, found)), list(map(sheet.stable, wanted))
    for thing in list(expected):
        if thing in there:
            there.remove(thing)
            expected.remove(thing)
    # What is there as often as it should be, and once more, is not another one that differs.
    changed = pairs(expected, there, least=_ONE_THING) if len(found) == len(wanted) else []
    for mine, its in changed:
        yield from _row(name, _about(expected[mine]), expected[mine], there[its])
    for place, thing in enumerate(expected):
        if place not in {mine for mine, _ in changed}:
            yield _violation("lost", name, f"{_about(thing)} is not there")
    for place, thing in enumerate(there):
        if place not in {its for _, its in changed}:
            yield _violation("doubled", name, f"{_about(thing)} is there {_times(sheet, found, thing)}")


def _times(sheet: Sheet, found: Sequence[Leaves], thing: Leaves) -> str:
    count = sum(likeness(sheet.stable(each), thing) == 1.0 for each in found)
    return {1: "and should not be", 2: "twice"}.get(count, f"{count} times")


def _about(thing: Leaves) -> str:
    shown = (f"{said(path)}={_shown(values)}" for path, values in sorted(thing.items(), key=_by_path))
    return " ".join(shown)[:_LONGEST] or "one"


def _by_path(item: tuple[Path, Any]) -> Path:
    return item[0]


def _shown(values: Sequence[Any] | None) -> str:
    if values is None:
        return "nothing"
    return str(values[0]) if len(values) == 1 else f"[{', '.join(map(str, values))}]"


_INVARIANTS = {
    "lost": "nothing is lost: {}",
    "doubled": "nothing is doubled: {}",
    "different": "nothing ends differently: {}",
    "put aside": "nobody innocent is put aside: {}",
}


def _violation(way: str, name: str, seen: str) -> Violation:
    if way == "doubled" and name.startswith(DEAD_LETTERS):
        way = "put aside"
    return Violation(_INVARIANTS[way].format(name), seen)
