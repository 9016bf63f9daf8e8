"""Shapes: what a contract's data look like, as msgspec sees it; a pydantic model is described to it field by field."""

from __future__ import annotations

import types
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from eachonce import pydantic_model

# As pydantic and annotated_types call them: https://docs.pydantic.dev/latest/api/fields/
_LIMITS = {
    "gt": "gt",
    "ge": "ge",
    "lt": "lt",
    "le": "le",
    "multiple_of": "multiple_of",
    "min_length": "min_length",
    "max_length": "max_length",
    "pattern": "pattern",
}
_OF_NUMBERS = frozenset({"gt", "ge", "lt", "le", "multiple_of"})


def shape_of(contract: type[Any]) -> type[Any]:
    """Return a class that msgspec knows, whose JSON is the contract's: the contract itself, but for pydantic's."""
    described: Any = contract
    return _described(described) if pydantic_model.is_one(contract) else contract


@cache
def _described(contract: Any) -> type[Any]:
    found = getattr(contract, "model_fields", None) or getattr(contract, "__pydantic_fields__", {})
    fields: list[Any] = [(name, _field(field)) for name, field in found.items()]
    names = {name: str(field.alias) for name, field in found.items() if field.alias}
    return msgspec.defstruct(contract.__name__, fields, frozen=True, kw_only=True, rename=names or None)


def _field(field: Any) -> Any:
    kind = _known(field.annotation)
    numbers = kind in {int, float}
    limits = dict(_limits(field.metadata))
    fitting = {name: value for name, value in limits.items() if (name in _OF_NUMBERS) == numbers}
    if not fitting or not (numbers or kind is str or get_origin(kind) in {list, set, frozenset, dict}):
        return kind
    return Annotated[kind, msgspec.Meta(**fitting)]


def _limits(metadata: list[Any]) -> Iterator[tuple[str, Any]]:
    for one in metadata:
        for name, called in _LIMITS.items():
            if (value := getattr(one, name, None)) is not None:
                yield called, value


def _known(annotation: Any) -> Any:
    """Return a type as msgspec knows it: the models in it by their shapes, and what is strange as a text."""
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        return _known(arguments[0])
    if origin in {Union, types.UnionType}:
        return Union[tuple(map(_known, arguments))]  # noqa: UP007 - of types that are known only now
    if arguments and origin in {list, set, frozenset, tuple, dict}:
        return origin[tuple(one if one is ... else _known(one) for one in arguments)]
    if arguments:
        return annotation
    if isinstance(annotation, type) and pydantic_model.is_one(annotation):
        return shape_of(annotation)
    try:
        strange = isinstance(msgspec.inspect.type_info(annotation), msgspec.inspect.CustomType)
    except TypeError:
        strange = True
    return str if strange else annotation
