"""The palette: for each type of a contract, a few values that meet, differ and go to extremes, the plainest first.

Data are written as a list of choices, one for each place where there is one: of a value, of a kind, of how many. So
two events can be alike in all but one choice, or differ in all but a key's.
"""

from __future__ import annotations

import re
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any, Protocol

import msgspec
from eachonce import ContractError
from eachonce.model import decode, encode
from msgspec import inspect as types

from eachonce_workbench.certify.constants import Constants
from eachonce_workbench.certify.drawing import matching
from eachonce_workbench.certify.limits import bounds, long_enough, within
from eachonce_workbench.certify.shape import shape_of

_DEEPEST = 4
_PLAIN_WORDS = ("a", "b", "aa", "ab", "A", "a ", "0", "1", "c", "d")
# What else texts are made to say: a number, a day, a moment, a card's number, an address, a list, a document.
_WRITTEN = (
    "12",
    "2026-01-01",
    "2026-02-01T00:00:00+00:00",
    "4000000000000002",
    "a@example.com",
    "https://example.com/a",
    "a-1",
    "a:1",
    "a,b",
    "1.5",
    "{}",
)
_LONG = 40
_WHOLE = (1, 2, 3, 0, -1, -2, 5, 10, 100, -100, 1_000, 1_000_000)
_PARTS = ("0.1", "0.2", "0.3", "1", "0", "-1", "-2.5", "2.5", "100", "1000000")
_MOST = 48
_DAY = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - a local time, where the contract wants one
# Edges of days, months and years, a leap day, and each month of a year.
_MOMENTS = (
    timedelta(),
    timedelta(hours=5),
    timedelta(days=1),
    timedelta(hours=-12),
    timedelta(hours=-12, seconds=-1),
    timedelta(days=30, hours=11, minutes=59, seconds=59),
    timedelta(days=31),
    timedelta(days=31, microseconds=1),
    timedelta(days=-673),  # the leap day of 2024
    timedelta(days=2),
    timedelta(days=3),
    *(timedelta(days=30.4 * month + 20) for month in range(1, 12)),
)
_MOST_COUNTED = 40
_DURATIONS = (1, 2, 3, 0, 60, 86_400)


class Choose(Protocol):
    """Takes one of some options, of which the first is the plainest."""

    def __call__(self, options: Sequence[Any]) -> Any:
        """Return one of them; there is at least one."""


@dataclass(slots=True)
class Choices:
    """Chooses by a list of numbers, and the plainest beyond its end; `sizes` are how many options there were."""

    places: Sequence[int]
    sizes: list[int]

    def __call__(self, options: Sequence[Any]) -> Any:
        """Return the next option."""
        place = self.places[len(self.sizes)] if len(self.sizes) < len(self.places) else 0
        self.sizes.append(len(options))
        return options[place % len(options)]


class NothingFitsError(Exception):
    """No value can be made up for a type."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Makes up data around the constants of the code that handles them."""

    constants: Constants
    _known: dict[int, Sequence[Any]] = field(default_factory=dict)

    def data(self, contract: type[Any], choose: Choose) -> Any:
        """Return data of a contract; None where what was chosen breaks its rules. Raises NothingFitsError."""
        described: Any = contract
        made = self._made(_info(described), choose, 0)
        try:
            data = decode(contract, msgspec.json.encode(made))
            # A contract of strange types can't be encoded, and so is none to send.
            msgspec.json.encode(data, enc_hook=encode)
        except (ContractError, TypeError, ValueError):
            return None
        return data

    def _made(self, kind: Any, choose: Choose, depth: int) -> Any:
        if depth > _DEEPEST:
            raise NothingFitsError
        match kind:
            case types.Metadata():
                return self._made(kind.type, choose, depth)
            case types.StructType() | types.DataclassType() | types.TypedDictType():
                made = {field.encode_name: self._made(field.type, choose, depth + 1) for field in kind.fields}
                tag = getattr(kind, "tag_field", None)
                return made if tag is None else made | {tag: getattr(kind, "tag", None)}
            case types.UnionType():
                return self._made(choose(_alternatives(kind, depth)), choose, depth + 1)
            case types.ListType() | types.VarTupleType() | types.SetType() | types.FrozenSetType():
                return [
                    self._made(kind.item_type, choose, depth + 1)
                    for _ in range(choose(_lengths(kind, depth, self.constants)))
                ]
            case types.TupleType():
                return [self._made(item, choose, depth + 1) for item in kind.item_types]
            case types.DictType():
                many = choose(_lengths(kind, depth, self.constants))
                keys = [str(self._made(kind.key_type, choose, depth + 1)) for _ in range(many)]
                return {key: self._made(kind.value_type, choose, depth + 1) for key in keys}
        return choose(self.values(kind))

    def values(self, kind: Any) -> Sequence[Any]:
        """Return the values of a plain type as JSON has them. Raises NothingFitsError where none is known."""
        if id(kind) not in self._known:
            made = next((values for plain, values in _VALUES.items() if isinstance(kind, plain)), None)
            found = () if made is None else made(kind, self.constants)
            self._known[id(kind)] = list(dict.fromkeys(found))[:_MOST]
        if not self._known[id(kind)]:
            raise NothingFitsError
        return self._known[id(kind)]


