"""Constants: the code behind some functions, and what it compares with, so that events are drawn around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import partial
from inspect import unwrap
from itertools import islice
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, TypeVar

from eachonce_workbench.certify.drawing import matching
from eachonce_workbench.certify.memory import is_own

_MOST = 24
_LONGEST_WORD = 64
_LARGEST = Decimal(10**15)
_DIGITS = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# What a word that isn't meant as a pattern hardly has.
_PATTERN = re.compile(r"\\[dDwWsSb]|\[[^\]]+\]|^\^|\(\?P<|[)\]}.][*+?{]")
_MOST_PATTERNS = 4
_OF_A_PATTERN = 3
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Constants:
    """What code has of its own: numbers, words and times, in the order in which it names them."""

    numbers: tuple[Decimal, ...] = ()
    words: tuple[str, ...] = ()
    times: tuple[datetime, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The words that may be names of attributes."""
        return tuple(word for word in self.words if _NAME.fullmatch(word))


@dataclass(slots=True)
class Code:
    """All code of a bundle's own that some functions reach: `bodies`, and the constants in it and beside it."""

    bodies: list[CodeType]
    values: list[Any]

    @classmethod
    def of(cls, functions: Iterable[Any]) -> Code:
        """Return the code of functions, methods, callable objects and classes, and of what they name."""
        found = cls([], [])
        seen: set[int] = set()
        waiting = list(functions)
        while waiting:
            thing = waiting.pop(0)
            if id(thing) not in seen:
                seen.add(id(thing))
                waiting += found._behind(thing)
        return found

    @property
    def constants(self) -> Constants:
        """The constants, simplest kinds only."""
        plain = [value for given in self.values for value in _plain(given)]
        numbers = [number for value in plain for number in _numbers(value)]
        words = [value for value in plain if isinstance(value, str) and 0 < len(value) <= _LONGEST_WORD]
        words = [*_matching([*(given for given in self.values if isinstance(given, re.Pattern)), *words]), *words]
        times = [moment for value in plain for moment in _times(value)]
        times += _dates([int(number) for number in numbers if number == int(number)])
        return Constants(_few(numbers), _few(words), _few(times))

    def _behind(self, thing: Any) -> list[Any]:
        """Note what is plain about something, and return what else it leads to."""
        if isinstance(thing, partial):
            return [thing.func, *thing.args, *thing.keywords.values()]
        if isinstance(thing, MethodType):
            return [thing.__func__, *_attributes(thing.__self__)]
        if isinstance(thing, FunctionType):
            return self._function(unwrap(thing)) if is_own(thing.__module__) else []
        if isinstance(thing, type):
            return [value for kind in thing.__mro__ if is_own(kind.__module__) for value in _members(kind)]
        if callable(thing) and is_own(type(thing).__module__):
            return [type(thing), *_attributes(thing)]
        self.values.append(thing)
        return []

    def _function(self, function: Any) -> list[Any]:
        if not isinstance(function, FunctionType):
            return [function]
        names = self._body(function.__code__)
        led = [function.__globals__[name] for name in names if name in function.__globals__]
        modules = [vars(one) for one in led if isinstance(one, ModuleType) and is_own(one.__name__)]
        led += [module[name] for module in modules for name in names if name in module]
        for cell in function.__closure__ or ():
            try:
                led.append(cell.cell_contents)
            except ValueError:  # not filled yet
                continue
        defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        return [*defaults, *(one for one in led if not isinstance(one, ModuleType))]

    def _body(self, code: CodeType) -> list[str]:
        """Note a body and those inside it, and return the names that they look up."""
        self.bodies.append(code)
        inner = [one for one in code.co_consts if isinstance(one, CodeType)]
        self.values += [one for one in code.co_consts if not isinstance(one, CodeType)]
        return list(dict.fromkeys([*code.co_names, *(name for one in inner for name in self._body(one))]))


def _members(kind: type) -> Iterator[Any]:
    """Yield what a class says itself: its functions, properties and data."""
    for name, value in vars(kind).items():
        if isinstance(value, property):
            yield from filter(None, (value.fget,))
        elif isinstance(value, classmethod | staticmethod):
            yield value.__func__
        elif isinstance(value, FunctionType) or not name.startswith("_"):
            yield value


def _attributes(thing: Any) -> list[Any]:
    return list(vars(thing).values()) if hasattr(thing, "__dict__") and is_own(type(thing).__module__) else []


def _plain(value: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the plain values in a container."""
    if isinstance(value, Mapping) and depth < 3:
        yield from (one for pair in list(value.items())[:_MOST] for part in pair for one in _plain(part, depth + 1))
    elif isinstance(value, tuple | list | set | frozenset) and depth < 3:
        yield from (one for part in sorted(value, key=repr)[:_MOST] for one in _plain(part, depth + 1))
    elif isinstance(value, str | int | float | Decimal | date | time) and not isinstance(value, bool):
        yield value


def _numbers(value: Any) -> Iterator[Decimal]:
    if isinstance(value, int | float | Decimal) or (isinstance(value, str) and _DIGITS.fullmatch(value)):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return
        if number.is_finite() and abs(number) <= _LARGEST:
            yield number


def _matching(values: Iterable[str | re.Pattern[Any]]) -> Iterator[str]:
    """Yield texts that the code's own patterns take, a few of each."""
    patterns = (value if isinstance(value, str) else value.pattern for value in values)
    written = (text for text in patterns if isinstance(text, str) and _PATTERN.search(text))
    for text in islice(dict.fromkeys(written), _MOST_PATTERNS):
        with suppress(re.error):
            yield from matching(text)[:_OF_A_PATTERN]


def _times(value: Any) -> Iterator[datetime]:
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, date):
        yield datetime(value.year, value.month, value.day)  # noqa: DTZ001 - whoever draws it gives it a zone
    elif isinstance(value, str) and len(value) >= len("2026-01-01"):
        try:
            yield datetime.fromisoformat(value)
        except ValueError:
            return


def _dates(numbers: list[int]) -> Iterator[datetime]:
    """Yield the days that some numbers may mean together: a year, a month, a day."""
    years = [number for number in numbers if 1970 <= number <= 2200][:2]
    months = [number for number in numbers if 1 <= number <= 12][:3]
    days = [number for number in numbers if 1 <= number <= 28][:4]
    for year in years:
        for month in months or [1]:
            for day in days or [1]:
                yield datetime(year, month, day)  # noqa: DTZ001 - as above


def _few(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))[:_MOST]
