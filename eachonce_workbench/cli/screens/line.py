"""A line for a person, as it is: nothing in it is markup, a number to highlight, or a place to break."""

from __future__ import annotations

from rich.console import Console


def say(console: Console, text: str) -> None:
    """Print a line of text."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)
