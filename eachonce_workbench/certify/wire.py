"""The wire: every request of every botocore client of this process is answered here, and faults happen here.

The layer's clients are botocore's own, so that parsing and errors are the real ones. A handler may have made a client
of its own, whenever and however: the place that all of them pass is where botocore sends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3.session
import msgspec
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.endpoint import Endpoint
from botocore.exceptions import ReadTimeoutError
from botocore.signers import RequestSigner
from eachonce.aws import Aws
from moto.core.botocore_stubber import MockRawResponse

from eachonce_workbench.certify import effect
from eachonce_workbench.certify.answers import answer_to
from eachonce_workbench.certify.fault import Fault
from eachonce_workbench.certify.footprint import Footprint
from eachonce_workbench.certify.rows import REGION, Rows
from eachonce_workbench.certify.run import Request
from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.store.protocol import AwsError, Response, decoded, success
from eachonce_workbench.simulator.call import content_of
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.outside.effect import only_asks
from eachonce_workbench.simulator.worker import Killed

_OF_THE_LAYER = ("dynamodb", "sqs", "events")


@dataclass(slots=True)
class Traffic:
    """What one delivery says to AWS: its calls, the rows they touched, and the fault among them, if any."""

    fault: Fault | None = None
    overtake: Callable[[], None] | None = None
    calls: list[str] = field(default_factory=list)
    footprint: Footprint = field(default_factory=Footprint)


class Wire:
    """Answers requests from `rows`, for one delivery at a time; `bus` is what was put on it, in no handler's work."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.aws = _clients()
        self.traffic = Traffic()
        self.bus: list[str] = []
        self.own: list[Request] = []  # of handlers' own clients
        self._layers = {id(getattr(self.aws, service)._endpoint) for service in _OF_THE_LAYER}  # noqa: SLF001 - to know them by

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Answer this process's requests meanwhile."""
        send = Endpoint._do_get_response  # noqa: SLF001 - the one place that every client passes

        def answer(endpoint: Any, request: Any, operation_model: Any, context: Any) -> Any:
            def respond(event_name: str, **given: Any) -> list[tuple[None, AWSResponse]] | Any:
                if not event_name.startswith("before-send."):
                    return emitter.emit(event_name, **given)
                with effect.unwatched():
                    return [(None, self._answer(request, operation_model, ours=id(endpoint) in self._layers))]

            emitter = endpoint._event_emitter  # noqa: SLF001 - as above
            with patch.object(endpoint, "_event_emitter", _Emitter(respond)):
                return send(endpoint, request, operation_model, context)

        # What is sent nowhere is not signed: a client that was made when its module was imported has no credentials.
        with patch.object(Endpoint, "_do_get_response", answer), patch.object(RequestSigner, "sign", _unsigned):
            yield

    @contextmanager
    def carrying(self, traffic: Traffic) -> Iterator[None]:
        """Let requests belong to this delivery meanwhile."""
        outer, self.traffic = self.traffic, traffic
        try:
            yield
        finally:
            self.traffic = outer

    def _answer(self, request: Any, operation_model: Any, *, ours: bool) -> AWSResponse:
        service, operation = operation_model.service_model.service_name, operation_model.name
        body = content_of(request.body)
        if not ours:
            letter = f"{operation} {urlsplit(request.url).path} {body.decode(errors='replace')}"
            self.own.append(Request(service, operation, _in_words(service, operation, body), letter))
        traffic = self.traffic
        fault = traffic.fault if traffic.fault is not None and traffic.fault.call == len(traffic.calls) else None
        traffic.calls.append(operation)
        match fault:
            case Fault(CallFault.KILLED_BEFORE):
                raise Killed
            case Fault(DeliveryFault.OVERTAKEN) if traffic.overtake is not None:
                before = len(self.own)
                traffic.overtake()
                del self.own[before:]  # which is who overtakes, and has been told of it
        status, headers, content = self._performed(service, operation, body, operation_model)
        match fault:
            case Fault(CallFault.KILLED_AFTER):
                raise Killed
            case Fault(CallFault.LOST):
                raise ReadTimeoutError(endpoint_url=request.url)
        return AWSResponse(request.url, status, headers, MockRawResponse(content))

    def _performed(self, service: str, operation: str, body: bytes, operation_model: Any) -> Response:
        try:
            if service == "dynamodb":
                return success(self.rows.answer(operation, decoded(body), self.traffic.footprint))
            if operation == "PutEvents":
                return success(self._put_events(decoded(body)["Entries"]))
            protocol = operation_model.service_model.resolved_protocol
            looks = "json" in protocol and only_asks(operation)
            return 200, {}, answer_to(operation_model) if looks else _nothing(operation, protocol)
        except AwsError as error:
            return error.response()

    def _put_events(self, entries: list[Any]) -> dict[str, Any]:
        self.bus += [f"{entry.get('DetailType')} {entry.get('Detail')}" for entry in entries]
        ids = [{"EventId": f"on-the-bus-{place}"} for place in range(len(entries))]
        return {"FailedEntryCount": 0, "Entries": ids}


@dataclass(frozen=True, slots=True)
class _Emitter:
    """botocore's events of one request."""

    emit: Callable[..., Any]


def _unsigned(*_: Any, **__: Any) -> None:
    """Sign nothing."""


def _nothing(operation: str, protocol: str) -> bytes:
    """Return an answer that says nothing more than that it went well."""
    if "json" in protocol:
        return b"{}"
    return (
        b"" if protocol == "rest-xml" else f"<{operation}Response><{operation}Result/></{operation}Response>".encode()
    )


def _in_words(service: str, operation: str, body: bytes) -> str:
    """Return what a handler's own client asks for, as far as it names a table."""
    try:
        asked = msgspec.json.decode(body)
    except msgspec.DecodeError:
        asked = None
    table = asked.get("TableName") if isinstance(asked, dict) else None
    return f"calls {operation} of {service}" + (f" on {table}" if table else "")


@cache
def _clients() -> Aws:
    """Return clients that try each call once, so that the layer sees each failure, and sign nothing.

    They are made once a process: making one costs as much as a hundred calls.
    """
    config = Config(
        region_name=REGION,
        signature_version=UNSIGNED,
        parameter_validation=False,
        retries={"total_max_attempts": 1},
        user_agent="certified",  # botocore's own is made anew for every call, and takes a fifth of it
    )
    session = boto3.session.Session()
    return Aws(**{service: session.client(service, config=config) for service in _OF_THE_LAYER})
