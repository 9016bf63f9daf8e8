"""Where a bundle is: its template, in the working folder or above, and the folder that all else is relative to."""

from __future__ import annotations

from pathlib import Path

from eachonce_workbench.template.source import TemplateError

# What `sam` looks for, in its order.
# https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-install.html
_NAMES = ("template.yaml", "template.yml")

_BUILT = (".aws-sam", "build")


def find_template(start: Path) -> Path:
    """Return the template in the folder `start`, or in the nearest one above that has one.

    Raises TemplateError when there is none.
    """
    folder = start.resolve()
    for place in (folder, *folder.parents):
        for name in _NAMES:
            if (place / name).is_file():
                return place / name
    names = " or ".join(_NAMES)
    raise TemplateError(folder / _NAMES[0], 1, f"there is no {names} here or in a folder above: say --template")


def bundle_folder(template: Path) -> Path:
    """Return the folder of a template's bundle: its own, or, where `sam build` wrote it, the one that was built."""
    folder = template.resolve().parent
    return folder.parents[1] if folder.parts[-2:] == _BUILT else folder
