"""The published language of a bundle: the contracts in its layers, and one more of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from eachonce_workbench.scaffold.error import ScaffoldError
from eachonce_workbench.scaffold.name import Name
from eachonce_workbench.scaffold.parts import event_module

PACKAGE = Path("layers") / "contracts" / "contracts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The package `contracts` in a bundle's folder, and the contracts that its modules define, by their names.

    `personal` are those that have fields which the package marks as personal, among other names.
    """

    folder: Path
    contracts: Mapping[str, Path]
    personal: frozenset[str] = frozenset()

    @classmethod
    def read(cls, root: Path) -> Self:
        """Read the package of the bundle in `root`.

        Raises ScaffoldError when there is none, or when a module is no Python.
        """
        folder = root / PACKAGE
        if not (folder / "__init__.py").is_file():
            raise ScaffoldError(f"{folder} is no package: `eachonce new bundle DIR` shows where contracts are kept")
        found = {name: path for path in sorted(folder.glob("*.py")) for name in _contracts(path)}
        return cls(folder=folder, contracts=found, personal=_personal(map(_parsed, sorted(folder.glob("*.py")))))

    def require(self, event_type: str) -> None:
        """Raise ScaffoldError when there is no such event type."""
        if event_type not in self.contracts:
            known = ", ".join(sorted(self.contracts)) or "none"
            raise ScaffoldError(
                f"there is no event {event_type}; there is {known}. `eachonce new event {event_type}` makes it"
            )

    def with_event(self, name: Name) -> Mapping[Path, str]:
        """Return the files that make another event type, by their paths."""
        if name.camel in self.contracts:
            raise ScaffoldError(f"there is an event {name.camel} already: {self.contracts[name.camel]}")
        module, package = self.folder / f"{name.snake}.py", self.folder / "__init__.py"
        if module.exists():
            raise ScaffoldError(f"{module} is there already")
        return {module: event_module(name), package: _exported(package, name)}


def _contracts(path: Path) -> Iterator[str]:
    """Yield the classes of a module whose base is called Contract, or is one of them."""
    known = {"Contract"}
    for node in _parsed(path).body:
        if isinstance(node, ast.ClassDef) and known & {ast.unparse(base).rpartition(".")[2] for base in node.bases}:
            known.add(node.name)
            yield node.name


def _personal(modules: Iterable[ast.Module]) -> frozenset[str]:
    """Return what is called after a mark: types with one, and classes with such fields, inherited or nested."""
    statements = [statement for module in modules for statement in module.body]
    found: set[str] = set()
    marked = {"Personal"}
    while marked - found:
        found |= marked
        marked = {name for each in statements if found & set(_mentioned(each)) for name in _called(each)}
    return frozenset(found)


def _mentioned(statement: ast.stmt) -> Iterator[str]:
    """Yield the names in a statement; a whole annotation may be a text."""
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                yield name
            case ast.AnnAssign(annotation=ast.Constant(value=str(text))):
                yield from re.findall(r"\w+", text)


def _called(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.ImportFrom(names=names):
            yield from (each.asname for each in names if each.asname is not None)


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise ScaffoldError(f"{path}:{error.lineno}: {error.msg}") from error


def _exported(package: Path, name: Name) -> str:
    """Return the package's text with an import of the event, which its EVENTS and __all__ name, too."""
    lines = package.read_text(encoding="utf-8").splitlines(keepends=True)
    tree = _parsed(package)
    changes: dict[int, str] = {}
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id="EVENTS" | "__all__" as target)], value=ast.Tuple() | ast.List() as value
            ):
                element = name.camel if target == "EVENTS" else f'"{name.camel}"'
                changes[node.lineno] = _assigned(target, value, element)
                for line in range(node.lineno, node.end_lineno or node.lineno):
                    lines[line] = ""
    for line, text in changes.items():
        lines[line - 1] = text
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    lines.insert(_place_of(imports, tree, name), f"from contracts.{name.snake} import {name.camel}\n")
    return "".join(lines)


def _place_of(imports: list[ast.Import | ast.ImportFrom], tree: ast.Module, name: Name) -> int:
    """Return the line, from 0, that the import goes to: in alphabetical order, as linters want it."""
    ours = f"contracts.{name.snake}"
    earlier = [node for node in imports if isinstance(node, ast.ImportFrom) and (node.module or "") < ours]
    if earlier:
        return earlier[-1].end_lineno or 0
    if imports:
        return imports[0].lineno - 1
    return (tree.body[0].end_lineno or 0) + 1 if tree.body else 0


def _assigned(target: str, value: ast.Tuple | ast.List, element: str) -> str:
    """Return the assignment with an element more: on one line, or, where that is too long, one a line."""
    elements = [ast.unparse(each).replace("'", '"') for each in value.elts] + [element]
    if target == "__all__":
        elements.sort(key=_in_order)
    opening, closing = "()" if isinstance(value, ast.Tuple) else "[]"
    comma = "," if opening == "(" and len(elements) == 1 else ""
    line = f"{target} = {opening}{', '.join(elements)}{comma}{closing}\n"
    if len(line) <= 120:
        return line
    return f"{target} = {opening}\n" + "".join(f"    {each},\n" for each in elements) + f"{closing}\n"


def _in_order(element: str) -> tuple[bool, str]:
    """As linters sort names: constants first."""
    return not element.isupper(), element
