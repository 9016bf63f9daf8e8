"""`eachonce replay`: events of a span of time come to one consumer again."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eachonce_workbench.cli.command import AsJson, EndpointUrl, Region, StackName, Yes, print_json

if TYPE_CHECKING:
    from eachonce_workbench.operations.replay import Span


def replay(
    *,
    consumer: Annotated[str, typer.Option("--consumer", help="To this consumer alone.", metavar="C")],
    start: Annotated[
        str, typer.Option("--from", help="The first moment, such as 2026-01-31T12:00:00Z (UTC unless it says).")
    ],
    end: Annotated[
        str | None, typer.Option("--to", help="The moment after the last.", metavar="T", show_default="now")
    ] = None,
    from_archive: Annotated[
        str | None, typer.Option("--from-archive", help="EventBridge replays it from this archive.", metavar="NAME")
    ] = None,
    from_journal: Annotated[
        bool, typer.Option("--from-journal", help="What the journal's rows published is put into its queue.")
    ] = False,
    effects_again: Annotated[
        bool,
        typer.Option(
            "--effects-again", help="Also what is older than the journal remembers: it has its effect once more."
        ),
    ] = False,
    yes: Yes = False,
    stack: StackName = None,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Let events of a span of time come to a consumer again; on AWS, say where, and ask first.

    What it has done is a duplicate to it, for the 35 days that its journal remembers; anything older is refused. No
    other consumer gets anything. Ctrl-C ends it, and cancels EventBridge's replay; the same command again does no harm.
    Exit status: 0 when all was replayed, 1 when something wasn't, 2 for a wrong argument.
    """
    from eachonce_workbench.cli.consent import ask, require_somebody, tell_place
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.operations.replay import ReplayError
    from eachonce_workbench.operations.stack import UnknownConsumerError

    if (from_archive is None) != from_journal:
        raise typer.BadParameter("say one: --from-archive NAME or --from-journal", param_hint="--from-archive")
    span = _span(start, end, effects_again=effects_again)
    require_somebody("replay", endpoint_url, yes=yes)
    with session(stack, endpoint_url, region) as here:
        try:
            mappings = here.stack.mappings_of(consumer)
            tell_place(here.stack, endpoint_url)
            if not (yes or here.local):
                ask(f"Replay {span.start.isoformat()} to {span.end.isoformat()} to {mappings[0].consumer}?")
            if from_archive is None:
                told, complete = here.replay_journal(mappings, span)
            else:
                name = f"{mappings[0].consumer[:50]}-{uuid.uuid4().hex[:12]}"
                told, complete = here.replay_archive(mappings, span, from_archive, name=name)
        except UnknownConsumerError as error:
            raise typer.BadParameter(str(error), param_hint="--consumer") from error
        except ReplayError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error
    document: dict[str, Any] = {"consumer": mappings[0].consumer, "from": span.start.isoformat()}
    document |= {"to": span.end.isoformat(), **told}
    if as_json:
        print_json(document)
    else:
        parts = ", ".join(f"{name} {value}" for name, value in told.items() if value is not None)
        typer.echo(f"replayed to {mappings[0].consumer}: {parts}")
    raise typer.Exit(0 if complete else 1)


def _span(start: str, end: str | None, *, effects_again: bool) -> Span:
    from eachonce_workbench.operations.replay import Span

    now = datetime.now(UTC)
    span = Span(start=_moment(start, "--from"), end=now if end is None else min(now, _moment(end, "--to")))
    if span.start >= span.end:
        raise typer.BadParameter("it begins after its end, or now", param_hint="--from")
    if not span.remembered(now) and not effects_again:
        raise typer.BadParameter(
            "the journal remembers 35 days: what is older would have its effect again. Say --effects-again if it is to",
            param_hint="--from",
        )
    return span


def _moment(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-01-31T12:00:00Z", param_hint=option) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
