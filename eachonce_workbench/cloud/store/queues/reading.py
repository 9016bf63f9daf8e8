"""A request's parameters in AWS's JSON protocol, read by the shape that the service's model gives them.

https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from eachonce_workbench.cloud.store.protocol import AwsError


def parameters(shape: Any, body: bytes) -> dict[str, Any]:
    """All that a body says, without what is null or unknown.

    Raises `AwsError` SerializationException for what has another shape.
    """
    try:
        value = json.loads(body.decode() or "{}")
    except UnicodeDecodeError as error:
        raise misshapen("The request is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise misshapen("The request is not JSON.") from error
    return _structure(shape, value)


def misshapen(reason: str) -> AwsError:
    """A request that doesn't have its operation's shape."""
    return AwsError("SerializationException", reason)


def _read(shape: Any, value: Any) -> Any:
    reader: Callable[[Any, Any], Any] = _READERS.get(shape.type_name, _text)
    return reader(shape, value)


def _structure(shape: Any, value: Any) -> dict[str, Any]:
    members = shape.members
    given = _object(value)
    return {name: _read(members[name], given[name]) for name in members if given.get(name) is not None}


def _map(shape: Any, value: Any) -> dict[str, Any]:
    return {name: _read(shape.value, held) for name, held in _object(value).items() if held is not None}


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise misshapen("Expected a structure or map, and found something else.")
    return value


def _list(shape: Any, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise misshapen("Expected a list, and found something else.")
    return [_read(shape.member, member) for member in value if member is not None]


def _text(shape: Any, value: Any) -> str:  # noqa: ARG001 - a reader
    _refuse_collection(value)
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _integer(shape: Any, value: Any) -> int:  # noqa: ARG001 - as above
    _refuse_collection(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        kind = {bool: "TRUE_VALUE", str: "STRING_VALUE"}.get(type(value), "DECIMAL_VALUE")
        raise misshapen(f"{kind} can not be converted to an Integer")
    return int(value)


def _blob(shape: Any, value: Any) -> bytes:
    try:
        return base64.b64decode(_text(shape, value), validate=True)
    except (binascii.Error, ValueError):
        raise misshapen("A binary value is not base64.") from None


def _refuse_collection(value: Any) -> None:
    if isinstance(value, dict):
        raise misshapen("Start of structure or map found where not expected.")
    if isinstance(value, list):
        raise misshapen("Start of list found where not expected")


_READERS: dict[str, Callable[[Any, Any], Any]] = {
    "structure": _structure,
    "map": _map,
    "list": _list,
    "integer": _integer,
    "long": _integer,
    "blob": _blob,
}
