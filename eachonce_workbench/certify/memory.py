"""Memory: what a handler keeps between events, so that it can be made to forget.

That is whatever its function reaches and a run may change: globals of its own modules, closures, defaults, attributes
of the function, of its object and of classes, what is in containers, and caches. What libraries keep is left alone.
"""

from __future__ import annotations

import copy
import io
import sqlite3
import sys
import threading
from ast import literal_eval
from collections import deque
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import suppress
from enum import Enum
from functools import partial
from itertools import count
from pathlib import PurePath
from types import FunctionType, MethodType, ModuleType
from typing import Any

_FOREIGN = frozenset(
    {"boto3", "botocore", "eachonce", "hypothesis", "msgspec", "pytest", "_pytest", "eachonce_workbench"}
)


class Memory:
    """All that some functions keep, as it was when this was made.

    It is `whole` unless there is an iterator in it: how far that is, nobody can put back.
    """

    def __init__(self, functions: list[Callable[..., Any]]) -> None:
        self.whole = True
        self._seen: set[int] = set()
        self._kept: list[Callable[[], None]] = []
        for function in functions:
            self._function(function)

    def restore(self) -> None:
        """Make the functions forget what they have kept since."""
        for put_back in self._kept:
            put_back()

    def _function(self, function: Any) -> None:
        if not self._first(function):
            return
        if isinstance(function, partial):
            self._function(function.func)
            self._values([*function.args, *function.keywords.values()])
        elif isinstance(function, MethodType):
            self._function(function.__func__)
            self._object(function.__self__)
        elif hasattr(function, "cache_clear"):
            self._kept.append(function.cache_clear)
            self._function(getattr(function, "__wrapped__", None))
        elif isinstance(function, FunctionType) and is_own(function.__module__):
            self._names(function.__globals__)
            self._names(function.__dict__)
            self._values([*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()])
            for cell in function.__closure__ or ():
                self._cell(cell)
        elif callable(function) and is_own(type(function).__module__):
            self._attributes(function)
            self._function(type(function).__call__)

    def _names(self, names: MutableMapping[str, Any]) -> None:
        """Keep the values of a namespace, and which names it has."""
        if not self._first(names):
            return
        known = {name: value for name, value in names.items() if not name.startswith("__")}
        counters = {name: repr(value) for name, value in known.items() if type(value) is count}

        def put_back() -> None:
            for name in [name for name in names if name not in known and not name.startswith("__")]:
                del names[name]
            names.update(known)
            names.update({name: _counter(shown) for name, shown in counters.items()})

        self._kept.append(put_back)
        self._values([value for name, value in known.items() if name not in counters])

    def _cell(self, cell: Any) -> None:
        try:
            value = cell.cell_contents
        except ValueError:  # not filled yet
            return
        self._kept.append(lambda: setattr(cell, "cell_contents", value))
        self._values([value])

    def _values(self, values: list[Any]) -> None:
        for value in values:
            if isinstance(value, ModuleType):
                if is_own(value.__name__):
                    self._names(value.__dict__)
            elif isinstance(value, type):
                self._class(value)
            elif isinstance(value, list | dict | set | bytearray | deque):
                self._container(value)
            elif isinstance(value, io.IOBase):
                self._file(value)
            elif isinstance(value, sqlite3.Connection):
                self._database(value)
            elif isinstance(value, threading.local):
                self._names(value.__dict__)
            elif isinstance(value, Iterator):
                self.whole = False
            elif callable(value):
                self._function(value)
            elif is_own(type(value).__module__):
                self._object(value)

    def _object(self, thing: Any) -> None:
        if not isinstance(thing, type | Enum) and self._first(thing):
            self._attributes(thing)

    def _attributes(self, thing: Any) -> None:
        self._class(type(thing))
        if hasattr(thing, "__dict__"):
            self._names(thing.__dict__)
        for name in [name for kind in type(thing).__mro__ for name in _slots(kind)]:
            if hasattr(thing, name):
                value = getattr(thing, name)
                self._kept.append(partial(object.__setattr__, thing, name, value))
                self._values([value])

    def _class(self, kind: type) -> None:
        """Keep a class's own data attributes."""
        if not is_own(kind.__module__) or issubclass(kind, Enum) or not self._first(kind):
            return
        for name, value in list(vars(kind).items()):
            if name.startswith("__") or callable(value) or hasattr(value, "__get__"):
                continue
            self._kept.append(partial(setattr, kind, name, value))
            self._values([value])

    def _container(self, value: Any) -> None:
        """Keep what is in a container, and put it back into the same one: others may hold it, too."""
        if not self._first(value):
            return
        kept = copy.copy(value)
        self._kept.append(lambda: _refill(value, kept))
        if isinstance(value, dict):
            self._values([*value.keys(), *value.values()])
        elif not isinstance(value, bytearray):
            self._values(list(value))

    def _file(self, value: Any) -> None:
        """Keep how far a file was read; of one in memory, all that is in it, too. What is written to others stays."""
        in_memory = isinstance(value, io.StringIO | io.BytesIO)
        if not self._first(value):
            return
        try:
            if value.writable() and not in_memory:
                return
            place, text = value.tell(), value.getvalue() if in_memory else None
        except (OSError, ValueError):  # nothing that can be read again, or closed
            return

        def put_back() -> None:
            with suppress(OSError, ValueError):
                if text is not None:
                    value.seek(0)
                    value.truncate()
                    value.write(text)
                value.seek(place)

        self._kept.append(put_back)

    def _database(self, value: sqlite3.Connection) -> None:
        """Keep what is in a database in memory; one in a file is a file."""
        if not self._first(value):
            return
        with suppress(sqlite3.Error):
            kept = value.serialize()
            # The path of a file is absolute; what was put back once has another word there.
            if not any(PurePath(file).is_absolute() for _, _, file in value.execute("PRAGMA database_list")):
                self._kept.append(lambda: value.deserialize(kept))

    def _first(self, thing: Any) -> bool:
        new = id(thing) not in self._seen
        self._seen.add(id(thing))
        return new


def _refill(container: Any, content: Any) -> None:
    if isinstance(container, list | bytearray):
        container[:] = content
        return
    container.clear()
    add: Callable[[Any], None] = container.extend if hasattr(container, "extend") else container.update
    add(content)


def _counter(shown: str) -> count[Any]:
    """Return a counter that is where another was when it was shown, as count(1) or count(1, 2)."""
    return count(*literal_eval(f"({shown.removeprefix('count(').removesuffix(')')},)"))


def _slots(kind: type) -> Sequence[str]:
    """Return the names of a class's own slots; those that begin with two underscores are Python's business."""
    slots: str | Iterable[str] = vars(kind).get("__slots__", ())
    return [name for name in ([slots] if isinstance(slots, str) else slots) if not name.startswith("__")]


def is_own(module: str | None) -> bool:
    """Whether a module may be the handler's own, and no library's."""
    top = (module or "builtins").partition(".")[0]
    if top in sys.stdlib_module_names or top in _FOREIGN:
        return False
    loaded = sys.modules.get(module or "")
    return "site-packages" not in (getattr(loaded, "__file__", None) or "")
