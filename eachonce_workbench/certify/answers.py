"""Answers: what AWS says to a look-up of a handler's own, where nothing is known but the form of the answer."""

from __future__ import annotations

from typing import Any

import msgspec
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

_DEEPEST = 6
# Without which nobody asks for the next page.
_NEXT = ("token", "marker", "cursor", "lastevaluated")
_PLAIN: dict[str, Any] = {
    "string": "1",  # which is a number, too, and a JSON document
    "character": "1",
    "boolean": False,
    "timestamp": 0,
    "blob": "MQ==",
    "float": 1.0,
    "double": 1.0,
}


def answer_to(operation: OperationModel) -> bytes:
    """Return an answer with one of everything, in the form of JSON protocols; to be given for what only looks."""
    shape = operation.output_shape
    return b"{}" if shape is None else msgspec.json.encode(_made(shape, 0))


def _made(shape: Shape, depth: int) -> Any:
    match shape:
        case StructureShape():
            if shape.is_tagged_union or depth == _DEEPEST:
                return {}
            return {
                inner.serialization.get("name", name): _made(inner, depth + 1)
                for name, inner in shape.members.items()
                if not any(part in name.lower() for part in _NEXT)
            }
        case ListShape():
            return [_made(shape.member, depth + 1)] if depth < _DEEPEST else []
        case MapShape():
            return {}
    enum = getattr(shape, "enum", None)
    return enum[0] if enum else _PLAIN.get(shape.type_name, 1)
