"""The command that erases a person: `eachonce erase --help`."""

from __future__ import annotations

from typing import Annotated

import typer

from eachonce_workbench.cli.command import EndpointUrl, Region, StackName, Yes


def erase(
    *,
    subject: Annotated[
        str, typer.Option("--subject", help="Whose personal fields, as its contract's `person` says.", metavar="S")
    ],
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="The tenant of its events.", metavar="T", show_default="the stack's")
    ] = None,
    yes: Yes = False,
    stack: StackName = None,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
) -> None:
    """Erase a subject's key for good, after asking: its personal fields are unreadable, wherever events are kept.

    Functions that have the key forget it within five minutes. What handlers have written into their tables is not
    touched. Exit status: 0 when there was a key, 1 when there was none.
    """
    from eachonce_workbench.cli.consent import ask, require_somebody, tell_place
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.operations.erasure import NoKeysError
    from eachonce_workbench.operations.erasure import erase as erase_key

    require_somebody("erase", endpoint_url, yes=yes)
    with session(stack, endpoint_url, region) as here:
        tell_place(here.stack, endpoint_url)
        if not yes:
            ask("Erase the subject's key for good?")
        try:
            erased = erase_key(here.account.client("dynamodb"), here.stack, tenant, subject)
        except NoKeysError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error
    typer.echo("erased" if erased else "there is no key of this subject: it was erased before, or never had one")
    raise typer.Exit(0 if erased else 1)
