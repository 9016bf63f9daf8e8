"""The scout: looks for events that are worth a trial on the stage, among many more than could be tried there.

It plays handlers events that differ in one choice, learns which choices decide on rows and on ways through the code,
and plays those that meet in a row in other orders.
"""

from __future__ import annotations

import copy
import random
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from itertools import combinations, islice, permutations, product
from typing import Any

import msgspec
from eachonce import Event
from eachonce.handler import Handler
from eachonce.model import encode
from eachonce.work import Address

from eachonce_workbench.certify.crowd import Crowd, Kind, renamed
from eachonce_workbench.certify.identity import distinct, identity_of
from eachonce_workbench.certify.palette import Choices, NothingFitsError, Palette
from eachonce_workbench.certify.paths import Paths
from eachonce_workbench.certify.rehearsal import Played, Rehearsal, differing, meet
from eachonce_workbench.simulator.clock import START

_ONE_OFF = 140
_ONE_OFF_MORE = 500
_TWO_OFF = 200
_TURNS = 7
_OTHERWISE = 80
_AROUND = 60
_PAIRS = 700
_GROUPS = 160
_FOLLOWERS = 120
_ORDERS = 4
_MOST_WAYS = 6
_FIRST = 8

_MADE_UP = (Decimal(1), Decimal(1000), "a")
_MOST_MADE_UP = 24

