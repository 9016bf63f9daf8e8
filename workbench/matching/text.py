"""How a pattern compares text: by its start, its end, with wildcards, and without regard to case."""

from __future__ import annotations

import re
from collections.abc import Callable

TextTest = Callable[[str], bool]


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
    compiled = re.compile(_in_any_case(suffix) + r"\Z")
    return lambda text: compiled.search(text) is not None


def fits_wildcard(wildcard: str) -> TextTest:
    r"""Text that fits `wildcard`, where `*` is any run of characters, `\*` an asterisk and `\\` a backslash.

    Raises ValueError for two `*` in a row and for a backslash before anything else.
    """
    head, *middle = wildcard_parts(wildcard)
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


def _in_any_case(text: str) -> str:
    # Letter by letter, the way event-ruler's EqualsIgnoreCaseParser does it: "ß" is "ß" or "SS", and never "ss".
    return "".join(f"(?:{re.escape(letter.lower())}|{re.escape(letter.upper())})" for letter in text)
