"""Deeds: what the handlers of a consumer have done at all while they were examined, and what they never did."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from eachonce.model import encode

from eachonce_workbench.certify.constants import Code
from eachonce_workbench.certify.paths import Line
from eachonce_workbench.certify.run import Run
from eachonce_workbench.certify.scout import Scout

_MOST = 3
# Of a work, by whatever name a function has it; other things, too, are read and added to.
_VERBS = frozenset({"create", "put", "publish"})


@dataclass(slots=True)
class Deeds:
    """How many runs of each type's handler went well, and what is known of those that didn't."""

    done: Counter[str] = field(default_factory=Counter)
    made_up: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _failures: dict[str, str] = field(default_factory=dict)
    _untaken: dict[str, list[Line]] = field(default_factory=dict)
    _blind: dict[str, str] = field(default_factory=dict)
    _mattering: dict[str, list[Line]] = field(default_factory=dict)

    def hear(self, name: str, runs: Iterable[Run]) -> None:
        """Note what one type's handler did in some runs."""
        for run in runs:
            if run.raised:
                self._failures.setdefault(name, run.said[0])
                continue
            self.done[name] += 1
            if run.said or run.effects:
                self._asked.add(name)

    def note(self, scout: Scout) -> None:
        """Note which lines a scout never saw taken, and which of them would have asked for something."""
        self.made_up = scout.made_up
        for name, handler in scout.handlers.items():
            lines = scout.paths.untaken(Code.of([handler.handle]).bodies)
            work = _work_of(handler.handle)
            self._untaken[name] = lines
            self._mattering[name] = [
                line for line in lines if work in line.variables or not _VERBS.isdisjoint(line.attributes)
            ]
            blind = [one for one in scout.candidates if one.kind.type == name and one.played.blind]
            if blind:
                self._blind[name] = msgspec.json.encode(blind[0].data, enc_hook=encode).decode()
            if any(one.played.said for one in scout.candidates if one.kind.type == name):
                self._asked.add(name)

    def whys(self, name: str) -> Iterator[str]:
        """Yield why a type's events can't be judged by what was seen."""
        if not self.done[name]:
            yield f"no {name} was ever done: its handler {self._failures.get(name, 'never ran')}"
        elif name not in self._asked:
            yield f"no {name} ever asked for anything"
        elif name in self.made_up:
            yield f"no {name} is done without a row that nobody here writes, such as {self.made_up[name][0]}"
        if blind := self._blind.get(name):
            yield f"{name} {blind} puts blindly what it hasn't read, and is always rejected"
        if mattering := self._mattering.get(name):
            shown = ", ".join(map(str, mattering[:_MOST]))
            yield f"no {name} ever came to {shown}"

    def untaken(self) -> tuple[str, ...]:
        """Return the lines that no event took."""
        return tuple(dict.fromkeys(str(line) for lines in self._untaken.values() for line in lines))


def _work_of(handle: Callable[..., Any]) -> str:
    """Return what a handler calls its work."""
    try:
        names = list(inspect.signature(inspect.unwrap(handle)).parameters)
    except (TypeError, ValueError):
        return "work"
    return names[1] if len(names) > 1 else "work"
