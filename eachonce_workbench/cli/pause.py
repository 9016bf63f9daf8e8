"""`eachonce pause` and `eachonce resume`: whether a consumer takes anything from its queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from eachonce_workbench.cli.command import AsJson, EndpointUrl, Region, StackName, Yes, print_json

if TYPE_CHECKING:
    from eachonce_workbench.operations.stack import SourceMapping, Stack

Name = Annotated[str, typer.Argument(metavar="CONSUMER", help="A consumer, such as track-parcel (or TrackParcel).")]


def pause(
    consumer: Name,
    *,
    yes: Yes = False,
    stack: StackName = None,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Let a consumer take nothing more from its queue, until it is resumed; on AWS, say where, and ask first.

    Batches that it is at come to their end, which is waited for. What comes meanwhile waits in the queue, for as long
    as the queue keeps it. Exit status: 0 when it is paused, also if it was already, 1 when it isn't yet, 2 for a wrong
    argument.
    """
    _switch(consumer, on=False, yes=yes, stack=stack, endpoint_url=endpoint_url, region=region, as_json=as_json)


def resume(
    consumer: Name,
    *,
    yes: Yes = False,
    stack: StackName = None,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Let a consumer take from its queue again; on AWS, say where, and ask first.

    Exit status: 0 when it isn't paused, also if it wasn't, 1 when it is still on its way, 2 for a wrong argument.
    """
    _switch(consumer, on=True, yes=yes, stack=stack, endpoint_url=endpoint_url, region=region, as_json=as_json)


def _mappings(stack: Stack, consumer: str) -> tuple[SourceMapping, ...]:
    from eachonce_workbench.operations.stack import UnknownConsumerError

    try:
        return stack.mappings_of(consumer)
    except UnknownConsumerError as error:
        raise typer.BadParameter(str(error), param_hint="CONSUMER") from error


def _switch(
    consumer: str,
    *,
    on: bool,
    yes: bool,
    stack: str | None,
    endpoint_url: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    from eachonce_workbench.cli.consent import ask, require_somebody, tell_place
    from eachonce_workbench.cli.screens.pause import show_switched
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.operations.pause import StillMovingError

    does = "resume" if on else "pause"
    require_somebody(does, endpoint_url, yes=yes)
    with session(stack, endpoint_url, region, tells_paused=False) as here:
        mappings = _mappings(here.stack, consumer)
        changes = any(mapping.state != ("Enabled" if on else "Disabled") for mapping in mappings)
        tell_place(here.stack, endpoint_url)
        if changes and not (yes or here.local):
            ask(f"{does.capitalize()} {mappings[0].consumer}?")
        try:
            backlogs = here.switch(mappings, on=on)
        except StillMovingError as error:
            typer.echo(f"{error}: it goes on by itself; the same command again waits for it", err=True)
            raise typer.Exit(1) from error
    if as_json:
        document = {
            "consumer": mappings[0].consumer,
            "state": "Enabled" if on else "Disabled",
            "changed": changes,
            "waiting": sum(backlog.waiting for backlog in backlogs),
            "in_flight": sum(backlog.in_flight for backlog in backlogs),
            "retention_seconds": min(backlog.retention_seconds for backlog in backlogs),
        }
        print_json(document)
    else:
        show_switched(mappings[0].consumer, backlogs, on=on, changed=changes)
