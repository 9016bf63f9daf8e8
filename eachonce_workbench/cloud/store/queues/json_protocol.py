"""SQS's operations on messages in its JSON protocol; all others are answered by moto's way of a request.

That way is a request object, regular expressions over its URL and headers, and a walk through the service model for
every value of an answer: some five times what the operations themselves cost.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from moto.core.responses import ActionContext, ActionResult
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.sqs.exceptions import SQSException

from eachonce_workbench.cloud.store.protocol import CONTENT_TYPE, Response
from eachonce_workbench.cloud.store.queues import reading
from eachonce_workbench.cloud.store.queues.message_operations import MessageOperations
from eachonce_workbench.cloud.store.queues.sqs import Sqs
from eachonce_workbench.cloud.store.services import answered

_TARGET = "AmazonSQS."


class JsonProtocol:
    """Reads a request's parameters, and writes its answer."""

    def __init__(self, sqs: Sqs) -> None:
        self._operations = MessageOperations(sqs)

    def answer(self, headers: Mapping[str, str], body: bytes, path: str) -> Response | None:
        """The answer to a request, None for one that isn't an operation on messages in this protocol.

        Raises `AwsError` SerializationException for a body that hasn't the operation's shape.
        """
        target = headers.get("x-amz-target", "")
        operation = target.removeprefix(_TARGET)
        if not target.startswith(_TARGET) or not self._operations.answers(operation):
            return None
        params = reading.parameters(get_service_model("sqs").operation_model(operation).input_shape, body)
        try:
            result = self._operations.answer(operation, params, path)
        except SQSException as refusal:
            return _refused(operation, refusal)
        return 200, {"content-type": CONTENT_TYPE, **_request_id()}, msgspec.json.encode(result)


def _refused(operation: str, refusal: SQSException) -> Response:
    model = get_service_model("sqs")
    serializer = get_serializer_class("sqs", "json")
    nothing: Any = None  # an error is told alike, whatever the request was
    context = ActionContext(model, model.operation_model(operation), serializer, nothing)
    status, headers, body = answered(lambda: ActionResult(refusal).execute_result(context))
    return status, headers | _request_id(), body


def _request_id() -> dict[str, str]:
    return {"x-amzn-requestid": str(uuid.uuid4())}
