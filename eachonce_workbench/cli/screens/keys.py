"""What a person sees of a stack's keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table

from eachonce_workbench.cli.screens.line import say
from eachonce_workbench.operations.keys import KnownKey, PersonalKeys, Signing
from eachonce_workbench.operations.rotation import Rotated


def show_keys(
    signing: Sequence[Signing], known: Sequence[KnownKey], personal: PersonalKeys | None, now: datetime
) -> None:
    """Print the keys of signatures, a row each, and what is known of those of personal fields."""
    console = Console()
    if known:
        table = Table("source", "key", "", "written", "until")
        for key in known:
            table.add_row(key.kept.source, key.kept.key.id, key.state(now), _day(key.written), key.until or "")
        console.print(table)
    for each in signing:
        say(console, f"{', '.join(each.sources) or 'nobody'} signs by the secret {each.secret}")
    if not signing:
        say(console, "no function of the stack signs what it publishes")
    if any(key.signs is None for key in known):
        say(console, "which key signs can't be said: you may not read the secret")
    if personal is None:
        say(console, "there is no key of personal fields")
        return
    say(console, f"personal fields: {personal.key}, {personal.state}, of {_day(personal.created)}")
    if personal.table is not None:
        say(console, f"subjects' keys: {personal.table}, about {personal.items:,} items")


def show_rotated(rotated: Rotated) -> None:
    """Print which key signs now, and until when the former ones are good."""
    console = Console()
    say(console, f"{', '.join(rotated.sources)} signs with {rotated.key_id}, within five minutes")
    for key in rotated.former:
        say(console, f"{key.kept.key.id}, which signed for {key.kept.source}, is good until {key.until}")
    if not rotated.former:
        say(console, "no key that signed by now was known: one that did has no end, `eachonce keys list` shows it")


def _day(at: datetime) -> str:
    return at.date().isoformat()
