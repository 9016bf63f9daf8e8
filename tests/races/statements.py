"""Statements: functions of some modules, made to pause before each statement of theirs.

Their code is compiled anew from its source, with a call before each statement, at the end of each round of a loop, and
before a `with` lets go. Whoever has hold of a function calls the new code, and the old one when it is put back. A trace
function would be simpler, but nothing is traced any more once it has switched to another greenlet.
"""

from __future__ import annotations

import ast
import gc
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

_PAUSE = "_pause_before_"
_BODIES = ("body", "orelse", "finalbody")

_Key = tuple[str, str, int]  # of a function: its file, its name within that, and its first line


@contextmanager
def paused(modules: Sequence[ModuleType], pause: Callable[[str], None]) -> Iterator[None]:
    """Let the modules' functions call `pause` with each place that they come to, meanwhile."""
    files = {inspect.getsourcefile(module) for module in modules}
    anew = {key: code for module in modules for key, code in _compiled(module)}
    functions = [one for one in gc.get_objects() if isinstance(one, FunctionType) and one.__code__.co_filename in files]
    changed = [(function, function.__code__) for function in functions]
    for module in modules:
        vars(module)[_PAUSE] = pause
    for function, code in changed:
        function.__code__ = anew[_key(code)]
    try:
        yield
    finally:
        for function, code in changed:
            function.__code__ = code
        for module in modules:
            del vars(module)[_PAUSE]


def _compiled(module: ModuleType) -> Iterator[tuple[_Key, CodeType]]:
    source = inspect.getsource(module)
    file = inspect.getsourcefile(module) or ""
    tree = _Pausing(Path(file).name).visit(ast.parse(source))
    whole = compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True)
    for code in _within(whole):
        yield _key(code), code


def _within(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _within(constant)


def _key(code: CodeType) -> _Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno


class _Pausing(ast.NodeTransformer):
    """Puts a pause before each statement of each function."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._names: list[str] = []
        self._in_function = False

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._named(node, in_function=False)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._named(node, in_function=True)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if self._in_function and not isinstance(node, ast.Lambda | ast.IfExp):
            for name in _BODIES:
                statements = getattr(node, name, None)
                if statements and not (name == "body" and isinstance(node, ast.ClassDef)):
                    setattr(node, name, list(self._with_pauses(node, statements)))
        return node

    def _named(self, node: ast.ClassDef | ast.FunctionDef, *, in_function: bool) -> ast.AST:
        outside, self._in_function = self._in_function, in_function
        self._names.append(node.name)
        made = self.generic_visit(node)
        self._names.pop()
        self._in_function = outside
        return made

    def _with_pauses(self, owner: ast.AST, statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
        for place, statement in enumerate(statements):
            is_docstring = place == 0 and isinstance(owner, ast.FunctionDef) and ast.get_docstring(owner) is not None
            if not is_docstring:
                yield self._pause(statement, statement.lineno)
            yield statement
        if isinstance(owner, ast.For | ast.While | ast.With):
            yield self._pause(statements[-1], statements[-1].end_lineno or 0)

    def _pause(self, at: ast.stmt, line: int) -> ast.stmt:
        told = ast.Constant(f"{self._file}:{line} ({'.'.join(self._names)})")
        call = ast.Call(ast.Name(_PAUSE, ast.Load()), [told], [])
        return ast.copy_location(ast.Expr(call), at)
