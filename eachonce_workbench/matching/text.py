"""How a pattern compares text: by its start, its end, with wildcards, and without regard to case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

TextTest = Callable[[str], bool]

MOST_COMPLEX = 10
"""How complex a wildcard may be, by event-ruler's count; its README gives this limit as an example.

EventBridge's own isn't published. It refuses `*:*:*:*:*:event-bus/*`, which counts 11
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-wildcard-matching).
"""


def equals(wanted: str) -> TextTest:
    """Text that is `wanted`."""
    return lambda text: text == wanted


def starts_with(prefix: str) -> TextTest:
    """Text that begins with `prefix`."""
    return lambda text: text.startswith(prefix)


def ends_with(suffix: str) -> TextTest:
    """Text that ends with `suffix`."""
    return lambda text: text.endswith(suffix)


def equals_in_any_case(wanted: str) -> TextTest:
    """Text that is `wanted`, each letter in upper or lower case."""
    compiled = re.compile(_in_any_case(wanted))
    return lambda text: compiled.fullmatch(text) is not None


def starts_in_any_case(prefix: str) -> TextTest:
    """Text that begins with `prefix`, each letter in upper or lower case."""
    compiled = re.compile(_in_any_case(prefix))
    return lambda text: compiled.match(text) is not None


def ends_in_any_case(suffix: str) -> TextTest:
    """Text that ends with `suffix`, each letter in upper or lower case."""
    spellings = [_spellings(letter) for letter in reversed(suffix)]

    def test(text: str) -> bool:
        # From the end, since a search from the beginning takes the text's length times the suffix's.
        ends = {len(text)}
        for letter in spellings:
            ends = {end - len(spelt) for end in ends for spelt in letter if text.endswith(spelt, 0, end)}
        return bool(ends)

    return test


def fits_wildcard(wildcard: str) -> TextTest:
    r"""Text that fits `wildcard`, where `*` is any run of characters, `\*` an asterisk and `\\` a backslash.

    Raises ValueError for two `*` in a row, for a backslash before anything else, and for one that is too complex.
    """
    head, *middle = wildcard_parts(wildcard)
    if len(middle) > MOST_COMPLEX or len(middle) + _most_begun(middle) > MOST_COMPLEX:
        raise ValueError(
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
            "wildcard character"
        )
    if not middle:
        return lambda text: text == head
    tail = middle.pop()
    return lambda text: _fits(text, head, middle, tail)


def wildcard_parts(wildcard: str) -> list[str]:
    """The literal text between the wildcards, unescaped: one part more than there are wildcards."""
    parts = [""]
    characters = iter(enumerate(wildcard))
    for position, character in characters:
        following = wildcard[position + 1 : position + 2]
        if character == "*":
            if following == "*":
                raise ValueError(f"consecutive wildcard characters at position {position}")
            parts.append("")
        elif character != "\\":
            parts[-1] += character
        elif following in {"*", "\\"}:
            parts[-1] += following
            next(characters)
        else:
            raise ValueError(f"invalid escape character at position {position}: only \\* and \\\\ are escapes")
    return parts


def _fits(text: str, head: str, middle: list[str], tail: str) -> bool:
    # The leftmost place of each part leaves the most room for the next, so nothing is ever tried twice.
    start, end = len(head), len(text) - len(tail)
    if start > end or not text.startswith(head) or not text.endswith(tail):
        return False
    for part in middle:
        found = text.find(part, start, end)
        if found < 0:
            return False
        start = found + len(part)
    return True


def _most_begun(parts: list[str]) -> int:
    """How many beginnings of `parts` some text can end with at once: what is open, at worst, in one reading."""
    machines = [_Beginnings(part) for part in parts]
    return max((max(begun) for part in parts if (begun := list(_begun(part, machines)))), default=0)


def _begun(part: str, machines: list[_Beginnings]) -> Iterator[int]:
    lengths = [0] * len(machines)
    for character in part:
        lengths = [machine.read(length, character) for machine, length in zip(machines, lengths, strict=True)]
        yield sum(machine.nested[length] for machine, length in zip(machines, lengths, strict=True))


class _Beginnings:
    """Tells the longest beginning of `part` that what was read ends with (Knuth, Morris and Pratt).

    `nested` is, for a beginning of each length, how many beginnings it ends with, itself among them.
    """

    __slots__ = ("_next_best", "_part", "nested")

    def __init__(self, part: str) -> None:
        self._part = part
        self._next_best = [0, 0]
        self.nested = [0, 1]
        for character in part[1:]:
            self._next_best.append(self.read(self._next_best[-1], character))
            self.nested.append(1 + self.nested[self._next_best[-1]])

    def read(self, length: int, character: str) -> int:
        while length and (length == len(self._part) or self._part[length] != character):
            length = self._next_best[length]
        return length + (self._part[length : length + 1] == character)


def _in_any_case(text: str) -> str:
    return "".join(f"(?:{'|'.join(map(re.escape, _spellings(letter)))})" for letter in text)


def _spellings(letter: str) -> tuple[str, ...]:
    # Letter by letter, the way event-ruler's EqualsIgnoreCaseParser does it: "ß" is "ß" or "SS", and never "ss". It
    # takes the halves of a character beyond U+FFFF for letters, and each becomes a question mark.
    if letter > "\uffff":
        return ("??",)
    return tuple({letter.lower(): None, letter.upper(): None})
