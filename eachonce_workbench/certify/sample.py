"""Samples: valid data of a contract, drawn from values so few that events meet in the same rows.

The strategies are hypothesis', derived from the contract's types as msgspec sees them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from eachonce import Contract, ContractError
from eachonce.model import decode, encode
from hypothesis import reject
from hypothesis import strategies as st
from msgspec import inspect as types

from eachonce_workbench.certify.drawing import matching
from eachonce_workbench.certify.limits import bounds, long_enough, within
from eachonce_workbench.certify.shape import shape_of

Strategy = st.SearchStrategy[Any]

_NUMBERS = (1, 2, 3, 5, 0, -1, -2)
_TENTHS = ("0.1", "0.2", "0.3")  # whose sum, as floats, depends on the order
_HOURS = (0, 5, 30)  # two of one day, and one of the next
_MOST = 2  # in a list
_DEEPEST = 4
_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - a local time, where the contract wants one


class NoSampleError(Exception):
    """No data can be made up for a contract."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What an event's data is drawn from: `words` for every text, and of numbers and times the `turn`-th or any."""

    words: tuple[str, ...]
    turn: int | None = None

    def of(self, values: Iterable[Any]) -> Strategy:
        """Return a strategy for some values, with the simplest first."""
        few = tuple(values)[:3]
        return st.sampled_from(few) if self.turn is None else st.just(few[self.turn % len(few)])


def samples(contract: type[Contract], pool: Pool) -> Strategy:
    """Return a strategy for valid data of a contract. Raises NoSampleError where one of its types has none."""
    shape = shape_of(contract)
    made = _strategy(types.type_info(shape), pool, contract.__name__, 0)
    return (made if shape is contract else made.map(lambda data: _as(contract, data))).filter(_valid)


def _as(contract: type[Any], data: Any) -> Any:
    """Return what has the shape of a contract's data as its data; what they may not be is no sample."""
    try:
        return decode(contract, msgspec.json.encode(data))
    except ContractError:
        reject()


def _valid(data: Contract) -> bool:
    """Whether the data survives its way through JSON: types without a bound in the schema may be checked there."""
    try:
        return decode(type(data), msgspec.json.encode(data, enc_hook=encode)) == data
    except ContractError:
        return False


def _strategy(kind: Any, pool: Pool, where: str, depth: int) -> Strategy:
    if depth > _DEEPEST:
        raise NoSampleError(f"{where} nests too deeply to make up data for it")
    match kind:
        case types.Metadata():
            return _strategy(kind.type, pool, where, depth)
        case types.StructType() | types.DataclassType() | types.TypedDictType():
            return _struct(kind, pool, where, depth)
        case types.UnionType():
            return _union(kind, pool, where, depth)
        case types.ListType() | types.VarTupleType() | types.SetType() | types.FrozenSetType():
            return _collection(kind, pool, where, depth)
        case types.TupleType():
            return st.tuples(*(_strategy(item, pool, where, depth + 1) for item in kind.item_types))
        case types.DictType():
            keys, values = (_strategy(part, pool, where, depth + 1) for part in (kind.key_type, kind.value_type))
            return st.dictionaries(keys, values, min_size=kind.min_length or 0, max_size=_MOST)
        case types.EnumType():
            return st.sampled_from(list(kind.cls))
        case types.LiteralType():
            return st.sampled_from(sorted(kind.values, key=str))
    for plain, make in _PLAIN.items():
        if isinstance(kind, plain):
            return make(kind, pool)
    raise NoSampleError(f"{where}: no data can be made up for a {type(kind).__name__}; give events of your own")


def _struct(kind: Any, pool: Pool, where: str, depth: int) -> Strategy:
    fields = {field.name: _strategy(field.type, pool, f"{where}.{field.name}", depth + 1) for field in kind.fields}

    def make(values: dict[str, Any]) -> Any:
        try:
            return kind.cls(**values)
        except (ValueError, TypeError):  # what __post_init__ refuses is no sample
            reject()

    return st.fixed_dictionaries(fields).map(make)


def _union(kind: Any, pool: Pool, where: str, depth: int) -> Strategy:
    if kind.includes_none and depth >= _DEEPEST - 1:
        return st.none()
    some = sorted(kind.types, key=lambda one: isinstance(one, types.NoneType))
    if pool.turn is not None:  # an event of its own turn has something to say
        some = some[:1]
    return st.one_of([_strategy(one, pool, where, depth + 1) for one in some])


def _collection(kind: Any, pool: Pool, where: str, depth: int) -> Strategy:
    least, most = kind.min_length or 0, kind.max_length if kind.max_length is not None else _MOST
    if least == 0 and depth >= _DEEPEST - 1:
        return st.just(_made(kind, []))
    if pool.turn is not None:
        least = max(least, min(1, most))
    items = _strategy(kind.item_type, pool, where, depth + 1)
    lists = st.lists(items, min_size=least, max_size=max(least, min(_MOST, most)))
    return lists.map(lambda values: _made(kind, values))


def _made(kind: Any, values: list[Any]) -> Any:
    into = {types.VarTupleType: tuple, types.SetType: set, types.FrozenSetType: frozenset}.get(type(kind), list)
    return into(values)


def _number(kind: Any, pool: Pool) -> Strategy:
    return pool.of([value for value in (*_NUMBERS, *bounds(kind)) if within(kind, value)] or [0])


def _float(kind: Any, pool: Pool) -> Strategy:
    return pool.of([value for value in (*map(float, _TENTHS), 1.0, -1.0) if within(kind, value)] or [0.0])


def _text(kind: Any, pool: Pool) -> Strategy:
    if kind.pattern is not None:
        few = [text for text in matching(kind.pattern) if long_enough(kind, text)]
        if not few:
            return st.from_regex(kind.pattern, fullmatch=True)
        return st.sampled_from(tuple(few[(ord(word[0]) - ord("a")) % len(few)] for word in pool.words))
    words = (word.ljust(kind.min_length or 0, word[0])[: kind.max_length] for word in pool.words)
    return st.sampled_from(tuple(words))


def _moment(kind: Any, pool: Pool) -> Strategy:
    at = _DAY if kind.tz is False else _DAY.replace(tzinfo=UTC)
    return pool.of(at + timedelta(hours=hours) for hours in _HOURS)


_PLAIN: dict[type, Callable[[Any, Pool], Strategy]] = {
    types.BoolType: lambda _, pool: pool.of([True, False]),
    types.IntType: _number,
    types.FloatType: _float,
    types.DecimalType: lambda _, pool: pool.of(map(Decimal, _TENTHS)),
    types.StrType: _text,
    types.BytesType: lambda _, pool: st.sampled_from([word.encode() for word in pool.words]),
    types.DateTimeType: _moment,
    types.DateType: lambda _, pool: pool.of(date(2026, 1, day) for day in (1, 2, 3)),
    types.TimeType: lambda kind, pool: pool.of(time(hour, tzinfo=UTC if kind.tz else None) for hour in (1, 2, 3)),
    types.TimeDeltaType: lambda _, pool: pool.of(timedelta(seconds=seconds) for seconds in (1, 2, 3)),
    types.UUIDType: lambda _, pool: st.sampled_from([uuid.uuid5(uuid.NAMESPACE_OID, word) for word in pool.words]),
    types.NoneType: lambda _, __: st.none(),
    types.AnyType: lambda _, pool: st.sampled_from(pool.words),
}
