"""Marks: where in a contract's JSON the personal fields are.

They are looked for once a contract. A mark that could not be kept (on a number, in a set) is refused where the contract
is registered or published: a field that somebody believes to be encrypted must not go in clear.
"""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any, NewType, TypeVar, Union, get_args, get_origin

import msgspec

from eachonce import pydantic_model
from eachonce.description import ENVELOPE, Description
from eachonce.errors import HandlerError
from eachonce.field_cipher import Path
from eachonce.personal import Personal

_LISTS = (list, collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Collection)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)

Replace = Callable[[Path, str], str]


class Marks(msgspec.Struct, eq=False):
    """What is personal in a value: itself, or what is in it.

    - `text`: whether the value is a personal text
    - `members`: the marks of an object's members, by their names in the JSON
    - `attributes`: one of the same names, by those of the class's attributes
    - `values`: the marks of every member, where an object's names are data
    - `items`: those of every item, and `places` those of the items of a tuple
    - `either`: the marks of several types that the value may be of; what is personal in one of them is
    """

    text: bool = False
    members: dict[str, Marks] = msgspec.field(default_factory=dict)
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    values: Marks | None = None
    items: Marks | None = None
    places: dict[int, Marks] = msgspec.field(default_factory=dict)
    either: tuple[Marks, ...] = ()

    def rewrite(self, text: bytes | msgspec.Raw, replace: Replace, path: Path = ()) -> bytes:
        """Return JSON text with each personal text in it replaced; all else stays as it is, to the byte.

        Raises msgspec.DecodeError where it is no JSON on the way there.
        """
        raw = bytes(text).strip(b" \t\r\n")
        match raw[:1]:
            case b'"' if self.is_text:
                return msgspec.json.encode(replace(path, msgspec.json.decode(raw, type=str)))
            case b"{":
                return self._object(raw, replace, path)
            case b"[":
                return self._array(raw, replace, path)
        return raw

    def _object(self, raw: bytes, replace: Replace, path: Path) -> bytes:
        found = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        for name, inner in found.items():
            if (marks := self.member(name)) is not None:
                found[name] = msgspec.Raw(marks.rewrite(inner, replace, (*path, name)))
        return msgspec.json.encode(found)

    def _array(self, raw: bytes, replace: Replace, path: Path) -> bytes:
        found = msgspec.json.decode(raw, type=list[msgspec.Raw])
        for place, inner in enumerate(found):
            if (marks := self.item(place)) is not None:
                found[place] = msgspec.Raw(marks.rewrite(inner, replace, (*path, place)))
        return msgspec.json.encode(found)

    @property
    def is_text(self) -> bool:
        """Whether the value is a personal text, where it is a text at all."""
        return self.text or any(one.is_text for one in self.either)

    def member(self, name: str) -> Marks | None:
        """Return the marks of an object's member; None where nothing of it is personal."""
        return _either([self.members.get(name, self.values), *(one.member(name) for one in self.either)])

    def attribute(self, name: str) -> Marks | None:
        """Return the marks of an object's attribute, whatever the JSON calls it."""
        own = self.members[self.attributes[name]] if name in self.attributes else None
        return _either([own, *(one.attribute(name) for one in self.either)])

    def item(self, place: int) -> Marks | None:
        """Return the marks of an array's item."""
        return _either([self.places.get(place, self.items), *(one.item(place) for one in self.either)])

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield attributes and what they are called in the JSON."""
        yield from self.attributes.items()
        for one in self.either:
            yield from one.names()

    def below(self) -> Iterator[Marks]:
        """Yield the marks of all that is in the value."""
        yield from self.members.values()
        yield from self.places.values()
        yield from self.either
        yield from (marks for marks in (self.values, self.items) if marks is not None)

    def has(self, path: str) -> bool:
        """Whether the field at a path such as `order.customer` is personal."""
        marks: Marks | None = self
        for name in path.split("."):
            marks = None if marks is None else marks.member(name)
        return marks is not None and marks.is_text


@cache
def marks_of(contract: Any) -> Marks | None:
    """Return where a contract's personal fields are; None where it has none. Raises HandlerError for a bad mark."""
    marks = _Search().of_class(contract)
    if not _any(marks, set()):
        return None
    _require_finite(marks, [], _name(contract))
    return marks


def require_marks(contract: Any, described: Description) -> None:
    """Raise HandlerError where a contract has a bad mark, or a personal field tells its events apart.

    What tells one from another, and what it is about, is in the envelope, in keys and in logs, and so in clear.
    """
    marks = marks_of(contract)
    told = () if described.identity in (None, ENVELOPE) else described.identity
    for path in (*told, *(() if described.subject is None else (described.subject,))):
        if marks is not None and marks.has(path):
            raise HandlerError(f"{described.type}: {path} is personal, and an identity or a subject is in clear")


def _any(marks: Marks, seen: set[int]) -> bool:
    if marks.text:
        return True
    seen.add(id(marks))
    return any(id(inner) not in seen and _any(inner, seen) for inner in marks.below())


def _require_finite(marks: Marks, outer: list[int], contract: str) -> None:
    if id(marks) in outer:
        raise HandlerError(f"{contract} may contain itself: then its fields can't be personal")
    for inner in marks.below():
        if _any(inner, set()):
            _require_finite(inner, [*outer, id(marks)], contract)


