"""The command that reads a template and its code: `eachonce check --help`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eachonce_workbench.cli.command import AsJson, Parameters, Template, print_json, values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eachonce_workbench.hardening.rule import Finding


def check(
    *,
    template: Template = None,
    parameter: Parameters = None,
    as_json: AsJson = False,
    as_sarif: Annotated[
        bool, typer.Option("--sarif", help="Print SARIF, which code hosts show beside the lines.")
    ] = False,
) -> None:
    """Look for what loses events or does their effects twice: in the template, and in the functions' Python.

    Nothing is run. What is meant to be is accepted beside the resource, with a reason: Metadata, Accepted.

    Exit status: 0 when nothing is found, 1 when something is, 2 for a wrong argument or template.
    """
    from eachonce_workbench.check import RULES
    from eachonce_workbench.hardening import check as found_in
    from eachonce_workbench.template import declared
    from eachonce_workbench.template.finding import find_template

    if as_json and as_sarif:
        raise typer.BadParameter("either --json or --sarif, not both", param_hint="--sarif")
    file = find_template(Path.cwd()) if template is None else template
    findings = found_in(declared(file, parameters=values_of(parameter)), RULES, root=file.resolve().parent)
    _show(findings, file, as_json=as_json, as_sarif=as_sarif)
    raise typer.Exit(1 if findings else 0)


def _show(findings: Sequence[Finding], file: Path, *, as_json: bool, as_sarif: bool) -> None:
    from eachonce_workbench.check import RULES
    from eachonce_workbench.check.report import document, lines
    from eachonce_workbench.check.sarif import sarif
    from eachonce_workbench.version import version

    if as_json:
        print_json(document(findings, file))
    elif as_sarif:
        print_json(sarif(findings, RULES, file, version=version(), home=Path.cwd().resolve()))
    else:
        for line in lines(findings, file):
            typer.echo(line)
        typer.echo(f"{len(RULES)} rules, {len(findings)} found", err=True)
