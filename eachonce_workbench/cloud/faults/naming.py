"""In a function's process: each call by botocore says which part of the layer makes it.

Loaded by its path, so that nothing of this repository is on the function's module path. Botocore is the function's own:
it is neither imported before the function does, nor at all where it doesn't. Nor is anything else that takes its time.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

HEADER = "x-eachonce-call"
"""What a call is, as "ledger.begin UpdateItem", or "UpdateItem" where it is the function's own."""

_MAKES_CALLS = "botocore.endpoint"


def install(load: Callable[[str], ModuleType]) -> None:
    """Name every call from now on; `load` gives the module in a file that nobody can import."""
    sites = load(os.path.join(os.path.dirname(__file__), "call_site.py"))  # noqa: PTH118, PTH120 - without pathlib
    sys.meta_path.insert(0, _Finder(sites.call_site))


class _Finder:
    """Finds one module where the others find it, and has it changed when it has been loaded."""

    def __init__(self, call_site: Callable[[str], str | None]) -> None:
        self._call_site = call_site

    def find_spec(self, name: str, _: Sequence[str] | None, __: ModuleType | None = None) -> ModuleSpec | None:
        """Find the module that makes calls, once."""
        if name != _MAKES_CALLS:
            return None
        sys.meta_path.remove(self)
        from importlib.util import find_spec

        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _name_calls(module, self._call_site)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _name_calls(module: ModuleType, call_site: Callable[[str], str | None]) -> None:
    make_request = module.Endpoint.make_request

    def named(self: Any, operation_model: Any, request_dict: Any) -> Any:
        operation = operation_model.name
        try:
            site = call_site(operation)
        except AssertionError:  # another version of the layer has calls that nobody here knows
            site = None
        request_dict["headers"][HEADER] = site or operation
        return make_request(self, operation_model, request_dict)

    module.Endpoint.make_request = named
