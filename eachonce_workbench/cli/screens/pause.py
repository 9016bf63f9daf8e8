"""What a person sees of a consumer that is paused or resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console

from eachonce_workbench.cli.screens.line import say
from eachonce_workbench.operations.pause import Backlog

_ALARMS = "an alarm on its queue's age or depth will tell of what waits"


def show_switched(consumer: str, backlogs: Sequence[Backlog], *, on: bool, changed: bool) -> None:
    """Print what a consumer is now, how much waits for it, and for how long it can."""
    console = Console()
    already = "" if changed else " already"
    waiting = sum(backlog.waiting for backlog in backlogs)
    messages = "1 message waits" if waiting == 1 else f"{waiting:,} messages wait"
    if on:
        say(console, f"{consumer} is not paused{already}: {messages} in its queue")
        return
    keeps = _duration(min(backlog.retention_seconds for backlog in backlogs))
    say(
        console,
        f"{consumer} is paused{already}: {messages} in its queue, which keeps each for {keeps} after it was sent",
    )
    if in_flight := sum(backlog.in_flight for backlog in backlogs):
        say(console, f"{in_flight:,} of them are hidden for now: they were deferred, or another reader has them")
    say(console, f"{_ALARMS}; `eachonce resume {consumer}` lets it go on")


@contextmanager
def watching(console: Console, description: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that something is waited for; gives what tells how far it is."""
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(description) as shown:
        yield lambda state: shown.update(f"{description}: {state}")


def _duration(seconds: int) -> str:
    """Say how long that is.

    >>> _duration(1209600), _duration(5400)
    ('14 days', '1:30:00')
    """
    span = timedelta(seconds=seconds)
    return f"{span.days} days" if span.days and not span.seconds else str(span)
