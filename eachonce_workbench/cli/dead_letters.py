"""The commands that look after dead letters, and tell why: `eachonce dlq --help`, `eachonce why --help`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eachonce_workbench.cli.command import AsJson, EndpointUrl, Region, StackName, Yes, print_json

if TYPE_CHECKING:
    from eachonce_workbench.operations.dead_letters import Found
    from eachonce_workbench.operations.pace import Pace
    from eachonce_workbench.operations.redrive import Tally

Consumer = Annotated[str | None, typer.Option("--consumer", help="Only this consumer's.", metavar="C")]
Reason = Annotated[str | None, typer.Option("--reason", help="Only where this is part of the reason.", metavar="R")]
Type = Annotated[str | None, typer.Option("--type", help="Only events of this type.", metavar="T")]
SomeId = Annotated[str | None, typer.Option("--id", help="Only this event, or this message.", metavar="ID")]

dlq = typer.Typer(
    help="Dead letters: list them by reason, look at one, redrive, archive or drop them.", no_args_is_help=True
)


@dlq.command("list")
def list_letters(
    *,
    consumer: Consumer = None,
    reason: Reason = None,
    event_type: Type = None,
    stack: StackName = None,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters by their reason; nothing of what their events hold is shown."""
    from eachonce_workbench.cli.screens.dead_letters import by_reason, show_list
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.operations.dead_letter import Selection

    with session(stack, endpoint_url, region) as here:
        found = here.look(Selection(reason=reason, event_type=event_type), consumer=consumer)
    if as_json:
        groups = [
            {"reason": why, "count": len(letters), "letters": [letter.as_dict() for letter in letters]}
            for why, letters in by_reason(found.letters).items()
        ]
        counts = {"count": len(found.letters), "out_of_sight": found.out_of_sight}
        print_json({**counts, "paused": here.stack.paused, "reasons": groups})
    else:
        show_list(found)


