"""AWS's protocols on 127.0.0.1: whatever speaks to AWS with an endpoint URL can speak to the local cloud."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import msgspec

from eachonce_workbench.cloud import service_models
from eachonce_workbench.cloud.buckets.buckets import MAX_OBJECT_BYTES
from eachonce_workbench.cloud.bus.bus import Bus
from eachonce_workbench.cloud.callers import Callers
from eachonce_workbench.cloud.cloudformation import Stacks
from eachonce_workbench.cloud.control.functions import ACCEPTED, Functions
from eachonce_workbench.cloud.control.mappings import Switches
from eachonce_workbench.cloud.control.rules import Rules
from eachonce_workbench.cloud.event_sources import EventSources
from eachonce_workbench.cloud.faults.chaos import Chaos
from eachonce_workbench.cloud.functions.invocations import Invocations
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.logs.calls import Logs
from eachonce_workbench.cloud.long_poll import LongPoll
from eachonce_workbench.cloud.refusal import refused
from eachonce_workbench.cloud.request import DisconnectedError, Receive, Request, Scope, form_of, headers_of, read_body
from eachonce_workbench.cloud.store import services
from eachonce_workbench.cloud.store.protocol import CONTENT_TYPE, AwsError, Response, decoded, success
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.cloud.web.apis import Apis
from eachonce_workbench.cloud.web.wire import hang_up, received, send_answer
from eachonce_workbench.template.web.addresses import PREFIX

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LOG = logging.getLogger(__name__)

_CREDENTIAL = re.compile(r"Credential=[^/,\s]+/\d{8}/[^/,\s]+/([^/,\s]+)/")
_INVOKE = re.compile(r"^/2015-03-31/functions/([^/]+)/invocations/?$")

_PUT_EVENTS = "AWSEvents.PutEvents"
_BUS_CALLS = frozenset({_PUT_EVENTS, "AWSEvents.TestEventPattern"})
_ITEM_OPERATIONS = "DynamoDB_20120810."

# Those that take forms: SQS from older SDKs, CloudWatch from some.
_FORMS = frozenset({"cloudformation", "monitoring", "s3", "ses", "sns", "sqs", "sts"})

FIRE = "/_eachonce/fire/"
"""Where a person fires a schedule, by its name."""


class Endpoint:
    """One address for all services, as the signature of a request names the service that it is for (an ASGI app)."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        invocations: Invocations,
        logs: Logs | None = None,
        *,
        hosts: Collection[str] = (),
        history: History | None = None,
        sources: EventSources | None = None,
        mappings: Switches | None = None,
        chaos: Chaos | None = None,
    ) -> None:
        """Answer callers who name one of `hosts`, beside the names of the loopback interface.

        Functions' calls go through `chaos`, where there is any.
        """
        self._store = store
        self._bus = bus
        self._invocations = invocations
        self._logs = Logs({}, store.handle) if logs is None else logs
        self._callers = Callers(hosts)
        self._long_poll = LongPoll(store)
        self._stacks = Stacks(store.topology)
        self._rules = Rules(store.topology)
        self._functions = Functions(store.topology, mappings)
        self._apis = Apis(store.topology, invocations.runtime, History() if history is None else history)
        self._sources = sources
        self._chaos = chaos

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        request = Request.of(scope)
        try:
            self._callers.check(headers_of(scope))
            if request.path.startswith(PREFIX):
                await send_answer(await self._apis.answer(await received(scope, receive)), send)
                return
            request = replace(request, body=await self._read(receive, request))
            if self._chaos is not None and self._chaos.on:
                carried = await self._chaos.carry(_service(request), request, self._answer)
                if carried is None:
                    await hang_up(scope, receive)
                    return
                answer = carried
            else:
                answer = await self._answer(request)
        except DisconnectedError:
            return
        except AwsError as error:
            answer = refused(error, to_form=_is_form(request))
        except Exception as error:  # noqa: BLE001 - whatever a handler trips over, it was what the request said
            answer = refused(_unexpected(request, error), to_form=_is_form(request))
        await _send(answer, send)

    async def _read(self, receive: Receive, request: Request) -> bytes:
        if _signed_for(request) == "s3":  # which keeps what it is given, encoded or not
            return await read_body(receive, most_bytes=MAX_OBJECT_BYTES)
        return await read_body(receive, request.headers.get("content-encoding", ""))

    async def _answer(self, request: Request) -> Response:
        if self._sources is not None and request.path.startswith(FIRE):
            return self._fire(self._sources, request)
        service = _service(request)
        services.require(service)
        if service == "s3":
            return self._sources.buckets.answer(request) if self._sources is not None else _nowhere(service)
        if service == "lambda":
            return await self._lambda(request)
        if _is_form(request):
            return self._by_form(service, request)
        if _is_cbor(request):
            return self._stored(service, request)
        return await self._by_target(service, request)

    async def _lambda(self, request: Request) -> Response:
        told = self._functions.answer(request)
        if told is not None:
            status = 200 if request.method == "GET" else ACCEPTED
            return status, {"content-type": "application/json"}, msgspec.json.encode(told)
        invoked = _INVOKE.match(request.path)
        if invoked is None or request.method != "POST":
            raise _described_by_template("lambda", f"{request.method} {request.path[:200]}")
        return await self._invocations.answer(
            invoked[1], request.headers, request.body, qualifier=request.parameter("Qualifier")
        )

    def _by_form(self, service: str, request: Request) -> Response:
        action = form_of(request.form).get("Action")
        if not action:
            raise AwsError("MissingAction", "The request must contain the parameter Action")
        if not service_models.has_action(service, action):
            raise AwsError("InvalidAction", f"Could not find operation {action[:100]}")
        if service == "sns" and self._sources is not None:
            return self._sources.calls.answer(request.form)
        return self._stacks.answer(request.form) if service == "cloudformation" else self._stored(service, request)

    def _fire(self, sources: EventSources, request: Request) -> Response:
        """Fire a schedule: the local cloud's own call, which AWS doesn't have."""
        if request.method != "POST":
            raise AwsError("UnsupportedOperation", f"{FIRE}NAME is sent with POST", status=405)
        try:
            fired = sources.schedules.fire(unquote(request.path.removeprefix(FIRE)))
        except KeyError as error:
            raise AwsError("ResourceNotFoundException", f"There is no schedule {error}", status=404) from error
        return success({"Name": fired.name})

    async def _by_target(self, service: str, request: Request) -> Response:
        # Loading a model takes a tenth of a second: those that look at their parameters themselves do without.
        if service == "events" and request.target in _BUS_CALLS:
            return self._events(request.target, decoded(request.body))
        headers, body = {**request.headers, "content-type": CONTENT_TYPE}, request.body or b"{}"
        if service == "dynamodb" and request.target.startswith(_ITEM_OPERATIONS):
            answer = self._store.handle(service, headers, body, request.path)
            if answer[0] not in (200, 400):
                _check(service, request)
            return answer
        operation = _check(service, request)
        if service == "events":
            if self._bus.archives.answers(operation):
                return success(self._bus.archives.answer(operation, decoded(request.body)))
            if not self._rules.answers(operation):
                raise _described_by_template(service, operation)
            return success(self._rules.answer(operation, decoded(request.body)))
        if service == "logs":
            return self._logs.answer(headers, body)
        if request.target == "AmazonSQS.ReceiveMessage":
            return await self._long_poll.receive(headers, body, request.path)
        return self._store.handle(service, headers, body, request.path)

    def _stored(self, service: str, request: Request) -> Response:
        path = f"{request.path}?{request.query}" if request.query else request.path
        return self._store.handle(service, request.headers, request.body, path)

    def _events(self, target: str, params: dict[str, Any]) -> Response:
        if target == _PUT_EVENTS:
            return success(self._bus.put_events(params.get("Entries")))
        matches = self._bus.test_event_pattern(params.get("EventPattern"), params.get("Event"))
        return success({"Result": matches})


