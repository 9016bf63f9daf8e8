"""Wording: texts for people, short enough to be kept and of characters that AWS takes."""

from __future__ import annotations

MAX_CHARACTERS = 1024  # a journal row holds 400 KB and ten of them, and a log line has several fields


def short(text: str) -> str:
    """Return a text of at most so many characters, its end left out where it is longer.

    >>> short("x" * 2000)[-3:]
    'xx…'
    """
    cut = text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"
    return cut.encode(errors="replace").decode()
