"""What a piece of Python says, as far as that can be told without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

_IDS = frozenset({"messageId", "message_id", "MessageId"})


def called(node: ast.AST) -> str:
    """Return the last name of what a call calls: "put_item" of `table.put_item(...)`; nothing for what isn't one."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def calls(node: ast.AST, *names: str) -> Iterator[ast.Call]:
    """Give the calls of these names in a piece of code."""
    return (each for each in ast.walk(node) if isinstance(each, ast.Call) and called(each) in names)


def argument(call: ast.Call, name: str) -> ast.expr | None:
    """Return a call's argument of a name."""
    return next((each.value for each in call.keywords if each.arg == name), None)


def entries(node: ast.expr | None) -> Iterator[tuple[str, ast.expr]]:
    """Give the entries of a dictionary that is written down, where their keys are texts."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value


def text(node: ast.expr | None) -> str:
    """Return a text that is written down, put together from parts or not; nothing for what isn't one."""
    found = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant)) if node is not None else ()
    return "".join(each for each in found if isinstance(each, str))


def whole(node: ast.expr | None) -> int | None:
    """Return a whole number that is written down, as a product as well; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        left, right = whole(node.left), whole(node.right)
        return None if left is None or right is None else left * right
    return None


def assigned(scope: ast.AST, name: str) -> ast.expr | None:
    """Return what a name is assigned in a scope; None where that is nothing, or more than one thing."""
    found = [
        each.value
        for each in ast.walk(scope)
        if isinstance(each, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in each.targets)
    ]
    return found[0] if len(found) == 1 else None


def constant(node: ast.expr | None, scope: ast.AST, variables: Mapping[str, Any]) -> str | None:
    """Return the text that an expression stands for: written down, in a constant, or in an environment variable."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        value = assigned(scope, node.id)
        return None if value is None or isinstance(value, ast.Name) else constant(value, scope, variables)
    name = _variable(node)
    value_ = variables.get(name) if name is not None else None
    return None if value_ is None else str(value_)


def _variable(node: ast.expr | None) -> str | None:
    """Return the name of the environment variable that an expression reads: `os.environ["NAME"]` and its like."""
    if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
        key: ast.expr | None = node.slice
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("environ.get", "getenv")) and node.args:
        key = node.args[0]
    else:
        return None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def names_message(node: ast.expr, scope: ast.AST) -> bool:
    """Whether a value is made of the id of a message, which is another one for each copy that was sent."""
    for each in ast.walk(node):
        if _is_an_id(each) or (isinstance(each, ast.Attribute) and each.attr in _IDS):
            return True
        value = assigned(scope, each.id) if isinstance(each, ast.Name) else None
        if value is not None and any(map(_is_an_id, ast.walk(value))):
            return True
    return False


def _is_an_id(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in _IDS
