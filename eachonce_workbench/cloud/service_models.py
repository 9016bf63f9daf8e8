"""What AWS's own service models say of a request: which operation it names, and of which types its parameters are.

The models are those that botocore ships; the protocol is
https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from moto.core.utils import get_service_model

from eachonce_workbench.cloud.store.protocol import AwsError

# What a request is signed for, and what the prefix of its target says where the signature leaves it open.
_MODELS = {"monitoring": "cloudwatch"}
_BY_PREFIX = {"DynamoDBStreams_20120810": "dynamodbstreams"}

_TYPES: dict[str, tuple[type[Any], ...]] = {
    "blob": (str,),
    "boolean": (bool,),
    "double": (int, float),
    "float": (int, float),
    "integer": (int,),
    "list": (list,),
    "long": (int,),
    "map": (dict,),
    "string": (str,),
    "structure": (dict,),
    "timestamp": (int, float, str),
}


def operation_of(service: str, target: str) -> OperationModel:
    """The operation that a target such as "AmazonSQS.SendMessage" names.

    Raises `AwsError` UnknownOperationException when the service has no such operation.
    """
    prefix, _, name = target.partition(".")
    model = get_service_model(_BY_PREFIX.get(prefix) or _MODELS.get(service, service))
    if prefix != model.metadata.get("targetPrefix") or name not in model.operation_names:
        raise AwsError("UnknownOperationException", f"{service} has no operation {target[:100]!r}")
    return model.operation_model(name)


def has_action(service: str, action: str) -> bool:
    """Whether a service of the query protocol has an operation of this name."""
    return action in get_service_model(_MODELS.get(service, service)).operation_names


def check(operation: OperationModel, params: dict[str, Any]) -> None:
    """Raise `AwsError` unless parameters are what the operation takes: null is as good as none.

    SerializationException for a value of another type, ValidationException for one that is missing.
    """
    if operation.input_shape is not None:
        for error in _errors(operation.input_shape, params, ""):
            raise error


def _errors(shape: Shape, value: Any, path: str) -> Iterator[AwsError]:
    types = _TYPES.get(shape.type_name, (object,))
    if value is None:
        return
    if not isinstance(value, types) or (isinstance(value, bool) and not {bool, object} & set(types)):
        yield AwsError("SerializationException", f"{path or 'The request'} is not a {shape.type_name}")
    elif shape.type_name == "blob" and not _is_base64(value):
        yield AwsError("SerializationException", f"{path} is not Base64")
    elif isinstance(shape, StructureShape):
        yield from _members(shape, value, path)
    else:
        for place, member, item in _items(shape, value):
            yield from _errors(member, item, f"{path}{place}")


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return True


def _items(shape: Shape, value: Any) -> Iterator[tuple[str, Shape, Any]]:
    if isinstance(shape, ListShape):
        yield from ((f"[{index}]", shape.member, item) for index, item in enumerate(value))
    elif isinstance(shape, MapShape):
        yield from ((f".{key}", shape.value, item) for key, item in value.items())


def _members(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[AwsError]:
    for name, member in shape.members.items():
        inner = f"{path}.{name}" if path else name
        if value.get(name) is not None:
            yield from _errors(member, value[name], inner)
        elif name in shape.required_members:
            yield AwsError(
                "ValidationException",
                f"1 validation error detected: Value null at '{inner[0].lower()}{inner[1:]}' failed to satisfy "
                "constraint: Member must not be null",
            )
