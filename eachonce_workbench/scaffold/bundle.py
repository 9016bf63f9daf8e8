"""A whole bundle, the smallest there is: what `eachonce new bundle` writes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import eachonce

from eachonce_workbench.scaffold.additions import Additions, write
from eachonce_workbench.scaffold.error import ScaffoldError
from eachonce_workbench.scaffold.name import Name

_EXAMPLE = files("eachonce_workbench.scaffold") / "bundle"
_CALLED = "BUNDLE"
_NO_DOT = {"gitignore": ".gitignore"}
_LONGEST = 24  # what the template takes for its parameter Name
# The consumer, whose block in the template is written as any other's.
_CONSUMER, _ON, _TABLE = Name.of("count-arrivals"), ["TripEnded"], "Stations"
_PURPOSE = "how many bicycles came to each station, a day."


def new_bundle(folder: Path) -> list[Path]:
    """Write a bundle into `folder`, and return its files. Raises ScaffoldError when there is anything."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ScaffoldError(f"{folder} is there already, and not empty")
    name = _name(folder)
    written = dict(_example(folder, name)) | dict(_layer(folder))
    app = folder / "functions" / _CONSUMER.snake / "app.py"
    rule = written.pop(app)
    write(written)
    added = Additions(folder / "template.yaml").consumer(_CONSUMER, on=_ON, table=_TABLE, purpose=_PURPOSE)
    write({**added, app: rule})
    return sorted({*written, *added})


def _name(folder: Path) -> str:
    """Return what the bundle is called: as its folder, which may be called anything."""
    words = "".join(
        letter if letter.isascii() and letter.isalnum() else "-" for letter in folder.resolve().name.lower()
    )
    name = "-".join(filter(None, words.split("-")))[:_LONGEST].rstrip("-")
    return name if name[:1].isalpha() else f"bundle-{name}"[:_LONGEST].rstrip("-")


def _example(folder: Path, name: str) -> Iterator[tuple[Path, str]]:
    with as_file(_EXAMPLE) as example:
        for path in sorted(example.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = path.relative_to(example)
                target = folder / inside.with_name(_NO_DOT.get(inside.name, inside.name))
                yield target, path.read_text(encoding="utf-8").replace(_CALLED, name)


def _layer(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the layer as it is installed here: what a bundle deploys is what it was tried with."""
    package = Path(eachonce.__file__).parent
    for path in sorted(package.glob("*")):
        if path.is_file() and path.suffix in {".py", ".typed"}:
            yield folder / "layers" / "eachonce" / "eachonce" / path.name, path.read_text(encoding="utf-8")
