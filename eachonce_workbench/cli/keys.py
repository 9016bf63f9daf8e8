"""`eachonce keys`: which keys a stack has, and another one to sign with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from eachonce_workbench.cli.command import AsJson, EndpointUrl, Region, StackName, Yes, print_json

if TYPE_CHECKING:
    from eachonce_workbench.operations.keys import Signing
    from eachonce_workbench.operations.stack import Stack

keys = typer.Typer(help="The keys of signatures and of personal fields: which there are, and another one to sign with.")


@keys.command("list")
def list_keys(
    *, stack: StackName = None, endpoint_url: EndpointUrl = None, region: Region = None, as_json: AsJson = False
) -> None:
    """List the keys that sign and verify events, and the one of personal fields; no secret is shown.

    Exit status: 0, or 1 when functions sign with a key that has ended: then they publish nothing.
    """
    from eachonce_workbench.cli.screens.keys import show_keys
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.operations.keys import known_keys, personal_keys, signing_of

    with session(stack, endpoint_url, region, tells_paused=False) as here:
        signing = signing_of(here.stack)
        known, personal = known_keys(here.account.client, here.stack), personal_keys(here.account.client, here.stack)
    now = datetime.now(UTC)
    if as_json:
        document = {
            "signing": [{"secret": each.secret, "path": each.path, "sources": each.sources} for each in signing],
            "keys": [key.told(now) for key in known],
            "personal": None if personal is None else personal.told(),
        }
        print_json(document)
    else:
        show_keys(signing, known, personal, now)
    raise typer.Exit(1 if any(key.signs and key.state(now) == "ended" for key in known) else 0)


@keys.command("rotate")
def rotate_key(
    *,
    secret: Annotated[
        str | None, typer.Option("--secret", help="Which signing secret, by name or ARN.", show_default="the only one")
    ] = None,
    yes: Yes = False,
    stack: StackName = None,
    endpoint_url: EndpointUrl = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Sign with another key from now on, after asking: its public key is known first, then the secret is another one.

    Functions sign with it within five minutes. The former key is good for another 35 days, for what it has signed.
    Exit status: 0 when the key is another one, 1 when nobody can say, 2 for a wrong argument.
    """
    from eachonce_workbench.cli.consent import ask, require_somebody, tell_place
    from eachonce_workbench.cli.screens.keys import show_rotated
    from eachonce_workbench.cli.session import session
    from eachonce_workbench.operations.keys import known_keys
    from eachonce_workbench.operations.rotation import RotationError, rotate

    require_somebody("keys rotate", endpoint_url, yes=yes)
    with session(stack, endpoint_url, region, tells_paused=False) as here:
        chosen = _chosen(here.stack, secret)
        tell_place(here.stack, endpoint_url)
        known = known_keys(here.account.client, here.stack)
        if not (yes or here.local):
            ask(f"Sign with another key, for {', '.join(chosen.sources) or 'its sources'}?")
        try:
            rotated = rotate(here.account.client, chosen, known, now=datetime.now(UTC))
        except RotationError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error
    if as_json:
        former = [{"id": key.kept.key.id, "source": key.kept.source, "until": key.until} for key in rotated.former]
        print_json({"key": rotated.key_id, "sources": rotated.sources, "former": former})
    else:
        show_rotated(rotated)


def _chosen(stack: Stack, secret: str | None) -> Signing:
    """Return the secret that is meant; without one, or with several, the command ends."""
    from eachonce_workbench.operations.keys import signing_of

    known = signing_of(stack)
    found = [each for each in known if secret in (None, each.secret)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.secret for each in known) or "none"
    raise typer.BadParameter(f"functions of the stack sign with {names}", param_hint="--secret")