@dlq.command()
def show(
    some_id: Annotated[str, typer.Argument(metavar="ID", help="An event's id, or a message's.")],
    *,
    consumer: Consumer = None,
    stack: StackName = None,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show all of a dead letter, its body included; there is one for each consumer that gave up on the event."""
    from eachonce_workbench.cli.screens.dead_letters import show_letters
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.operations.dead_letter import Selection

    with session(stack, endpoint_url, region) as here:
        found = here.look(Selection(some_id=some_id), consumer=consumer, with_bodies=True)
    if as_json:
        letters = [letter.as_dict(with_body=True) for letter in found.letters]
        print_json({"letters": letters, "out_of_sight": found.out_of_sight})
    else:
        show_letters(found)
    if not found.letters:
        typer.echo(f"no dead letter has the id {some_id}", err=True)
        raise typer.Exit(1)


@dlq.command()
def redrive(
    *,
    consumer: Consumer = None,
    reason: Reason = None,
    event_type: Type = None,
    some_id: SomeId = None,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", min=0.01, help="So many letters a second.", metavar="N", show_default="as fast as it goes"
        ),
    ] = None,
    rising: Annotated[
        bool,
        typer.Option(
            "--rising", help="Begin with one a second, and double up to --rate while none of them is dead again."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    yes: Yes = False,
    stack: StackName = None,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Send dead letters back to their consumers, which count their tries afresh; on AWS, say where, and ask first.

    An event keeps its id. A letter whose very event has been done since is only deleted, and one whose id another event
    has used is kept. It may be stopped at any point, and says what was redriven and what is left: the same command
    again goes on. A rate spares what the consumer calls; a rising one halves, and rises no more, once letters that it
    redrove are dead again. Exit status: 0 when none is left, 1 when some are, 2 for a wrong argument.
    """
    from eachonce_workbench.cli.consent import ask, require_somebody, tell_place
    from eachonce_workbench.cli.screens.dead_letters import show_list
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.operations.dead_letter import Selection

    if rising and rate is None:
        raise typer.BadParameter("how far is it to rise? Say --rate, too", param_hint="--rising")
    require_somebody("redrive", endpoint_url, yes=yes or dry_run)
    with session(stack, endpoint_url, region) as here:
        tell_place(here.stack, endpoint_url)
        found = here.look(Selection(reason=reason, event_type=event_type, some_id=some_id), consumer=consumer)
        if found.letters and not (yes or dry_run or here.local):
            show_list(found, stderr=True)
            ask("Redrive them?")
        tally = here.foresee(found.letters) if dry_run else here.redrive(found.letters, pace=_pace(rate, rising=rising))
    counts = {"dry_run": dry_run, "redriven": tally.moved, "done_since": tally.done_since, "kept": dict(tally.kept)}
    if rising:
        counts["dead_again"] = tally.dead_again
    _end(tally, found, counts if as_json else "would redrive" if dry_run else "redrove")


@dlq.command()
def archive(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", dir_okay=False, help="A new file: it gets a JSON object a letter.")
    ],
    *,
    consumer: Consumer = None,
    reason: Reason = None,
    event_type: Type = None,
    some_id: SomeId = None,
    yes: Yes = False,
    stack: StackName = None,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Move dead letters into a file, whole, after asking: each is on the disk before it leaves its queue."""
    from eachonce_workbench.cli.consent import ask, require_somebody, tell_place
    from eachonce_workbench.cli.screens.dead_letters import show_list
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.operations.dead_letter import Selection
    from eachonce_workbench.operations.letter_file import LetterFile

    if file.exists():
        raise typer.BadParameter(f"{file} is there already: letters go into a new file", param_hint="FILE")
    require_somebody("archive", endpoint_url, yes=yes)
    with session(stack, endpoint_url, region) as here, LetterFile(file) as archived:
        tell_place(here.stack, endpoint_url)
        found = here.look(Selection(reason=reason, event_type=event_type, some_id=some_id), consumer=consumer)
        if found.letters and not (yes or here.local):
            show_list(found, stderr=True)
            ask(f"Move them to {file}?")
        tally = here.archive(found.letters, archived.keep)
    _end(tally, found, {"archived": tally.moved, "file": str(file)} if as_json else f"moved to {file}:")


@dlq.command()
def drop(
    *,
    consumer: Consumer = None,
    reason: Reason = None,
    event_type: Type = None,
    some_id: SomeId = None,
    yes: Yes = False,
    stack: StackName = None,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Delete dead letters for good, after asking; the journal keeps their events' stories."""
    from eachonce_workbench.cli.consent import ask, require_somebody, tell_place
    from eachonce_workbench.cli.screens.dead_letters import show_list
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.operations.dead_letter import Selection

    require_somebody("drop", endpoint_url, yes=yes)
    with session(stack, endpoint_url, region) as here:
        tell_place(here.stack, endpoint_url)
        found = here.look(Selection(reason=reason, event_type=event_type, some_id=some_id), consumer=consumer)
        if found.letters and not yes:
            show_list(found, stderr=True)
            ask("Drop them for good?")
        tally = here.drop(found.letters)
    _end(tally, found, {"dropped": tally.moved} if as_json else "dropped")


def why(
    event_id: Annotated[str, typer.Argument(metavar="EVENT_ID")],
    *,
    source: Annotated[
        str | None,
        typer.Option("--source", help="The event's CloudEvents source.", metavar="S", show_default="the stack's"),
    ] = None,
    scan: Annotated[
        bool, typer.Option("--scan", help="Read the whole journal to find who published it, if nothing else tells.")
    ] = False,
    tenant: Annotated[
        str | None,
        typer.Option(
            "--tenant", help="The event's tenant, for consumers that keep tenants apart.", metavar="T", show_default=""
        ),
    ] = None,
    stack: StackName = None,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Tell an event's whole story: who published it, what became of it at each consumer, and what it led to.

    Exit status: 0 when something is known of it, 1 when nothing is.
    """
    from eachonce_workbench.cli.screens.dead_letters import show_story
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.operations.dead_letter import Selection
    from eachonce_workbench.operations.dead_letters import Found
    from eachonce_workbench.operations.story import sources, tell

    with session(stack, endpoint_url, region) as here:
        found = here.look(Selection(some_id=event_id)) if here.stack.consumers else Found(letters=(), out_of_sight=0)
        candidates = sources(here.stack, found.letters) if source is None else [source]
        stories = [
            tell(
                each,
                event_id,
                stack=here.stack,
                journal=here.journal,
                letters=found.letters,
                thoroughly=scan,
                tenant=tenant,
            )
            for each in candidates
        ]
    known = [story for story in stories if story.known]
    if as_json:
        print_json({"stories": [story.as_dict() for story in known], "out_of_sight": found.out_of_sight})
    else:
        for story in known:
            show_story(story, found.out_of_sight)
    if not known:
        asked = " or ".join(candidates) or "any source: name one with --source"
        typer.echo(f"nothing is known of an event {event_id} of {asked}: no journal row, no dead letter", err=True)
        raise typer.Exit(1)


def _pace(rate: float | None, *, rising: bool) -> Pace | None:
    from eachonce_workbench.operations.pace import Pace, RisingPace

    if rate is None:
        return None
    return RisingPace(rate, tell=lambda line: typer.echo(line, err=True)) if rising else Pace(rate)


def _end(tally: Tally, found: Found, told: dict[str, Any] | str) -> None:
    """Print what became of the letters that were found, as JSON (the counts) or in words (what was done)."""
    from eachonce_workbench.cli.screens.dead_letters import show_end

    if isinstance(told, dict):
        print_json({"found": tally.chosen, **told, "left": tally.left, "out_of_sight": found.out_of_sight})
    else:
        show_end(tally, told, found.out_of_sight)
    raise typer.Exit(1 if tally.left else 0)
