"""Stand-ins: what is answered in place of a service of AWS's that the local cloud hasn't got, and of anybody else.

An answer has the shape that the service's own model gives it, and made-up values, the same for the same request.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from eachonce_workbench.cloud.store.protocol import Response
from eachonce_workbench.simulator.call import Call

_JSON = {"content-type": "application/json"}
_WHEN = datetime(2026, 1, 1, tzinfo=UTC)
_DEEPEST = 4
_LEADS_ON = re.compile("next|token", re.IGNORECASE)

# Where the name that requests are signed for isn't that of the model.
_MODELS = {
    "api-gateway": "apigateway",
    "bedrock-runtime": "bedrock-runtime",
    "cognito-identity-provider": "cognito-idp",
    "elastic-load-balancing": "elb",
    "monitoring": "cloudwatch",
    "sfn": "stepfunctions",
}


def stand_in(call: Call) -> Response:
    """Return what a service of AWS's would answer, by its model; an empty object where there is no such model."""
    operation = _operation(call.service, call.operation)
    if operation is None:
        return 200, dict(_JSON), b"{}"
    service = operation.service_model
    serializer: Any = get_serializer_class(service.service_name, service.resolved_protocol)
    made = _made(operation.output_shape, _digest(call), 0) if operation.output_shape is not None else {}
    answer = serializer(operation).serialize(made)
    body = answer["body"]
    return answer["status_code"], dict(answer["headers"]), body if isinstance(body, bytes) else body.encode()


def web_stand_in(call: Call) -> Response:
    """Return what anybody's HTTP API would answer, as far as that can be known: what it was sent, and an id.

    Most give back what they made of a request.
    """
    given = call.params if "json" in call.headers.get("content-type", "") else {}
    answer = {"id": _digest(call), "status": "ok", **{name: value for name, value in given.items() if name}}
    return 200, dict(_JSON), json.dumps(answer).encode()


@lru_cache
def _operation(service: str, name: str) -> OperationModel | None:
    known = _MODELS.get(service, service)
    for guess in (known, known.replace("-", "")):
        try:
            model = get_service_model(guess)
        except (UnknownServiceError, LookupError):
            continue
        return model.operation_model(name) if name in model.operation_names else None
    return None


def _digest(call: Call) -> str:
    return blake2b(f"{call.operation} {call.path}".encode() + call.body, digest_size=8).hexdigest()


def _made(shape: Shape, told: str, depth: int) -> Any:
    """Return a value of a shape: texts tell the request, and lists are empty."""
    match shape:
        case StructureShape():
            inner = shape.members.items() if depth < _DEEPEST else ()
            return {name: _made(member, told, depth + 1) for name, member in inner if name in _wanted(shape, depth)}
        case ListShape():
            return []
        case MapShape():
            return {}
    if getattr(shape, "enum", None):
        return shape.enum[0]
    return {
        "blob": b"",
        "boolean": False,
        "timestamp": _WHEN,
        "string": f"stand-in-{told}",
    }.get(shape.type_name, 0)


def _wanted(shape: StructureShape, depth: int) -> set[str]:
    """Return the members that are made: those that must be, and of the answer itself all but what leads on."""
    required = set(shape.required_members)
    return required if depth else required | {name for name in shape.members if not _LEADS_ON.search(name)}
