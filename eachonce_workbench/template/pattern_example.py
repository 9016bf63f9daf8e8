"""A string that a regular expression matches, for a parameter of which nothing else is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

_PREFERRED = "a1A-_. "
_CATEGORIES = {
    "CATEGORY_DIGIT": "1",
    "CATEGORY_WORD": "a",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": "a",
}


def example(pattern: str, least: int = 0) -> str | None:
    """Give a string of `least` characters or more that the whole pattern matches; None where none is found.

    >>> example("[a-z]{3}-(blue|green)"), example("^[A-Z][a-z0-9]*$", 4), example("(?!a)[a-z]")
    ('aaa-blue', 'Aaaaa', None)
    """
    try:
        parsed = _parsed(pattern)
    except re.error:
        return None
    for repeats in (0, 1, least, least + 1, max(0, least - 1), max(0, least - 2)):
        found = _Writer(repeats).written(parsed)
        if len(found) >= least and re.fullmatch(pattern, found):
            return found
    return None


def _parsed(pattern: str) -> Any:
    return re._parser.parse(pattern)  # type: ignore[attr-defined]  # noqa: SLF001 - what `re` itself reads a pattern with


class _Writer:
    """Writes what a parsed pattern matches; what may be repeated, `repeats` times as far as it may."""

    def __init__(self, repeats: int) -> None:
        self._repeats = repeats
        self._groups: dict[int, str] = {}
        self._parts: dict[str, Callable[[Any], str]] = {
            "LITERAL": chr,
            "NOT_LITERAL": lambda code: _first(lambda character: ord(character) != code),
            "ANY": lambda _: "a",
            "IN": _one_of,
            "BRANCH": lambda argument: self.written(argument[1][0]),
            "SUBPATTERN": self._group,
            "MAX_REPEAT": self._repeated,
            "MIN_REPEAT": self._repeated,
            "POSSESSIVE_REPEAT": self._repeated,
            "GROUPREF": lambda number: self._groups.get(number, ""),
        }

    def written(self, parts: Iterable[tuple[Any, Any]]) -> str:
        return "".join(self._part(str(kind), argument) for kind, argument in parts)

    def _part(self, kind: str, argument: Any) -> str:
        return self._parts[kind](argument) if kind in self._parts else ""  # an anchor, an assertion

    def _group(self, argument: Any) -> str:
        number, *_, inside = argument
        found = self.written(inside)
        if number is not None:
            self._groups[number] = found
        return found

    def _repeated(self, argument: Any) -> str:
        least, most, inside = argument
        times = min(max(int(least), self._repeats), int(most))
        return "".join(self.written(inside) for _ in range(times))


def _one_of(members: Any) -> str:
    negated = str(members[0][0]) == "NEGATE"
    return _first(lambda character: negated != any(_is_in(ord(character), *member) for member in members))


def _is_in(code: int, kind: Any, argument: Any) -> bool:
    match str(kind):
        case "LITERAL":
            return bool(argument == code)
        case "RANGE":
            return bool(argument[0] <= code <= argument[1])
        case "CATEGORY":
            return _CATEGORIES.get(str(argument)) == chr(code)
    return False


def _first(fits: Callable[[str], bool]) -> str:
    characters = (*_PREFERRED, *map(chr, range(33, 127)))
    return next((character for character in characters if fits(character)), "")
