"""A function's code in this process: imported from its own folder, as Lambda does, and forgotten."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
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
    _forget({path.stem for path in function.code.glob("*.py")})
    before = set(sys.modules)
    with patch.object(sys, "path", [str(function.code), *sys.path, *map(str, function.layers)]):
        try:
            yield getattr(importlib.import_module(module), name)
        finally:
            _forget(found for found in sys.modules.keys() - before if _is_in(function.code, sys.modules[found]))


def _is_in(folder: Path, module: ModuleType) -> bool:
    """Whether a module, or a part of a package without a file, lies in a folder."""
    places = [module.__file__] if getattr(module, "__file__", None) else list(getattr(module, "__path__", ()))
    return any(Path(place).is_relative_to(folder) for place in places if place)


def _forget(modules: Iterable[str]) -> None:
    for name in list(modules):
        sys.modules.pop(name, None)