def _described_by_template(service: str, operation: str) -> AwsError:
    return AwsError(
        "UnsupportedOperation",
        f"The local cloud has no {service} operation {operation}: template.yaml describes the system. Change it there.",
    )


def _nowhere(service: str) -> Response:
    raise AwsError("UnsupportedOperation", f"The local cloud has no service {service} here")


def _service(request: Request) -> str:
    signed_for = _signed_for(request)
    if signed_for is None:
        raise AwsError("MissingAuthenticationToken", "The request is not signed: any credentials will do", status=403)
    return signed_for


def _signed_for(request: Request) -> str | None:
    """The service that a request is signed for, in a header or, where it is presigned, in the query string."""
    if (found := _CREDENTIAL.search(request.headers.get("authorization", ""))) is not None:
        return found[1]
    if (presigned := request.parameter("X-Amz-Credential")) is not None and presigned.count("/") == 4:
        return presigned.split("/")[3]
    # S3's former signature, which boto3 still presigns with.
    return "s3" if request.parameter("AWSAccessKeyId") and request.parameter("Signature") else None


def _is_form(request: Request) -> bool:
    """Whether a request speaks the query protocol: parameters as a form, answers as XML."""
    if request.target or _is_cbor(request):
        return False
    return _signed_for(request) in _FORMS


def _is_cbor(request: Request) -> bool:
    # https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
    return request.headers.get("smithy-protocol", "") == "rpc-v2-cbor"


def _check(service: str, request: Request) -> str:
    """The operation's name. Raises `AwsError` when there is none, or its parameters are none of its."""
    operation = service_models.operation_of(service, request.target)
    service_models.check(operation, decoded(request.body))
    return str(operation.name)


def _unexpected(request: Request, error: Exception) -> AwsError:
    """What a handler that fell over a request would have said, had it looked."""
    try:
        if request.target:
            service_models.check(service_models.operation_of(_service(request), request.target), decoded(request.body))
    except AwsError as malformed:
        return malformed
    except RecursionError:
        return AwsError("SerializationException", "The request is nested too deeply")
    _LOG.error("%s of a request to %s", type(error).__name__, request.target or request.path, exc_info=error)
    return AwsError("ValidationException", f"The local cloud can't make sense of the request: {type(error).__name__}")


async def _send(answer: Response, send: Send) -> None:
    status, headers, body = answer
    raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    if "content-length" not in headers:  # which the answer to a HEAD has of a body that isn't sent
        raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
