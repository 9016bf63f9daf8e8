"""Why a function of a template isn't run here."""

from __future__ import annotations

from pathlib import Path

from eachonce_workbench.template.code import code_path
from eachonce_workbench.template.properties import Properties

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: no function can be created with one of these, and
# those that there are go on.
PAST_RUNTIMES = frozenset({"python2.7", "python3.6", "python3.7", "python3.8"})


def why_idle(properties: Properties, root: Path) -> str | None:
    """Say why a function isn't run: another runtime than Python, an image, code that isn't on this machine.

    None for one that is run, or whose code is missing where the template says that it is.
    """
    if properties.get("PackageType") == "Image":
        return "an image"
    runtime = properties.text("Runtime")
    if not runtime.startswith("python"):
        return runtime
    if code_path(properties.get("Code"), root) is None:
        return "its code is elsewhere"
    return None