def _lengths(kind: Any, depth: int, constants: Constants) -> Sequence[int]:
    """Return how many there may be: a few, and around the small numbers that the code counts to."""
    least, most = kind.min_length or 0, kind.max_length
    if depth >= _DEEPEST - 1:
        return [least]
    counted = [int(number) for number in constants.numbers if 2 < number <= _MOST_COUNTED and number == int(number)][:3]
    lengths = (max(1, least), least, 2, 3, *(length for number in counted for length in (number, number + 1)))
    return [length for length in dict.fromkeys(lengths) if least <= length <= (most or length)]


@cache
def _info(contract: Any) -> Any:
    """Return how msgspec sees a contract, always by the same objects."""
    return types.type_info(shape_of(contract))


def _alternatives(kind: Any, depth: int) -> Sequence[Any]:
    some = sorted(kind.types, key=lambda one: isinstance(one, types.NoneType))
    return some[-1:] if kind.includes_none and depth >= _DEEPEST - 1 else some


def _around(constants: Constants) -> Iterator[Decimal]:
    """Yield the code's own numbers, what is next to them, and what reaches them together with another of its kind."""
    for number in constants.numbers:
        yield from (number, number + 1, number - 1)
    for number in constants.numbers:
        if number > 3:
            yield from (number // 2, number // 2 + 1)


def _whole(kind: Any, constants: Constants) -> Iterator[int]:
    around = [int(number) for number in _around(constants)]
    wanted = [*_WHOLE[:2], *around[:3], *_WHOLE[2:6], *bounds(kind), *around[3:30], *_WHOLE[6:], *around[30:]]
    step = kind.multiple_of
    yield from (int(value) for value in wanted if within(kind, value))
    if step:
        yield from (value * step for value in (1, 2, 3) if within(kind, value * step))


def _float(kind: Any, constants: Constants) -> Iterator[float]:
    ends = [float(bound) for bound in (kind.ge, kind.le) if bound is not None]
    wanted = [*map(float, _PARTS), *ends, *map(float, _around(constants))]
    yield from (value for value in wanted if within(kind, value))


def _decimal(_: Any, constants: Constants) -> Iterator[str]:
    around = list(map(str, _around(constants)))
    yield from (*_PARTS[:2], *around[:3], *_PARTS[2:], *around[3:])


def _texts(kind: Any, constants: Constants) -> Iterator[str]:
    """Yield words that are alike when they are cut, joined, stripped or folded, and the code's own."""
    if kind.pattern is not None:
        wanted: Iterable[str] = [*matching(kind.pattern), *constants.words]
        fits = [text for text in wanted if _fits(kind, text)]
        yield from fits
        return
    least, most = kind.min_length or 0, kind.max_length
    long = "l" * max(least - 1, min(_LONG, (most or _LONG)) - 1)
    words = [
        *_PLAIN_WORDS[:2],
        *constants.words[:3],
        *_PLAIN_WORDS[2:6],
        *_WRITTEN[:2],
        *constants.words[3:10],
        *_WRITTEN[2:],
        *constants.words[10:],
        f"{long}1",
        f"{long}2",
        f"2{long[1:]}1",
    ]
    words += [f"{word}{end}" for word in constants.words[:8] for end in ("a", "1")]
    words += [word.swapcase() for word in constants.words[:8]]
    words += [*_PLAIN_WORDS[6:], *(str(number) for number in constants.numbers[:8])]
    for word in words:
        fitted = word.ljust(least, word[-1])[:most]
        if fitted and _fits(kind, fitted):
            yield fitted


def _fits(kind: Any, text: str) -> bool:
    return long_enough(kind, text) and (kind.pattern is None or re.search(kind.pattern, text) is not None)


def _moments(kind: Any, constants: Constants) -> Iterator[str]:
    days = [*(_DAY + away for away in _MOMENTS), *(moment.replace(tzinfo=None) for moment in constants.times)]
    if kind.tz is False:
        yield from (day.isoformat() for day in days)
        return
    yield from (day.replace(tzinfo=UTC).isoformat() for day in days)
    elsewhere = timezone(timedelta(hours=2))
    yield _DAY.replace(tzinfo=UTC).astimezone(elsewhere).isoformat()  # the first, in other words


def _dates(_: Any, constants: Constants) -> Iterator[str]:
    moments = [*(_DAY + away for away in _MOMENTS), *constants.times]
    return (date(moment.year, moment.month, moment.day).isoformat() for moment in moments)


def _uuids(_: Any, __: Constants) -> Iterator[str]:
    return (str(uuid.uuid5(uuid.NAMESPACE_OID, word)) for word in _PLAIN_WORDS[:3])


_VALUES: dict[type, Callable[[Any, Constants], Iterable[Any]]] = {
    types.BoolType: lambda _, __: [True, False],
    types.IntType: _whole,
    types.FloatType: _float,
    types.DecimalType: _decimal,
    types.StrType: _texts,
    types.BytesType: lambda _, __: [b64encode(word.encode()).decode() for word in _PLAIN_WORDS[:3]],
    types.DateTimeType: _moments,
    types.DateType: _dates,
    types.TimeType: lambda kind, _: [f"{hour:02}:00:00{'Z' if kind.tz else ''}" for hour in (1, 2, 12, 23, 0)],
    types.TimeDeltaType: lambda _, __: [f"PT{seconds}S" for seconds in _DURATIONS],
    types.UUIDType: _uuids,
    types.NoneType: lambda _, __: [None],
    types.AnyType: lambda _, __: ["a", "b", 1],
    types.EnumType: lambda kind, _: [member.value for member in kind.cls],
    types.LiteralType: lambda kind, _: sorted(kind.values, key=str),
}