class _Search:
    """One search through a contract's types, which may contain themselves."""

    def __init__(self) -> None:
        self._classes: dict[Any, Marks] = {}

    def of_class(self, kind: Any) -> Marks:
        if kind in self._classes:
            return self._classes[kind]
        marks = self._classes[kind] = Marks()
        for attribute, name, declared in fields_of(kind):
            inner = self._of(declared, f"{_name(kind)}.{attribute}")
            if inner is not None:
                marks.members[name] = inner
                marks.attributes[attribute] = name
        if _is_array(kind):
            _refuse_below(marks, f"{_name(kind)} is written as an array")
        if pydantic_model.is_one(kind) and not pydantic_model.is_model(kind):
            _refuse_below(marks, f"{_name(kind)} is a dataclass of pydantic's")
        return marks

    def _of(self, declared: Any, where: str) -> Marks | None:
        """Return the marks of a declared type; None where nothing in it can be personal."""
        declared = plain(declared)
        if get_origin(declared) is Annotated:
            inner, *said = get_args(declared)
            return _text(inner, where) if any(map(is_mark, said)) else self._of(inner, where)
        if get_origin(declared) in (Union, types.UnionType):
            return _either([self._of(one, where) for one in get_args(declared)])
        if is_class_of_fields(declared):
            return self.of_class(declared)
        return self._of_container(declared, where)

    def _of_container(self, declared: Any, where: str) -> Marks | None:
        origin, arguments = get_origin(declared), get_args(declared)
        if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
            found = {place: self._of(one, where) for place, one in enumerate(arguments)}
            return Marks(places={place: marks for place, marks in found.items() if marks is not None})
        if origin is tuple or origin in _LISTS:
            return Marks(items=self._of(arguments[0] if arguments else Any, where))
        if origin in _MAPPINGS:
            name, value = arguments or (Any, Any)
            self._require_none(name, f"{where}: a member's name can't be personal")
            return Marks(values=self._of(value, where))
        for one in arguments or _hidden_types(declared):
            self._require_none(one, f"{where}: a personal field can't be in a {_name(origin or declared)}")
        return None

    def _require_none(self, declared: Any, reason: str) -> None:
        found = None if isinstance(declared, list | tuple) else self._of(declared, reason)
        if found is not None and _any(found, set()):
            raise HandlerError(reason)


def _either(several: list[Marks | None]) -> Marks | None:
    found = tuple(marks for marks in several if marks is not None)
    return Marks(either=found) if len(found) > 1 else found[0] if found else None


def _text(declared: Any, where: str) -> Marks:
    """Return a personal text's marks; raises HandlerError when the type is another one."""
    if not _is_text(declared):
        raise HandlerError(f"{where} is marked as personal and is no text: Annotated[str, Personal], or str | None")
    return Marks(text=True)


def _is_text(declared: Any) -> bool:
    declared = plain(declared)
    if get_origin(declared) is Annotated:
        return _is_text(get_args(declared)[0])
    if get_origin(declared) in (Union, types.UnionType):
        others = [one for one in get_args(declared) if one not in (type(None), msgspec.UnsetType)]
        return bool(others) and all(map(_is_text, others))
    return declared is str


def is_mark(said: Any) -> bool:
    """Whether this, said of a type, marks it as personal."""
    return said is Personal or isinstance(said, Personal)


def plain(declared: Any) -> Any:
    """Return what a name for a type stands for."""
    while True:
        if isinstance(declared, NewType):
            declared = declared.__supertype__
        elif isinstance(declared, TypeVar):
            declared = declared.__bound__ or Any
        elif type(declared).__name__ == "TypeAliasType":
            declared = declared.__value__
        elif get_origin(declared) in (typing.Final, typing.Required, typing.NotRequired):
            declared = get_args(declared)[0]
        else:
            return declared


def is_class_of_fields(declared: Any) -> bool:
    """Whether a declared type is a class, or one of parameters, whose fields may have marks."""
    kind = get_origin(declared) or declared
    return isinstance(kind, type) and (
        issubclass(kind, msgspec.Struct) or is_dataclass(kind) or pydantic_model.is_one(kind)
    )


def fields_of(kind: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield the attributes of a class, their names in the JSON, and their types."""
    origin = get_origin(kind) or kind
    if pydantic_model.is_one(origin):
        yield from pydantic_model.fields(origin)
        return
    given = dict(zip(getattr(origin, "__parameters__", ()), get_args(kind), strict=False))
    hints = _hints(origin)
    if issubclass(origin, msgspec.Struct):
        named = [(one.name, one.encode_name) for one in msgspec.structs.fields(origin)]
    else:
        named = [(one.name, one.name) for one in fields(origin)]
    for attribute, name in named:
        yield attribute, name, _filled(hints[attribute], given)


def _hints(kind: Any) -> Mapping[str, Any]:
    try:
        # A dataclass that was made, and not written, names `typing` in a module that may not know it.
        return typing.get_type_hints(kind, localns={"typing": typing}, include_extras=True)
    except Exception as error:  # noqa: BLE001 - an annotation is code, and may name what isn't there
        raise HandlerError(f"the types of {_name(kind)}'s fields can't be told: {type(error).__name__}") from None


def _filled(declared: Any, given: Mapping[Any, Any]) -> Any:
    """Return a type with its variables replaced."""
    if isinstance(declared, TypeVar):
        return given.get(declared, declared)
    open_ones = getattr(declared, "__parameters__", ())
    if not given or not open_ones or isinstance(declared, type):
        return declared
    return declared[tuple(given.get(one, one) for one in open_ones)]


def _hidden_types(declared: Any) -> Iterator[Any]:
    """Yield the types of the members of a class that can't have marks: a TypedDict, a NamedTuple."""
    if isinstance(declared, type) and (typing.is_typeddict(declared) or hasattr(declared, "_fields")):
        yield from _hints(declared).values()


def _is_array(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return issubclass(origin, msgspec.Struct) and origin.__struct_config__.array_like


def _refuse_below(marks: Marks, reason: str) -> None:
    if _any(marks, set()):
        raise HandlerError(f"{reason}: its fields can't be personal")


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))
