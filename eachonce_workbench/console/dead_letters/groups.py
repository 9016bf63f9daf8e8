"""Dead letters in groups: by consumer, reason, and the place where the handler failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import msgspec

from eachonce_workbench.operations.dead_letter import DeadLetter
from eachonce_workbench.operations.failure_place import FailurePlace
from eachonce_workbench.operations.journal import Standing

PlaceOf = Callable[[DeadLetter], FailurePlace | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Letters of one consumer that failed alike, oldest first; `place` is None where nobody told.

    `standings` are those of some of them, by their messages' ids.
    """

    consumer: str
    reason: str
    place: FailurePlace | None
    letters: tuple[DeadLetter, ...]
    standings: Mapping[str, Standing]

    @property
    def key(self) -> str:
        """What it is called in a form, whatever a reason holds."""
        place = "" if self.place is None else self.place.short
        return blake2b(msgspec.json.encode([self.consumer, self.reason, place]), digest_size=9).hexdigest()

    @property
    def first(self) -> datetime:
        """When the oldest came."""
        return self.letters[0].sent_at

    @property
    def last(self) -> datetime:
        """When the latest came."""
        return self.letters[-1].sent_at

    @property
    def failed_again(self) -> int:
        """How many were redriven before, and given up on again."""
        return sum(standing.failed_again for standing in self._standings())

    @property
    def done_since(self) -> int:
        """How many of their events have been done since."""
        return sum(standing.done for standing in self._standings())

    def _standings(self) -> Iterable[Standing]:
        return (self.standings[each.message_id] for each in self.letters if each.message_id in self.standings)


def grouped(letters: Iterable[DeadLetter], place_of: PlaceOf, standings: Mapping[str, Standing]) -> list[Group]:
    """Group letters, the largest group first."""
    groups: dict[tuple[str, str, str], list[DeadLetter]] = defaultdict(list)
    places: dict[tuple[str, str, str], FailurePlace | None] = {}
    for letter in letters:
        place = place_of(letter)
        key = (letter.consumer, letter.reason, "" if place is None else place.short)
        groups[key].append(letter)
        places.setdefault(key, place)
    found = [
        Group(consumer=key[0], reason=key[1], place=places[key], letters=tuple(group), standings=standings)
        for key, group in groups.items()
    ]
    return sorted(found, key=lambda group: (-len(group.letters), group.consumer, group.reason))
