"""The code of a template's functions, read and never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach
from eachonce_workbench.template.code import code_path
from eachonce_workbench.template.declared import Declared

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A file of Python, parsed."""

    file: Path
    text: str
    tree: ast.Module

    def definitions(self) -> Iterator[Definition]:
        """Give its functions, at any depth."""
        return (each for each in ast.walk(self.tree) if isinstance(each, Definition))


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What a function runs: the module of its handler first, then those beside it that are imported from there.

    `handler` is None where it is no `def` of that module.
    """

    function: Declared
    modules: tuple[Module, ...]
    handler: Definition | None

    @property
    def main(self) -> Module:
        """The handler's module."""
        return self.modules[0]

    def breach(self, module: Module, node: ast.expr | ast.stmt | ast.ExceptHandler, what: str) -> Breach:
        """Return that a piece of one of its modules breaks a rule."""
        return Breach(by=self.function, what=what, file=module.file, line=node.lineno)


def codes(resources: Resources) -> Iterator[Code]:
    """Give the code of each function in Python that lies on this machine, and can be read."""
    for each in resources.of_type("AWS::Lambda::Function"):
        found = code_of(resources, each)
        if found is not None:
            yield found


def code_of(resources: Resources, function: Declared) -> Code | None:
    """Give a function's code; None where it isn't here, or no Python."""
    handler = str(function.properties.get("Handler", ""))
    if resources.root is None or not str(function.properties.get("Runtime", "")).startswith("python"):
        return None
    try:
        folder = code_path(function.properties.get("Code"), resources.root)
    except OSError:
        return None
    place, _, name = handler.rpartition(".")
    modules = () if folder is None else tuple(_imported(folder, place.replace(".", "/")))
    if not modules:
        return None
    named = (each for each in modules[0].tree.body if isinstance(each, Definition) and each.name == name)
    return Code(function=function, modules=modules, handler=next(named, None))


def _imported(folder: Path, place: str) -> Iterator[Module]:
    waiting, seen = [place], set()
    while waiting:
        place = waiting.pop(0)
        file = next((each for each in (folder / f"{place}.py", folder / place / "__init__.py") if each.is_file()), None)
        module = None if file is None or file in seen else parsed(file)
        if file is not None and module is not None:
            seen.add(file)
            yield module
            waiting.extend(_names(module, place.rpartition("/")[0]))


def _names(module: Module, package: str) -> Iterator[str]:
    """Give the places of what a module imports, wherever that is."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.replace(".", "/") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = f"{package}/" if node.level and package else ""
            named = (node.module or "").replace(".", "/")
            yield f"{start}{named}" if named else package
            yield from ("/".join(filter(None, (f"{start}{named}".rstrip("/"), alias.name))) for alias in node.names)


def parsed(file: Path) -> Module | None:
    """Parse a file; None for one that can't be read, or is no Python of this version."""
    try:
        stamp = file.stat()
    except OSError:
        return None
    return _parsed(file, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=256)
def _parsed(file: Path, _changed: int, _size: int) -> Module | None:
    try:
        text = file.read_text(encoding="utf-8")
        return Module(file=file, text=text, tree=ast.parse(text))
    except (OSError, ValueError, SyntaxError, RecursionError):
        return None
