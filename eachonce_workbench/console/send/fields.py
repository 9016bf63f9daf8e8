"""A form's fields for what a JSON Schema describes, and the JSON that they come to; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Json = Mapping[str, Any]
Kind = Literal["text", "number", "truth", "json"]

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_AT = re.compile(r"at `\$\.([^.\[`]+)")
_MISSING = re.compile(r"missing required field `([^`]+)`$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A property of an object: `kind` says how its text becomes JSON, and `told` what the schema says of it."""

    name: str
    kind: Kind
    required: bool
    told: str
    choices: tuple[str, ...] = ()


def fields_of(schema: Json) -> tuple[Field, ...]:
    """Return a field for each property, none where it is no object."""
    whole = _resolved(schema, schema)
    required = set(whole.get("required", ()))
    properties = whole.get("properties", {})
    return tuple(_field(name, _resolved(each, schema), name in required) for name, each in properties.items())


def texts_of(fields: Sequence[Field], data: str) -> dict[str, str]:
    """Return the texts of fields, as JSON data say; none where they are no object."""
    try:
        members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return {}
    return {field.name: _text(field.kind, bytes(members[field.name])) for field in fields if field.name in members}


def data_of(fields: Sequence[Field], texts: Mapping[str, str]) -> str:
    """Return the JSON that the texts of fields come to; what makes no JSON is a string, for the contract to refuse.

    An empty one is left out, unless it is a text that the contract requires.
    """
    members = {
        field.name: msgspec.Raw(_value(field.kind, texts[field.name]))
        for field in fields
        if field.name in texts and (texts[field.name] or (field.required and field.kind == "text"))
    }
    return msgspec.json.format(msgspec.json.encode(members), indent=2).decode()


def field_of(reason: str) -> str | None:
    """Return the property that a contract's reason is about, None where it names none.

    >>> field_of("Expected `int`, got `str` - at `$.lines[0].quantity`"), field_of("Object missing required field `a`")
    ('lines', 'a')
    """
    found = _AT.search(reason) or _MISSING.search(reason)
    return None if found is None else found[1]


def _field(name: str, schema: Json, required: bool) -> Field:  # noqa: FBT001 - as its schema says
    some = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    one = {**schema, **some[0]} if len(some) == 1 else schema
    told = ", ".join(filter(None, (_type(one), *_limits(one), str(one.get("description", "")).split("\n")[0])))
    return Field(
        name=name,
        kind=_kind(one),
        required=required,
        told=told if required else f"{told}; may be left out".removeprefix("; "),
        choices=tuple(str(each) for each in one.get("enum", ()) if each is not None),
    )


def _kind(schema: Json) -> Kind:
    if "enum" in schema:
        return "text" if all(isinstance(each, str) for each in schema["enum"]) else "json"
    kinds: dict[str, Kind] = {"string": "text", "integer": "number", "number": "number", "boolean": "truth"}
    return kinds.get(str(schema.get("type")), "json")


def _type(schema: Json) -> str:
    return str(schema.get("format") or schema.get("type") or ("one of several" if "anyOf" in schema else ""))


def _limits(schema: Json) -> list[str]:
    words = {
        "minimum": "at least {}",
        "exclusiveMinimum": "over {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "under {}",
        "minLength": "at least {} long",
        "maxLength": "at most {} long",
        "minItems": "{} or more",
        "maxItems": "{} or fewer",
        "pattern": "like {}",
    }
    return [text.format(schema[name]) for name, text in words.items() if name in schema]


def _resolved(schema: Json, root: Json) -> Json:
    """Follow references within the schema, as far as they lead somewhere."""
    for _ in range(10):
        reference = str(schema.get("$ref", ""))
        if not reference.startswith("#/"):
            return schema
        found: Any = root
        for part in reference[2:].split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, Mapping) else {}
        schema = {**found, **{name: value for name, value in schema.items() if name != "$ref"}}
    return schema


def _text(kind: Kind, value: bytes) -> str:
    if value == b"null":
        return ""
    if kind == "text":
        try:
            return msgspec.json.decode(value, type=str)
        except msgspec.MsgspecError:
            return value.decode()
    return value.decode() if kind != "json" else msgspec.json.format(value, indent=2).decode()


def _value(kind: Kind, text: str) -> bytes:
    if kind == "json":
        try:
            return msgspec.json.format(text.encode(), indent=0)
        except msgspec.DecodeError:
            return json.dumps(text).encode()
    plain = (kind == "number" and _NUMBER.fullmatch(text)) or (kind == "truth" and text in ("true", "false"))
    return text.encode() if plain else json.dumps(text).encode()
