"""What a person sees of dead letters and of an event's story."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich import progress as bar
from rich.console import Console

from eachonce_workbench.cli.screens.line import say
from eachonce_workbench.operations.dead_letter import DeadLetter
from eachonce_workbench.operations.dead_letters import Found
from eachonce_workbench.operations.redrive import Tally
from eachonce_workbench.operations.story import Chapter, Story

_OUT_OF_SIGHT = (
    "about {count:,} more are out of sight: another reader holds them, or they stand behind others of their FIFO "
    "group; look again in a minute"
)
_NO_ROW = "no row: not handled there yet, not for it, or done by a single write that needs none"


def by_reason(letters: Sequence[DeadLetter]) -> dict[str, list[DeadLetter]]:
    """Group letters by their reason, the most frequent first; within a group the order stays."""
    groups: dict[str, list[DeadLetter]] = defaultdict(list)
    for letter in letters:
        groups[letter.reason].append(letter)
    return dict(sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])))


def show_list(found: Found, *, stderr: bool = False) -> None:
    """Print each reason, and under it a line for each consumer and type, with the id of the oldest letter."""
    console = Console(stderr=stderr)
    for reason, letters in by_reason(found.letters).items():
        _say(console, f"{len(letters):>5,}  {reason}")
        for line in _under(letters):
            _say(console, f"       {line}")
    _say(console, _letters(len(found.letters)))
    _show_out_of_sight(console, found.out_of_sight)


def show_letters(found: Found) -> None:
    """Print everything about each letter, its body last."""
    console = Console()
    for letter in found.letters:
        for name, value in letter.as_dict().items():
            if value is not None:
                _say(console, f"{name.replace('_', ' '):<12}  {value}")
        _say(console, _pretty(letter.body))
    _show_out_of_sight(Console(stderr=True), found.out_of_sight)


def show_end(tally: Tally, did: str, out_of_sight: int) -> None:
    """Print what became of the letters that were meant, and that there are others, if so."""
    console = Console()
    show_tally(console, tally, did)
    _show_out_of_sight(console, out_of_sight)


def show_tally(console: Console, tally: Tally, did: str) -> None:
    """Print what became of the letters that were meant."""
    _say(console, tally.told(did, goes_on="the same command again goes on"))


def show_story(story: Story, out_of_sight: int) -> None:
    """Print who published an event, and what became of it at each consumer."""
    console = Console()
    _say(console, f"{story.event_type or 'event'} {story.event_id} of {story.source}")
    if story.publisher is not None:
        _say(console, f"published by {story.publisher.name}, which handled {story.publisher.event_id}")
    if story.trace_id is not None:
        _say(console, f"in the trace {story.trace_id}")
    widest = max(len(chapter.consumer) for chapter in story.chapters)
    for chapter in story.chapters:
        first, *more = _lines(chapter)
        _say(console, f"{chapter.consumer:<{widest}}  {first}")
        for line in more:
            _say(console, f"{'':<{widest}}  {line}")
    if any(chapter.state is None for chapter in story.chapters):
        _say(console, _NO_ROW)
    _show_out_of_sight(console, out_of_sight)


def _lines(chapter: Chapter) -> Iterator[str]:
    facts = chapter.facts
    yield "no row" if chapter.state is None else _headline(chapter.state, facts)
    counts = [f"{name} {facts[name]:,}" for name in ("attempts", "starts") if facts.get(name)]
    if counts:
        yield ", ".join(counts) + (f", first seen {facts['first_seen']}" if "first_seen" in facts else "")
    for error in facts.get("errors", ()):
        yield f"{error.get('at', '')}  {error.get('error', '')}: {error.get('reason', '')}"
    if facts.get("uncertain"):
        yield "uncertain: whether its effect outside the commit has happened is not known"
    if "redriven_at" in facts:
        yield f"redriven at {facts['redriven_at']}"
    for event in chapter.published:
        yield f"published {event['type']} {event['id']}"
    for letter in chapter.dead_letters:
        yield f"in its dead-letter queue now: message {letter.message_id}: {letter.reason}"


def _headline(state: str, facts: Mapping[str, Any]) -> str:
    told = {
        "DONE": f"at {facts.get('done_at')}",
        "REJECTED": f"at {facts.get('rejected_at')}: {facts.get('reason')}",
        "STARTED": f"its lease ends at {facts.get('lease_until')}",
    }
    return f"{state}  {told[state]}" if state in told else state


@contextmanager
def counting(console: Console, description: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal while the context is open; gives what advances it, from any thread."""
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (bar.TextColumn("{task.description}"), bar.BarColumn(), bar.MofNCompleteColumn(), bar.TimeElapsedColumn())
    with bar.Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(description, total=total)
        yield lambda count: shown.advance(task, count)


def _under(letters: Sequence[DeadLetter]) -> Iterator[str]:
    groups = _by_consumer(letters).items()
    widest = max(len(consumer) for (consumer, _), _ in groups)
    for (consumer, event_type), group in groups:
        oldest = group[0]
        since = f"since {oldest.sent_at:%Y-%m-%d %H:%M} UTC, such as {oldest.event_id or oldest.message_id}"
        yield f"{len(group):>5,}  {consumer:<{widest}}  {event_type or 'no event'}  {since}"


def _show_out_of_sight(console: Console, count: int) -> None:
    if count:
        _say(console, _OUT_OF_SIGHT.format(count=count))


def _by_consumer(letters: Sequence[DeadLetter]) -> dict[tuple[str, str | None], list[DeadLetter]]:
    groups: dict[tuple[str, str | None], list[DeadLetter]] = defaultdict(list)
    for letter in letters:
        groups[letter.consumer, letter.event_type].append(letter)
    return groups


def _letters(count: int) -> str:
    return "1 dead letter" if count == 1 else f"{count:,} dead letters"


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


def _printable(text: str) -> str:
    """Return text without control characters: what an event says of itself must not steer a terminal."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


def _say(console: Console, text: str) -> None:
    say(console, _printable(text))
