"""Every value that an event has for the fields of a pattern, and the elements of arrays in which it lies.

A key with a dot in it means the same as an object in another ("Compiled rules and JSON keys with dots",
https://github.com/aws/event-ruler#compiling-and-checking-rules), and an array counts as each of its elements, at any
depth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from eachonce_workbench.matching.reading import Repeating, pairs_of

Arrays = tuple[int, ...]
"""Arrays, from the outermost: arrays that stand at the same keys have the same number."""

Elements = tuple[int, ...]
"""An element of each of some arrays; no two elements of an event have the same number."""


class Occurrence(NamedTuple):
    """A value, and the element of each array that it lies in."""

    value: Any
    arrays: Arrays
    elements: Elements


class Occurrences:
    """Where in one event the fields of a pattern are, by the dotted name of each."""

    def __init__(self, event: Mapping[str, Any], names: Names) -> None:
        self._names = names
        self._places: dict[tuple[int, Hashable], int] = {}
        self._elements = 0
        self._found: dict[str, list[Occurrence]] = defaultdict(list)
        # A stack of its own, since an event may be nested deeper than Python recurses.
        self._waiting: list[tuple[Any, str, int, Arrays, Elements]] = [(event, "", 0, (), ())]
        while self._waiting:
            self._visit(*self._waiting.pop())

    def of(self, name: str) -> list[Occurrence]:
        """All occurrences of a field, in no order."""
        return self._found.get(name, [])

    @property
    def tied(self) -> bool:
        """Whether two of the fields may have to be in the same element of an array."""
        return self._elements > 0

    def _visit(self, node: Any, name: str, place: int, arrays: Arrays, elements: Elements) -> None:
        if isinstance(node, dict):
            for number, (key, value) in enumerate(pairs_of(node)):
                inner = f"{name}.{key}" if place else key
                if inner in self._names.begun:
                    # Two values of one name are in two places.
                    known_as = number if isinstance(node, Repeating) else key
                    self._waiting.append((value, inner, self._place(place, known_as), arrays, elements))
        elif isinstance(node, list):
            self._enter(node, name, place, arrays, elements)
        elif name in self._names.whole:
            self._found[name].append(Occurrence(node, arrays, elements))

    def _enter(self, array: list[Any], name: str, place: int, arrays: Arrays, elements: Elements) -> None:
        inside = self._place(place, None)
        # An element that is a plain value ties no other field to it, and neither does one without an alternative.
        ties = sum(isinstance(element, (dict, list)) for element in array) > 1
        for element in array:
            if ties and isinstance(element, (dict, list)):
                self._elements += 1
                within = (element, name, inside, (*arrays, inside), (*elements, self._elements))
            else:
                within = (element, name, inside, arrays, elements)
            self._waiting.append(within)

    def _place(self, outer: int, key: Hashable) -> int:
        return self._places.setdefault((outer, key), len(self._places) + 1)


@dataclass(frozen=True, slots=True)
class Names:
    """The dotted names of a pattern's fields, and all that one of them begins with."""

    whole: frozenset[str]
    begun: frozenset[str]

    @classmethod
    def of(cls, names: Iterable[str]) -> Names:
        """The names, and each that ends before a dot."""
        whole = frozenset(names)
        return cls(whole, whole.union(*map(_beginnings, whole)))


def _beginnings(name: str) -> list[str]:
    return [name[:place] for place, character in enumerate(name) if character == "."]
