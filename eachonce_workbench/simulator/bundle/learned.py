"""What is learned from runs in which nothing goes wrong: what is always the same, and what time or chance makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from eachonce_workbench.simulator.bundle.alike import Leaves, pairs
from eachonce_workbench.simulator.bundle.leaves import Path, leaves, said
from eachonce_workbench.simulator.left import Left

Maker = Literal["chance", "the clock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What runs without faults have on one sheet: `things` are the first run's, `names` their keys where it has rows.

    `varies` are the paths that differed, and by what; `named_by` says what makes the keys, None where they are the
    same. One that is not `comparable` had another number of things each time, by what `named_by` says.
    """

    things: tuple[Leaves, ...]
    names: tuple[str, ...] = ()
    varies: Mapping[Path, Maker] = field(default_factory=dict)
    named_by: Maker | None = None
    comparable: bool = True

    def stable(self, thing: Leaves) -> Leaves:
        """Return of a thing what is always the same."""
        return {path: values for path, values in thing.items() if path not in self.varies}

    def timeless(self, thing: Leaves) -> Leaves:
        """Return of a thing what a second one of the same cause would have, too, unless it is drawn anew."""
        return {path: values for path, values in thing.items() if self.varies.get(path) != "the clock"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """All sheets, by their names."""

    rows: Mapping[str, Sheet]
    sent: Mapping[str, Sheet]
    effects: Mapping[str, Sheet]

    def uncompared(self) -> Iterator[str]:
        """Say, a line each, what is not compared, and why."""
        for name, sheet in sorted({**self.rows, **self.sent, **self.effects}.items()):
            if not sheet.comparable:
                yield f"{name}: without any fault, how many there are depends on {sheet.named_by}"
                continue
            if sheet.named_by is not None:
                yield f"{name}: keys are made by {sheet.named_by}; rows are counted, and compared without them"
            for maker in ("chance", "the clock"):
                paths = sorted(said(path) for path, by in sheet.varies.items() if by == maker)
                if paths:
                    yield f"{name}: {', '.join(paths)} {'is' if len(paths) == 1 else 'are'} made by {maker}"


def learn(first: Left, *, by_chance: Left, by_clock: Left) -> Learned:
    """Return what is the same in the `first` run, in one with other chances, and in one at other times."""
    return Learned(
        rows=_sheets(first.rows, {"chance": by_chance.rows, "the clock": by_clock.rows}),
        sent=_sheets(first.sent, {"chance": by_chance.sent, "the clock": by_clock.sent}),
        effects=_sheets(by_kind(first), {"chance": by_kind(by_chance), "the clock": by_kind(by_clock)}),
    )


def by_kind(left: Left) -> dict[str, tuple[Any, ...]]:
    """Return effects by what they are; a key of theirs is a part of each."""
    kinds: dict[str, list[Any]] = {}
    for effect in left.effects:
        content = {"key": effect.key, "content": effect.content} if effect.key is not None else effect.content
        kinds.setdefault(effect.what, []).append(content)
    return {name: tuple(each) for name, each in kinds.items()}


def _sheets(first: Mapping[str, Any], others: Mapping[Maker, Mapping[str, Any]]) -> dict[str, Sheet]:
    names = dict.fromkeys([*first, *(name for each in others.values() for name in each)])
    return {
        name: _sheet(first.get(name, {}), {maker: each.get(name, {}) for maker, each in others.items()})
        for name in names
    }


def _sheet(first: Any, others: Mapping[Maker, Any]) -> Sheet:
    things = _things(first)
    names = tuple(map(" ".join, first)) if isinstance(first, Mapping) else ()
    varies: dict[Path, Maker] = {}
    named_by: Maker | None = None
    for maker, other in others.items():
        if len(other) != len(first):
            return Sheet(things=things, names=names, named_by=maker, comparable=False)
        same = isinstance(first, Mapping) and first.keys() == other.keys()
        if not same and names:
            named_by = maker
        theirs = [leaves(other[key]) for key in first] if same else list(_things(other))
        matched = [(n, n) for n in range(len(things))] if same else pairs(things, theirs)
        for mine, its in matched:
            for path in things[mine].keys() | theirs[its].keys():
                if things[mine].get(path) != theirs[its].get(path):
                    varies[path] = maker
    return Sheet(things=things, names=names, varies=varies, named_by=named_by)


def _things(told: Mapping[Any, Any] | Sequence[Any]) -> tuple[Leaves, ...]:
    return tuple(map(leaves, told.values() if isinstance(told, Mapping) else told))