_IDS = ("e1", "e2", "e3", "e4", "e5", "e6")
_ALIKE = tuple(f"event-00000000-0000-0000-{end}" for end in ("1a", "1A", "2a", "11a", "1", "3a"))
# Whose times have a month, a year or a day between them, and are two of one.
_EDGES = tuple(timedelta(days=days, seconds=seconds) for days, seconds in ((0, 0), (31, 0), (-1, 0), (0, 0), (365, 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """Data that a handler was played, the choices that they are made of, and what became of them.

    They are `new` when they took a way through the code that none before them had.
    """

    kind: Kind
    data: Any
    played: Played
    places: Sequence[int]
    new: bool


@dataclass(slots=True)
class Scout:
    """Looks among events of some handlers' types; `chosen_by` is the seed of what is chosen by chance.

    `ways` are crowds that take ways through the code which no event before them took, and `made_up` are the rows that a
    type's handler needs and none of them writes.
    """

    handlers: Mapping[str, Handler]
    rehearsal: Rehearsal
    palette: Palette
    paths: Paths
    chosen_by: int = 0
    tenants: Sequence[str] = ()
    effort: float = 1.0
    candidates: list[Candidate] = field(default_factory=list)
    ways: list[Crowd] = field(default_factory=list)
    made_up: dict[str, tuple[str, ...]] = field(default_factory=dict)
    words: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.chosen_by)  # noqa: S311 - the same every time is what it is for

    def look(self) -> None:
        """Play events of each type alone, and then some that meet one after another; note whose ways are new."""
        for handler in self.handlers.values():
            known = len(self.ways)
            with suppress(NothingFitsError):
                _Drawing(self, Kind.of(handler)).look()
            del self.ways[known + _MOST_WAYS :]
        self._make_up()
        self._follow()

    def leave_out(self, types: Container[str]) -> None:
        """Let no events of these types be among what is looked for from now on."""
        self.candidates = [one for one in self.candidates if one.kind.type not in types]

    def suspects(self, settled: Container[frozenset[str]] = ()) -> Iterator[Crowd]:
        """Yield crowds of which two orders end differently when they are rehearsed, the smallest first.

        What is `settled` of some types by then is not looked for; nor are two orders of what only adds.
        """
        for number, group in enumerate(self._groups()):
            if all(one.played.adds for one in group) or frozenset(one.kind.type for one in group) in settled:
                continue
            events = self.crowd(group, style=number)
            if self._differs(events):
                plain = self.crowd(group)
                yield self._fewest(plain if self._differs(plain) else events)

    def crowd(self, group: Sequence[Candidate], *, style: int = 0) -> Crowd:
        """Return events around the data of some candidates; every other style has ids or times of another kind."""
        ids = _ALIKE if style % 4 == 1 else _IDS
        events = []
        for place, (kind, data) in enumerate(_distinct(group)):
            tenant = self.tenants[place % (1 + style % len(self.tenants))] if self.tenants else None
            event = kind.event(place, data, tie=style % 4 == 2, tenant=tenant)
            time = START + _EDGES[place % len(_EDGES)] if style % 4 == 3 else event.time
            events.append(renamed(event, ids[place], time))
        return tuple(events)

    def alone(self, kind: Kind, data: Any) -> Played:
        """Play data alone, and note the ways that it takes."""
        event = kind.event(0, data, tenant=self.tenants[0] if self.tenants else None)
        with self.paths.watched():
            played = self.rehearsal.alone(event)
        self.words[kind.type].setdefault(played.word)
        return played

    def note(self, kind: Kind, data: Any, places: Sequence[int]) -> Played:
        """Play data alone, and keep them."""
        before = len(self.paths.taken)
        played = self.alone(kind, data)
        one = Candidate(kind, data, played, places, len(self.paths.taken) > before)
        self.candidates.append(one)
        if one.new:
            self.ways.append(self.crowd([one, one]))
        return played

    def _make_up(self) -> None:
        """Make up rows that handlers look for and none of them writes, until one that did nothing does something.

        What attributes they have only the code knows, which names them: as large numbers, small ones, or texts.
        """
        written = {address.table for one in self.candidates for address in one.played.writes}
        for name in self.handlers:
            own = [one for one in self.candidates if one.kind.type == name]
            wanted = sorted({row for one in own for row in one.played.missing if row.table not in written}, key=str)
            del wanted[_MOST_MADE_UP:]
            if not wanted or any(one.played.said for one in own):
                continue
            before = self.rehearsal.seeds
            for value in _MADE_UP:
                made = {row: dict.fromkeys(self.palette.constants.names, value) | dict(row.key) for row in wanted}
                self.rehearsal.seeds = {**before, **made}
                again = [replace(one, played=self.alone(one.kind, one.data)) for one in own]
                if any(one.played.said for one in again):
                    self.candidates = [one for one in self.candidates if one.kind.type != name] + again
                    self.made_up[name] = tuple(map(str, wanted))
                    self.ways.append(self.crowd([again[0], *[one for one in again if one.played.said][:2]]))
                    break
                self.rehearsal.seeds = before

    def _follow(self) -> None:
        """Play some that meet one after another: what a handler does with a row that is there already."""
        known = len(self.ways)
        for pair in islice(self._pairs(), int(_FOLLOWERS * self.effort)):
            before, rows, events = len(self.paths.taken), copy.deepcopy(self.rehearsal.seeds), self.crowd(pair)
            with self.paths.watched():
                played = [self.rehearsal.play(event, rows) for event in (*events, *self.crowd([*pair, *pair])[2:])]
            for event, one in zip(events, played, strict=False):
                self.words[event.type].setdefault(one.word)
            if len(self.paths.taken) > before and len(self.ways) < known + _MOST_WAYS:
                self.ways.append(events)

    def _groups(self) -> Iterator[Sequence[Candidate]]:
        """Yield pairs of candidates that meet in a row, and then larger groups."""
        yield from islice(self._pairs(), int(_PAIRS * self.effort))
        rows = [row for row in self._meeting().values() if len(row) > 1]
        several = int(_GROUPS * self.effort) if rows else 0
        for number in range(several):
            row = self.chance.choice(rows)
            yield [self.chance.choice(row) for _ in range(3 + number * 3 // several)]

    def _pairs(self) -> Iterator[Sequence[Candidate]]:
        """Yield pairs that meet in a row, a few of where most meet, and then by turns of all rows."""
        rows = sorted(self._meeting().values(), key=len, reverse=True)
        waiting = [self._pairs_in(row) for row in rows]
        seen: set[tuple[int, int]] = set()
        several = _FIRST
        while waiting:
            for pairs in list(waiting):
                found = list(islice(pairs, several))
                if not found:
                    waiting.remove(pairs)
                for pair in found:
                    name = (id(pair[0]), id(pair[1]))
                    if name not in seen:
                        seen.add(name)
                        yield pair
                several = max(1, several - 1)

    def _pairs_in(self, row: Sequence[Candidate]) -> Iterator[tuple[Candidate, Candidate]]:
        shuffled = list(row)
        self.chance.shuffle(shuffled)
        plainest = row[0]
        first = {one.kind.type: one for one in reversed(row)}
        yield from permutations(first.values(), 2)
        yield from ((one, one) for one in first.values())
        for one in shuffled:
            if one is not plainest:
                yield plainest, one
        for distance in range(1, len(shuffled)):
            for place in range(len(shuffled) - distance):
                yield shuffled[place], shuffled[place + distance]

    def _meeting(self) -> Mapping[Address, list[Candidate]]:
        """Return the rows that several candidates touch, and at least one writes."""
        touching: dict[Address, list[Candidate]] = defaultdict(list)
        written = {address for one in self.candidates for address in one.played.writes}
        for one in self.candidates:
            for address in sorted(one.played.touched, key=str):
                touching[address].append(one)
        return {address: some for address, some in touching.items() if address in written or not written}

    def _differs(self, events: Crowd) -> bool:
        """Whether some orders of these end differently."""
        return meet(map(self.rehearsal.alone, events)) and differing(self.rehearsal, self._orders(events))

    def _orders(self, events: Sequence[Event[Any]]) -> Iterator[Sequence[Event[Any]]]:
        """Yield both orders of two, and a few of more: any may tell, and the next group is another chance."""
        yield events
        yield events[::-1]
        for _ in range(_ORDERS if len(events) > 2 else 0):
            yield self.chance.sample(events, len(events))

    def _fewest(self, events: Crowd) -> Crowd:
        """Leave out what isn't needed for two orders to differ."""
        for size in range(1, len(events)):
            for few in combinations(events, size):
                if differing(self.rehearsal, permutations(few)):
                    return few
        return events


@dataclass(slots=True)
class _Drawing:
    """Draws data of one kind, each by its choices; `keys` are those choices which decide on rows."""

    scout: Scout
    kind: Kind
    sizes: list[int] = field(default_factory=list)
    keys: set[int] = field(default_factory=set)
    _seen: set[bytes] = field(default_factory=set)

    def look(self) -> None:
        """Play data that differ from the plainest in one choice, in all but those of keys, and in any.

        Then such as differ in one choice from those that took a new way.
        """
        known = len(self.scout.candidates)
        self._one_off((), int(_ONE_OFF * self.scout.effort))
        if not any(one.played.said for one in self.scout.candidates[known:]):  # what it takes must be rare
            self._one_off((), int(_ONE_OFF_MORE * self.scout.effort))
        self._two_off(int(_TWO_OFF * self.scout.effort))
        for turn in range(1, 5):
            self._play([0 if place in self.keys else turn for place in range(len(self.sizes))])
        chance = self.scout.chance
        for _ in range(int(_OTHERWISE * self.scout.effort)):
            self._play([chance.randrange(4) if chance.random() < 0.7 else chance.randrange(48) for _ in range(40)])
        for one in islice(self._new_ones(known), 1, 1 + _MOST_WAYS):
            self._one_off(one.places, int(_AROUND * self.scout.effort))

    def _new_ones(self, known: int) -> Iterator[Candidate]:
        """Yield those that took a new way, also those that are found meanwhile: one condition may hide another."""
        place = known
        while place < len(self.scout.candidates):
            if self.scout.candidates[place].new:
                yield self.scout.candidates[place]
            place += 1

    def _one_off(self, places: Sequence[int], most: int) -> None:
        around, sizes = self._play(places)
        if not places:
            self.sizes = sizes
        turns = range(1, max(sizes, default=1))
        changes = [(place, turn) for turn in turns for place, size in enumerate(sizes) if turn < size]
        for place, turn in changes[:most]:
            changed = [*places, *[0] * (len(sizes) - len(places))]
            changed[place] += turn
            found, _ = self._play(changed)
            if not places and found is not None and around is not None and found.touched != around.touched:
                self.keys.add(place)

    def _two_off(self, most: int) -> None:
        """Play data that differ from the plainest in two choices: nothing told that either was half of a condition."""
        places = range(len(self.sizes))
        changes = [
            ((one, this), (other, that))
            for this, that in sorted(product(range(1, _TURNS), repeat=2), key=sum)
            for one, other in combinations(places, 2)
            if this < self.sizes[one] and that < self.sizes[other]
        ]
        for change in changes[:most]:
            turns = dict(change)
            self._play([turns.get(place, 0) for place in places])

    def _play(self, places: Sequence[int]) -> tuple[Played | None, list[int]]:
        """Play the data of some choices, unless they were played before; return how many options there were."""
        choices = Choices(places, [])
        data = self.scout.palette.data(self.kind.contract, choices)
        text = msgspec.json.encode(data, enc_hook=encode)
        if data is None or text in self._seen:
            return None, choices.sizes
        self._seen.add(text)
        return self.scout.note(self.kind, data, tuple(places)), choices.sizes


def _distinct(group: Sequence[Candidate]) -> list[tuple[Kind, Any]]:
    """Let no two be the same event: where a contract says that a number is its identity, it is another one, or none."""
    found: list[tuple[Kind, Any]] = []
    seen: set[Any] = set()
    for one, data in zip(group, distinct((one.kind.description, one.data) for one in group), strict=True):
        identity = identity_of(one.kind.description, data)
        if identity is None or identity not in seen:
            found.append((one.kind, data))
            seen.add(identity)
    return found
