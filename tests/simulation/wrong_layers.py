"""Wrong layers: the layer with one thing changed, as `wrong_layers.toml` lists them, and which promise that breaks."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Self
from unittest.mock import patch

import msgspec

LIST = Path(__file__).with_suffix(".toml")

_PARTS = ("__code__", "__defaults__", "__kwdefaults__")


class WrongLayer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The layer with one change: in a module the one text that it `was` `becomes` another.

    `promises` are the invariants of which a simulation must find one broken; where there is none, `unseen` says why.
    """

    name: str
    module: str
    was: str
    becomes: str
    promises: tuple[str, ...] = ()
    unseen: str = ""

    @classmethod
    def read(cls, path: Path = LIST) -> Mapping[str, Self]:
        """Return the list, by names; raises ValueError where an entry says neither what it breaks nor why nothing."""
        entries: list[Self] = [msgspec.convert(entry, cls) for entry in tomllib.loads(path.read_text())["wrong"]]
        for each in entries:
            if bool(each.promises) == bool(each.unseen):
                raise ValueError(f"{each.name}: either promises, or why it is unseen")
        named = {each.name: each for each in entries}
        if len(named) < len(entries):
            raise ValueError("two wrong layers have one name")
        return named

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the layer be this one: its functions do as the changed text says, whoever has imported them."""
        module = importlib.import_module(f"eachonce.{self.module}")
        text = Path(str(module.__file__)).read_text()
        if text.count(self.was) != 1:
            raise ValueError(f"{self.name}: {module.__name__} has the text {text.count(self.was)} times")
        changed = ModuleType(module.__name__)
        changed.__file__ = module.__file__
        exec(compile(text.replace(self.was, self.becomes), str(module.__file__), "exec"), vars(changed))
        with ExitStack() as stack:
            for function, wrong in _pairs(vars(module), vars(changed), module.__name__):
                stack.enter_context(_doing(function, wrong))
            for name, value in _constants(vars(module)):
                if value != vars(changed).get(name, value):
                    stack.enter_context(patch.object(module, name, vars(changed)[name]))
            yield


@contextmanager
def _doing(function: FunctionType, wrong: FunctionType) -> Iterator[None]:
    """Let a function do what another one does."""
    right = {name: getattr(function, name) for name in _PARTS}
    try:
        for name in _PARTS:
            setattr(function, name, getattr(wrong, name))
        yield
    finally:
        for name, part in right.items():
            setattr(function, name, part)


def _pairs(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], module: str
) -> Iterator[tuple[FunctionType, FunctionType]]:
    """Yield each function of a module, or of a class of it, with its counterpart."""
    for name, one in ours.items():
        other, function, wrong = theirs.get(name), _function(one), _function(theirs.get(name))
        if isinstance(one, type) and isinstance(other, type) and one.__module__ == module:
            yield from _pairs(vars(one), vars(other), module)
        elif function is not None and wrong is not None and function.__module__ == module:
            yield function, wrong


def _function(thing: Any) -> FunctionType | None:
    """Return the function that a member of a module or a class is, or is made of."""
    match thing:
        case property():
            return _function(thing.fget)
        case cached_property():
            return _function(thing.func)
        case classmethod() | staticmethod():
            return _function(thing.__func__)
    inner = getattr(thing, "__wrapped__", thing)
    return inner if isinstance(inner, FunctionType) else None


def _constants(names: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a module calls its own by a name in capitals."""
    return ((name, value) for name, value in names.items() if name.lstrip("_").isupper())
