"""moto's handlers of the services that the local cloud offers, and one request through them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any

from botocore.model import OperationNotFoundError
from moto.core.request import Request
from moto.core.responses import BaseResponse
from werkzeug.exceptions import HTTPException

from eachonce_workbench.cloud.store.protocol import AwsError, Response

# The name that a request is signed for, and moto's handler of it. Imported when first asked for: most runs need two.
_HANDLERS = {
    "dynamodb": "moto.dynamodb.responses:DynamoHandler",
    "kms": "moto.kms.responses:KmsResponse",
    "logs": "moto.logs.responses:LogsResponse",
    "monitoring": "moto.cloudwatch.responses:CloudWatchResponse",
    "secretsmanager": "moto.secretsmanager.responses:SecretsManagerResponse",
    "ses": "moto.ses.responses:EmailResponse",
    "sns": "moto.sns.responses:SNSResponse",
    "sqs": "eachonce_workbench.cloud.store.queues.wire:SqsResponse",
    "ssm": "moto.ssm.responses:SimpleSystemManagerResponse",
    "streams": "moto.dynamodbstreams.responses:DynamoDBStreamsHandler",
    "sts": "moto.sts.responses:TokenResponse",
}


OFFERED = frozenset({*_HANDLERS, "cloudformation", "events", "lambda", "s3"})
"""The services of the local cloud, by the name that a request is signed for."""

_NOT_SENT = frozenset({"status", "date", "server"})  # moto's own, and those that the server adds itself


def perform(service: str, request: Request) -> Response:
    """One request through moto's handler.

    Raises `AwsError` when the service is not offered, or moto does not know the operation or fails in it.
    """
    return answered(lambda: _handler(service).dispatch(request), service)


def answered(ask: Callable[[], Any], service: str = "s3") -> Response:
    """What one of moto's handlers answers.

    Raises `AwsError` when moto does not know the operation or fails in it.
    """
    try:
        answer = ask()
    except HTTPException as error:
        return error.code or 400, _lower(dict(error.get_headers())), str(error.description).encode()
    except OperationNotFoundError as error:
        raise AwsError("UnknownOperationException", f"{service} has no operation {error}") from error
    except NotImplementedError as error:
        raise AwsError("UnsupportedOperation", f"The local cloud cannot do this: {error}", status=501) from error
    status, headers, body = answer
    return int(status), _lower(headers), body if isinstance(body, bytes) else str(body).encode()


def require(service: str) -> None:
    """Raise `AwsError` UnsupportedOperation for a service that is not offered."""
    if service not in OFFERED:
        offered = ", ".join(sorted(OFFERED))
        raise AwsError("UnsupportedOperation", f"The local cloud has no service {service[:40]!r}; it has {offered}")


@lru_cache
def _handler(service: str) -> type[BaseResponse]:
    require(service)
    module, _, name = _HANDLERS[service].partition(":")
    with _ec2_when_asked_for():
        handler: type[BaseResponse] = getattr(importlib.import_module(module), name)
    return handler


class _Ec2:
    """moto's EC2, imported by whoever asks for something of it."""

    def __getitem__(self, account_id: str) -> Any:
        from moto.ec2.models import ec2_backends

        return ec2_backends[account_id]


@contextmanager
def _ec2_when_asked_for() -> Iterator[None]:
    """Let what is imported here have moto's EC2 later: its parameter store asks it only where it runs a command.

    It takes a second of a function's time, and makes a session of boto3's, which fails without a person's profile.
    """
    if "moto.ec2" in sys.modules:
        yield
        return
    stand_in: Any = ModuleType("moto.ec2")
    stand_in.ec2_backends = _Ec2()
    sys.modules["moto.ec2"] = stand_in
    try:
        yield
    finally:
        del sys.modules["moto.ec2"]


def _lower(headers: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in headers.items() if name.lower() not in _NOT_SENT}
