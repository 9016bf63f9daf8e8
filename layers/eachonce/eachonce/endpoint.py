"""The endpoint: a Lambda function whose caller waits for an answer."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext
from msgspec.structs import replace

from eachonce.aws import Aws
from eachonce.caller import is_own_id
from eachonce.deadline import Deadline
from eachonce.depth import shallow_value
from eachonce.description import Description
from eachonce.errors import (
    ContractError,
    EachonceError,
    HandlerError,
    MalformedMessageError,
    Taken,
    UnavailableError,
)
from eachonce.event import Event, RawEvent, traced
from eachonce.failure import outcome_of
from eachonce.function import Function
from eachonce.handler import Handle, Handler, making
from eachonce.identity import MAX_ID
from eachonce.isolation import NO_TENANT, is_tenant
from eachonce.model import decode, encode, subject_of
from eachonce.outcome import Outcome, Verdict
from eachonce.reason import reason_of
from eachonce.request import NO_REQUEST, Request, read
from eachonce.route import Route, routed
from eachonce.settings import Settings
from eachonce.task import Try
from eachonce.trace_context import TraceContext

if TYPE_CHECKING:
    from eachonce.signing import Signer

C = TypeVar("C")

_STATUS = {Verdict.DONE: HTTPStatus.ACCEPTED, Verdict.REJECT: HTTPStatus.UNPROCESSABLE_ENTITY}
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json", re.IGNORECASE)


class _Refused(Exception):  # noqa: N818 - a word on the way to an answer
    """A request that no handler gets: the status, why, and what its answer's headers say."""

    def __init__(self, status: HTTPStatus, reason: str, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers


class Endpoint(Function):
    """Handlers as a Lambda function that is invoked with a request, directly or over HTTP.

    ::

        endpoint = Endpoint("orders")

        @endpoint.post("/orders/{order_id}/payments", Payment)
        def pay(event: Event[Payment], work: Work) -> None:
            order_id = event.request.path_parameters["order_id"]

    A request is an event whose id is its `Idempotency-Key` header, or else its contract's identity, or the subject of
    its data: the same request again gets the first one's answer, and another one under the same key is refused. The
    same is the same body, and where it has a route the same path, query and caller. Where the API asks who calls, a key
    is its caller's own: another one's request under it is another event. The handler's `work.result`, a mapping, is
    part of the answer: `{"outcome": "done", ...}` (202, or 200 for a duplicate), or
    `{"outcome": "reject", "reason": ...}` (422). A request that can't be handled now is answered 503, or 409 while
    its effect outside the commit is under way elsewhere; a direct invocation raises UnavailableError instead, so that
    Lambda retries an asynchronous one. Where no route takes a request, it is answered 404, 405 or 415.

    - `tenant`: whose a request is, by what its API says of it, such as `lambda request: request.claims["tenant"]`; one
      of which it raises anything is answered 422, and one of which it returns None has no tenant. Without it all are
      those of the setting EVENT_TENANT, if that is set
    """

    def __init__(
        self,
        name: str,
        *,
        tenant: Callable[[Request], str | None] | None = None,
        sign_with: Signer | None = None,
        aws: Aws | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(name, sign_with=sign_with, aws=aws, settings=settings)
        self._tenant = tenant
        self._routes: list[Route] = []

    def _add(self, handler: Handler) -> None:
        if handler.needs is not None:
            raise HandlerError("an Endpoint's caller can't be put off: a Breaker is for a Consumer's handlers")
        super()._add(handler)

    def post(self, path: str, contract: type[C], **said: Any) -> Callable[[Handle[C]], Handle[C]]:
        """Register the decorated function for POST requests of a path; `said` is as for `on`."""
        return self.route("POST", path, contract, **said)

    def put(self, path: str, contract: type[C], **said: Any) -> Callable[[Handle[C]], Handle[C]]:
        """Register the decorated function for PUT requests of a path."""
        return self.route("PUT", path, contract, **said)

    def patch(self, path: str, contract: type[C], **said: Any) -> Callable[[Handle[C]], Handle[C]]:
        """Register the decorated function for PATCH requests of a path."""
        return self.route("PATCH", path, contract, **said)

    def delete(self, path: str, contract: type[C], **said: Any) -> Callable[[Handle[C]], Handle[C]]:
        """Register the decorated function for DELETE requests of a path; one without a body has `{}`."""
        return self.route("DELETE", path, contract, **said)

    def route(self, method: str, path: str, contract: type[C], **said: Any) -> Callable[[Handle[C]], Handle[C]]:
        """Register the decorated function for requests of a method and a path, as API Gateway writes templates.

        Raises HandlerError as `on` does, and when the path is no template; ValueError when it has a handler already.
        """
        made = making(contract, **said)

        def register(handle: Handle[C]) -> Handle[C]:
            route = Route(method=method.upper(), template=path, handler=made(handle))
            if any((one.method, one.template) == (route.method, path) for one in self._routes):
                raise ValueError(f"{route.method} {path} has a handler already")
            self._routes.append(route)
            return handle

        return register

    @property
    def contracts(self) -> tuple[type[Any], ...]:
        """The contracts that have a handler, each once."""
        return tuple(dict.fromkeys((*super().contracts, *(route.handler.contract for route in self._routes))))

    def __call__(self, payload: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Handle one request: of an HTTP API, a REST API, a function URL or a load balancer, or the data itself."""
        over_http = isinstance(payload, Mapping) and "requestContext" in payload
        try:
            outcome = self._answer(payload, Deadline.of(context), over_http=over_http)
        except _Refused as refused:
            outcome = Outcome(verdict=Verdict.REJECT, reason=refused.reason)
            self.report.log(outcome, None)
            self.report.count([outcome])
            return _http_response(outcome, payload, refused.status, refused.headers)
        self.report.count([outcome])
        if over_http:
            return _http_response(outcome, payload)
        if not outcome.final:
            raise UnavailableError(outcome.reason) from outcome.cause
        return _answer(outcome)

    def _answer(self, payload: Any, deadline: Deadline, *, over_http: bool) -> Outcome:
        event = None
        try:
            handler, request = self._routed(payload) if over_http else (self._only_handler(), NO_REQUEST)
            text = _body(payload) if over_http else _text_of(payload)
            if request.method == "DELETE" and request.route and not text:
                text = b"{}"
            event = self._event(handler, text, request)
        except (ContractError, MalformedMessageError) as error:
            outcome = Outcome(verdict=Verdict.REJECT, reason=str(error), error=type(error).__name__)
        else:
            outcome = self._run(handler, event, deadline)
        self.report.log(outcome, event)
        return outcome

    def _run(self, handler: Handler, event: RawEvent, deadline: Deadline) -> Outcome:
        try:
            event = self.execution.encryption.received(event, handler.contract, handler.description)
        except EachonceError as error:  # its personal fields have no key, or none now
            return outcome_of(error, age=timedelta(), failures=None)
        return self.execution.run(handler, event, Try(), deadline=deadline)

    def _routed(self, payload: Mapping[str, Any]) -> tuple[Handler, Request]:
        """Return the handler of a request over HTTP; raises _Refused when no route takes it."""
        request = read(payload)
        handler, request, methods = routed(self._routes, request)
        if handler is not None:
            return handler, _of_json(request)
        if self._handlers:
            return self._only_handler(), replace(request, route="")
        if methods:
            allow = ", ".join(sorted(methods))
            reason = f"this path takes {allow}"
            raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, reason, {"allow": allow})
        raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing at this path")

    def _event(self, handler: Handler, text: bytes, request: Request) -> RawEvent:
        described, raw = handler.description, msgspec.Raw(text)
        data = decode(handler.contract, text)
        try:
            subject = subject_of(data)
        except Exception as error:  # noqa: BLE001 - the contract's own code, on the request's data
            raise ContractError(described.type, reason_of(error)) from None
        told = _id(described, raw) or subject if request.key is None else request.key
        if not told or len(told) > MAX_ID:
            raise MalformedMessageError(f"the request needs an Idempotency-Key of 1 to {MAX_ID} characters")
        event_id = told if request.own_key is None else request.own_key
        if event_id == told and is_own_id(told):
            raise MalformedMessageError("the request's Idempotency-Key has the form of one that is a caller's own")
        event = Event(
            id=event_id,
            source=self.settings.required_source(),
            type=described.type,
            data=raw,
            subject=subject,
            tenant=self._tenant_of(request),
            request=request,
        )
        return _traced(event, request)

    def _tenant_of(self, request: Request) -> str | None:
        """Return whose a request is; raises MalformedMessageError where that can't be told, or can be nobody's name."""
        try:
            tenant = self.settings.tenant if self._tenant is None else self._tenant(request)
        except Exception as error:  # noqa: BLE001 - the bundle's own code, on what a caller sent
            raise MalformedMessageError(f"the request's tenant can't be told: {type(error).__name__}") from None
        if tenant is not None and not (isinstance(tenant, str) and is_tenant(tenant)):
            raise MalformedMessageError(f"the request's tenant is none: {NO_TENANT}")
        return tenant

    def _only_handler(self) -> Handler:
        """Return the handler of a request that has no route; raises MalformedMessageError when there are several."""
        handlers = list(self._handlers.values()) or [route.handler for route in self._routes]
        if len(handlers) != 1:
            raise MalformedMessageError(f"{self.name} has several handlers, and a request without a route names none")
        return handlers[0]


def _traced(event: RawEvent, request: Request) -> RawEvent:
    """Return the event in the trace that the request's headers name, or else in that of Lambda's invocation.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    event = traced(event, request.headers.get("traceparent"), request.headers.get("tracestate"))
    if event.traceparent is not None:
        return event
    invocation = TraceContext.read_x_ray(os.environ.get("_X_AMZN_TRACE_ID"))
    return event if invocation is None else traced(event, invocation.traceparent)


def _of_json(request: Request) -> Request:
    """Return a request of a route; raises _Refused when it says that its body is no JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind and not _JSON.fullmatch(kind):
        raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body is to be application/json")
    return request


def _id(described: Description, data: msgspec.Raw) -> str | None:
    """Return the id of a request without a key, where its contract says by which fields one is told."""
    if described.fields is None:
        return None
    try:
        return described.fields.id_of(described.type, data)
    except msgspec.DecodeError as error:
        raise MalformedMessageError(f"{described.type}: it has no identity: {reason_of(error)}") from None


def _text_of(payload: Any) -> bytes:
    """Return the data of a direct invocation as JSON text."""
    try:
        return msgspec.json.encode(shallow_value(payload))
    except (ValueError, TypeError) as error:  # a lone surrogate, too many digits or levels
        raise MalformedMessageError(f"the request can't be read: {reason_of(error)}") from None


def _body(payload: Mapping[str, Any]) -> bytes:
    """Return the body of an HTTP request; what is null is not set.

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
    return text


def _http_response(
    outcome: Outcome,
    payload: Mapping[str, Any],
    status: HTTPStatus | None = None,
    headers: Mapping[str, str] = _NO_HEADERS,
) -> dict[str, Any]:
    """Return an answer as the API that asked takes it: a load balancer that sends lists of headers wants lists.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
    """
    named = {"content-type": "application/json", **headers}
    in_lists = payload.get("headers") is None and payload.get("multiValueHeaders") is not None
    told = {"multiValueHeaders": {name: [value] for name, value in named.items()}} if in_lists else {"headers": named}
    return {
        "statusCode": int(_status(outcome) if status is None else status),
        **told,
        "body": msgspec.json.encode(_answer(outcome), enc_hook=encode).decode(),
    }


def _status(outcome: Outcome) -> HTTPStatus:
    if outcome.final:
        return _STATUS.get(outcome.verdict, HTTPStatus.OK)
    return HTTPStatus.CONFLICT if outcome.error == Taken.__name__ else HTTPStatus.SERVICE_UNAVAILABLE


def _answer(outcome: Outcome) -> dict[str, Any]:
    reason = {} if outcome.reason is None else {"reason": outcome.reason}
    return {"outcome": outcome.verdict.value, **reason, **(outcome.result or {})}
