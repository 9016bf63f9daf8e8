"""A function's code in this process: imported from its own folder, as Lambda does, and forgotten."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from eachonce_workbench.template.topology import Function


@contextmanager
def imported(function: Function) -> Iterator[Any]:
    """Import a function's module, and yield its handler; no module of its own folder is left afterwards.

    What this process has already, such as the layer itself, comes before what the function's layers have, whose modules
    stay: functions share them. Raises what the module raises.
    """
    module, _, name = function.handler.replace("/", ".").rpartition(".")
    own = _modules(function.code)
    _forget(own)
    with patch.object(sys, "path", [str(function.code), *sys.path, *map(str, function.layers)]):
        try:
            yield getattr(importlib.import_module(module), name)
        finally:
            _forget(own)


def _modules(folder: Path) -> set[str]:
    """Return the names of the modules and packages at the top of a folder."""
    return {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/*.py")}


def _forget(modules: set[str]) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in modules]:
        del sys.modules[name]
