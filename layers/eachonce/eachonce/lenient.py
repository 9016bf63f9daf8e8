"""Lenient reading: a contract around personal fields that can't be read.

What stands for such a field is no value of the contract's, whose limits are made for values: a length, a pattern. So
the text is read by a twin of the class, which is alike but takes any text there, and the class's own instance is made
of what the twin has read. All other fields are held to the contract. A check of the class's own (`__post_init__`) that
fails where a field of that very class can't be read is not held against the event: the publisher's has passed it.
"""

from __future__ import annotations

import types
from dataclasses import MISSING, fields
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from eachonce import pydantic_model
from eachonce.marks import Marks, fields_of, is_class_of_fields, is_mark, marks_of, plain
from eachonce.personal import UNREADABLE, Unreadable


def decode(contract: Any, text: bytes) -> Any:
    """Decode JSON text whose unreadable fields have the texts of HIDDEN and ERASED; raises what a decoder raises."""
    marks = marks_of(contract)
    if pydantic_model.is_one(contract):
        return _own(pydantic_model.decode(_twin(contract), text), marks)
    return _own(msgspec.json.decode(text, type=_twin(contract)), marks)


_kinds: dict[type[Any], Any] = {}  # whose twin a class is


@cache
def _twin(kind: Any) -> Any:
    """Return a class that reads the same text, with any text where a field is personal."""
    origin = get_origin(kind) or kind
    loose = {attribute: _loose(declared) for attribute, _, declared in fields_of(kind)}
    if pydantic_model.is_one(origin):
        own = {attribute: declared for attribute, _, declared in fields_of(kind)}
        twin = pydantic_model.twin(origin, {name: loose[name] for name in own if loose[name] is not own[name]})
    elif issubclass(origin, msgspec.Struct):
        said = origin.__struct_config__
        named = [(one.name, loose[one.name], _declared(one)) for one in msgspec.structs.fields(origin)]
        options = {"tag": said.tag, "tag_field": said.tag_field, "forbid_unknown_fields": said.forbid_unknown_fields}
        twin = msgspec.defstruct(origin.__name__, named, kw_only=True, **options)
    else:
        twin = msgspec.defstruct(
            origin.__name__,
            [
                (one.name, loose[one.name], msgspec.field(**_defaults(one, MISSING)))
                for one in fields(origin)
                if one.init
            ],
            kw_only=True,
        )
    _kinds[twin] = kind
    return twin


def _declared(one: msgspec.structs.FieldInfo) -> Any:
    return msgspec.field(name=one.encode_name, **_defaults(one, msgspec.NODEFAULT))


def _defaults(one: Any, nothing: Any) -> dict[str, Any]:
    given = {"default": one.default, "default_factory": one.default_factory}
    return {name: value for name, value in given.items() if value is not nothing}


def _loose(declared: Any) -> Any:
    """Return a declared type with any text where it is personal; the very same where nothing in it is."""
    declared, given = plain(declared), declared
    arguments, origin = get_args(declared), get_origin(declared)
    if origin is Annotated and any(map(is_mark, arguments[1:])):
        return _bare(declared)
    if is_class_of_fields(declared):
        return given if marks_of(declared) is None else _twin(declared)
    loose = tuple(one if one is Ellipsis or isinstance(one, list) else _loose(one) for one in _types(declared))
    if all(one is before for one, before in zip(loose, arguments, strict=False)):
        return given
    if origin is Annotated:
        return Annotated[(*loose, *arguments[1:])]
    return Union[loose] if origin in (Union, types.UnionType) else origin[loose]  # noqa: UP007 - of a tuple


def _types(declared: Any) -> tuple[Any, ...]:
    arguments = get_args(declared)
    return arguments[:1] if get_origin(declared) is Annotated else arguments


def _bare(declared: Any) -> Any:
    declared = plain(declared)
    if get_origin(declared) is Annotated:
        return _bare(get_args(declared)[0])
    if get_origin(declared) in (Union, types.UnionType):
        return Union[tuple(map(_bare, get_args(declared)))]  # noqa: UP007 - likewise
    return declared


def _own(value: Any, marks: Marks | None) -> Any:
    """Return what a twin has read as the contract's own: its classes, and HIDDEN and ERASED themselves."""
    if marks is None:
        return value
    match value:
        case str() if marks.is_text:
            return UNREADABLE.get(value, value)
        case list() | tuple():
            return type(value)(_own(inner, marks.item(place)) for place, inner in enumerate(value))
        case dict():
            return {name: _own(inner, marks.member(name)) for name, inner in value.items()}
    return _of_class(value, marks) if type(value) in _kinds else value


def _of_class(twin: Any, marks: Marks) -> Any:
    kind = _kinds[type(twin)]
    origin = get_origin(kind) or kind
    if pydantic_model.is_one(origin):
        twin.__dict__.update({name: _own(inner, marks.attribute(name)) for name, inner in twin.__dict__.items()})
        object.__setattr__(twin, "__class__", origin)
        return twin
    read = {name: _own(getattr(twin, name), marks.attribute(name)) for name in twin.__struct_fields__}
    try:
        return origin(**read)
    except Exception:
        if not any(isinstance(one, Unreadable) for one in read.values()):
            raise
        return _unchecked(origin)(**read)


@cache
def _unchecked(origin: Any) -> Any:
    """Return a class that is alike, but for the check of its own."""
    alike = {"__post_init__": lambda _: None, "__module__": origin.__module__, "__qualname__": origin.__qualname__}
    return type(origin)(origin.__name__, (origin,), alike | _described(origin))


def _described(origin: Any) -> dict[str, Any]:
    return {"__eachonce__": origin.__eachonce__} if hasattr(origin, "__eachonce__") else {}
