"""The endpoint: a Lambda function whose caller waits for an answer."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from eachonce.deadline import Deadline
from eachonce.depth import shallow_value
from eachonce.errors import ContractError, MalformedMessageError, UnavailableError
from eachonce.event import Event, RawEvent
from eachonce.execution import Try
from eachonce.function import Function
from eachonce.handler import Handler
from eachonce.outcome import Outcome, Verdict
from eachonce.reason import reason_of

_MAX_KEY = 256

_STATUS = {Verdict.DONE: HTTPStatus.ACCEPTED, Verdict.REJECT: HTTPStatus.UNPROCESSABLE_ENTITY}


class Endpoint(Function):
    """One handler as a Lambda function that is invoked with a request, directly or through an HTTP API.

    A request is an event whose id is its `Idempotency-Key` header, or else the subject of its data: the same request
    again gets the first one's answer, and another one under the same key is refused. The handler's `work.result`, a
    mapping, is part of the answer: `{"outcome": "done", ...}` (202, or 200 for a duplicate), or
    `{"outcome": "reject", "reason": ...}` (422). A request that can't be handled now is answered 503; a direct
    invocation raises UnavailableError instead, so that Lambda retries an asynchronous one.
    """

    def __call__(self, payload: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Handle one request: an HTTP API event (payload format 2.0), or the request's data itself."""
        over_http = isinstance(payload, Mapping) and "requestContext" in payload
        outcome = self._answer(payload, Deadline.of(context), over_http=over_http)
        self.report.count([outcome])
        if over_http:
            return _http_response(outcome)
        if not outcome.final:
            raise UnavailableError(outcome.reason) from outcome.cause
        return _answer(outcome)

    def _answer(self, payload: Any, deadline: Deadline, *, over_http: bool) -> Outcome:
        handler, event = self._only_handler(), None
        try:
            text, key = _http_request(payload) if over_http else (_text_of(payload), None)
            event = self._event(handler, text, key)
        except (ContractError, MalformedMessageError) as error:
            outcome = Outcome(verdict=Verdict.REJECT, reason=str(error), error=type(error).__name__)
        else:
            outcome = self.execution.run(handler, event, Try(), deadline=deadline)
        self.report.log(outcome, event)
        return outcome

    def _event(self, handler: Handler, text: bytes, key: str | None) -> RawEvent:
        data = handler.contract.decode(text)
        try:
            subject = data.subject
        except Exception as error:  # noqa: BLE001 - the contract's own code, on the request's data
            raise ContractError(data.event_type(), reason_of(error)) from None
        event_id = subject if key is None else key
        if not event_id or len(event_id) > _MAX_KEY:
            raise MalformedMessageError(f"the request needs an Idempotency-Key of 1 to {_MAX_KEY} characters")
        source = self.settings.required_source()
        return Event(id=event_id, source=source, type=data.event_type(), data=msgspec.Raw(text), subject=subject)

    def _only_handler(self) -> Handler:
        (contract,) = self.contracts
        return self[contract.event_type()]


def _text_of(payload: Any) -> bytes:
    """Return the data of a direct invocation as JSON text."""
    try:
        return msgspec.json.encode(shallow_value(payload))
    except (ValueError, TypeError) as error:  # a lone surrogate, too many digits or levels
        raise MalformedMessageError(f"the request can't be read: {reason_of(error)}") from None


def _http_request(payload: Mapping[str, Any]) -> tuple[bytes, str | None]:
    """Return the body and the idempotency key of an HTTP request; what is null is not set.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    body = payload.get("body")
    if not isinstance(body, str | None):
        raise MalformedMessageError("the body is not text")
    try:
        text = (body or "").encode()
        if payload.get("isBase64Encoded") is True:
            text = base64.b64decode(text, validate=True)
            text.decode()  # a decoder passes over what the contract ignores, and so would let anything through there
    except UnicodeError as error:
        raise MalformedMessageError(f"the request can't be read: {reason_of(error)}") from None
    except ValueError:
        raise MalformedMessageError("the body is not base64") from None
    return text, _idempotency_key(payload)


def _idempotency_key(payload: Mapping[str, Any]) -> str | None:
    """Return the key from the headers, whose names may be in any case; a load balancer may send lists of values alone.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
    """
    for several in ("headers", "multiValueHeaders"):
        headers = payload.get(several)
        if not isinstance(headers, Mapping | None):
            raise MalformedMessageError(f"the request's {several} are not an object")
        for name, value in ({} if headers is None else headers).items():
            if name.lower() == "idempotency-key" and value is not None:
                return _text_of_header(value)
    return None


def _text_of_header(value: Any) -> str:
    try:
        text = ",".join(value) if isinstance(value, list) else value
        text.encode()
    except (TypeError, AttributeError, UnicodeError):
        raise MalformedMessageError("the Idempotency-Key is not text") from None
    return str(text)


def _http_response(outcome: Outcome) -> dict[str, Any]:
    status = _STATUS.get(outcome.verdict, HTTPStatus.OK) if outcome.final else HTTPStatus.SERVICE_UNAVAILABLE
    return {
        "statusCode": int(status),
        "headers": {"content-type": "application/json"},
        "body": msgspec.json.encode(_answer(outcome)).decode(),
    }


def _answer(outcome: Outcome) -> dict[str, Any]:
    reason = {} if outcome.reason is None else {"reason": outcome.reason}
    return {"outcome": outcome.verdict.value, **reason, **(outcome.result or {})}
