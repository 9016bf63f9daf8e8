"""Pydantic models as contracts, where a bundle has pydantic: the layer neither needs nor imports it.

Pydantic names the key of a mapping, which is the text's own, where it says where something is wrong. So a reason's path
is made of the names in the model's schema.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, get_args

import msgspec

from eachonce.reason import words_of_a_check


def is_one(model: Any) -> bool:
    """Whether a class is a model, or a dataclass, of pydantic 2."""
    return "pydantic" in sys.modules and hasattr(model, "__pydantic_validator__")


def decode(model: Any, text: bytes) -> Any:
    """Return the model that JSON text holds; raises whatever pydantic and the model's own code raise."""
    return model.__pydantic_validator__.validate_json(text)


def encode(data: Any) -> msgspec.Raw:
    """Return a model as JSON text, under its aliases."""
    return msgspec.Raw(type(data).__pydantic_serializer__.to_json(data, by_alias=True))


def json_schema(model: Any) -> dict[str, Any]:
    """Return a model's JSON Schema."""
    schema: dict[str, Any] = sys.modules["pydantic"].TypeAdapter(model).json_schema()
    return schema


def reason_of(model: Any, error: Exception) -> str | None:
    """Return why text breaks a model, without a value of it; None where pydantic does not say."""
    if not is_one(model) or not isinstance(error, sys.modules["pydantic"].ValidationError):
        return None
    first, *others = error.errors(include_url=False, include_input=False)
    if first["type"] == "json_invalid":
        return "it is not JSON"
    raised = first.get("ctx", {}).get("error")
    words = words_of_a_check(raised) if isinstance(raised, Exception) else _words(first["type"])
    more = f" (and {len(others)} more)" if others else ""
    return f"{words} - at `{_path(model, first['loc'])}`{more}"


def _words(kind: str) -> str:
    """Return pydantic's own name of what is wrong: a model's code may make up others, with values in them."""
    from pydantic_core import core_schema

    return f"it breaks its contract ({kind})" if kind in get_args(core_schema.ErrorType) else "it breaks its contract"


def _path(model: Any, places: tuple[int | str, ...]) -> str:
    return "$" + "".join(
        f"[{place}]" if isinstance(place, int) else f".{place}" if place in _names(model) else "[...]"
        for place in places
    )


@cache
def _names(model: Any) -> frozenset[str]:
    """Return the names of all fields of a model and of what is in it, as its text has them."""
    try:
        return frozenset(_named(json_schema(model)))
    except Exception:  # noqa: BLE001 - a type of the model's own may have no schema
        return frozenset()


def _named(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_named, schema))
    if not isinstance(schema, dict):
        return set()
    own = schema.get("properties")
    return set(own if isinstance(own, dict) else ()).union(*map(_named, schema.values()))


def is_model(model: Any) -> bool:
    """Whether a class is a model of pydantic 2, and no dataclass."""
    return is_one(model) and issubclass(model, sys.modules["pydantic"].BaseModel)


def fields(model: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield the attributes of a model, all their names in its text, and their types with all that is said of them."""
    known = getattr(model, "model_fields", None) or getattr(model, "__pydantic_fields__", {})
    for attribute, one in known.items():
        declared = one.annotation
        for said in one.metadata:
            declared = Annotated[declared, said]
        for name in _names_of(attribute, one):
            yield attribute, name, declared


def _names_of(attribute: str, one: Any) -> list[str]:
    """Return all that a field may be called in the text, as it is written last; a path of names is none of them."""
    read = one.validation_alias
    several = (*getattr(read, "choices", (read,)), attribute, one.alias, one.serialization_alias)
    return [name for name in several if isinstance(name, str)]


def twin(model: Any, declared: Mapping[str, Any]) -> Any:
    """Return a subclass whose fields of these names are declared otherwise, and have no limits of their own."""
    pydantic = sys.modules["pydantic"]
    said = {
        name: (kind, pydantic.Field(**{given: getattr(model.model_fields[name], given) for given in _GIVEN}))
        for name, kind in declared.items()
    }
    return pydantic.create_model(model.__name__, __base__=model, __module__=model.__module__, **said)


_GIVEN = ("default", "default_factory", "alias", "validation_alias", "serialization_alias")
