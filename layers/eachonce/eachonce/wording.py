"""Wording: texts for people, short enough to be kept and of characters that AWS takes."""

from __future__ import annotations

MAX_CHARACTERS = 1024  # a journal row holds 400 KB and ten of them, and a log line has several fields
MAX_NAME = 256  # what an event's id may have


def short(text: str, most: int = MAX_CHARACTERS) -> str:
    """Return a text of at most so many characters, its end left out where it is longer.

    >>> short("The Art of Fugue", 8)
    'The Art…'
    """
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return cut.encode(errors="replace").decode()
