"""Translations that were made before: importing SAM's translator takes longer than all else that starts a local cloud.

Each is a file in the person's own cache folder, named by everything that it depends on.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator import __version__ as sam_version

from eachonce_workbench.template import translation
from eachonce_workbench.template.source import Source

_MOST_FILES = 50


def translated(source: Source, parameters: Mapping[str, Any], region: str) -> dict[str, Any]:
    """Give what `translate` gives, without the translator where the same was translated before."""
    folder = _folder()
    if folder is None:
        return translation.translate(source, dict(parameters), region)
    file = folder / f"{_key(source, parameters, region)}.json"
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(file.read_bytes())
        with contextlib.suppress(OSError):  # whoever may write nothing here may read it
            os.utime(file)
        return found
    made = translation.translate(source, dict(parameters), region)
    with contextlib.suppress(OSError, TypeError):
        _keep(file, made)
    return made


def _folder() -> Path | None:
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # there is no home
        return None
    return Path(home, "eachonce", "translations")


def _key(source: Source, parameters: Mapping[str, Any], region: str) -> str:
    code = hashlib.sha256(Path(translation.__file__).read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps([sam_version, code, source.document, parameters, region]).encode()).hexdigest()


def _keep(file: Path, made: dict[str, Any]) -> None:
    text = json.dumps(made)
    if json.loads(text) != made:  # JSON has no keys that are numbers
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".new", delete=False) as new:
        new.write(text)
    Path(new.name).replace(file)  # whole, whoever else is writing it
    by_age = sorted(file.parent.iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in by_age[_MOST_FILES:]:
        old.unlink(missing_ok=True)
