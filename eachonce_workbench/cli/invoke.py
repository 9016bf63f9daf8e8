"""The command that runs one function in a container: `eachonce invoke --help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eachonce_workbench.cli.command import Parameters, Template, bundle_of, values_of

PORT = 4566


def invoke(
    function: Annotated[str, typer.Argument(help="A function's logical id.")],
    *,
    template: Template = None,
    parameters: Parameters = None,
    event: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="An input.", metavar="JSON", show_default="its first sample"),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where `eachonce serve` listens.")] = PORT,
    sam: Annotated[str | None, typer.Option(help="The sam command.", show_default=".venv-sam/bin/sam, or sam")] = None,
    skip_pull_image: Annotated[
        bool, typer.Option("--skip-pull-image", help="Use the container image that is here, and ask no registry.")
    ] = False,
) -> None:
    """Invoke a function with `sam local invoke` in a container, against the local cloud.

    Exit status: 0 when the function succeeded, 1 when it failed or something is missing, sam's own when sam failed.
    """
    from eachonce_workbench.local_invoke import InvokeError
    from eachonce_workbench.local_invoke import invoke as invoke_in_container

    bundle = bundle_of(template)
    own = bundle.folder / ".venv-sam" / "bin" / "sam"
    try:
        invoke_in_container(
            function,
            template=bundle.template,
            root=bundle.folder,
            port=port,
            sam=sam if sam is not None else str(own) if own.exists() else "sam",
            event=event,
            parameters=values_of(parameters),
            skip_pull_image=skip_pull_image,
            show=typer.echo,
        )
    except InvokeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.status) from error
