"""Lambda's Invoke: a function called by name, over HTTP or by a rule.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping

from eachonce_workbench.cloud.functions.asynchronous import Asynchronous
from eachonce_workbench.cloud.functions.runtime import Invocation, Runtime
from eachonce_workbench.cloud.store.protocol import AwsError, Response
from eachonce_workbench.matching.reading import read_json
from eachonce_workbench.template import reference
from eachonce_workbench.template.topology import Function, Topology

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
MAX_EVENT_BYTES = 1024 * 1024

# The API page's patterns for FunctionName and Qualifier.
_NAME = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
    re.ASCII,
)
_QUALIFIER = re.compile(r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+", re.ASCII)
_LONGEST_NAME = 256
_LONGEST_QUALIFIER = 128


class Invocations:
    """Invokes the functions of one topology."""

    def __init__(self, topology: Topology, runtime: Runtime, *, asynchronous: Asynchronous | None = None) -> None:
        """Take what runs functions, and what runs those that nobody waits for."""
        self._topology = topology
        self.runtime = runtime
        self._asynchronous = Asynchronous(runtime) if asynchronous is None else asynchronous

    @property
    def running(self) -> int:
        """How many invocations that nobody waits for aren't over; one that is to be tried again is not."""
        return self._asynchronous.running

    async def stop(self) -> None:
        """End those that nobody waits for."""
        await self._asynchronous.stop()

    async def answer(
        self, name: str, headers: Mapping[str, str], payload: bytes, *, qualifier: str | None = None
    ) -> Response:
        """Invoke's answer; `headers` have lower-case names, and the qualifier is the one in the query string.

        Raises `AwsError` ValidationException, InvalidParameterValueException, ResourceNotFoundException,
        InvalidRequestContentException, RequestTooLargeException.
        """
        kind = headers.get("x-amz-invocation-type") or "RequestResponse"
        _check_choice("invocationType", kind, ("Event", "RequestResponse", "DryRun"))
        _check_choice("logType", headers.get("x-amz-log-type") or "None", ("None", "Tail"))
        name, qualifier = _named(name, qualifier)
        function = self._function(name, qualifier)
        qualifier = qualifier or reference.LATEST
        _check_payload(payload, MAX_EVENT_BYTES if kind == "Event" else MAX_PAYLOAD_BYTES)
        if kind == "DryRun":
            return 204, {}, b""
        if kind == "Event":
            request_id = self.start(f"{name}:{qualifier}", payload)
            return 202, {"x-amzn-requestid": request_id}, b""
        ended = await self.runtime.invoke(function.logical_id, payload or b"{}")
        return _answer(
            ended, function.published.get(qualifier, qualifier), tail=headers.get("x-amz-log-type") == "Tail"
        )

    def start(self, name: str, payload: bytes) -> str:
        """Begin an invocation that nobody waits for, and return its request id.

        Raises KeyError when there is no such function.
        """
        bare, qualifier = reference.parse(name)
        return self._asynchronous.begin(self._topology.function(bare), qualifier, payload or b"{}")

    def _function(self, name: str, qualifier: str | None) -> Function:
        try:
            function = self._topology.function(name)
        except KeyError:
            function = None
        if function is None or (qualifier not in (None, reference.LATEST) and qualifier not in function.published):
            topology = self._topology
            arn = (
                f"arn:aws:lambda:{topology.region}:{topology.account_id}:function:{function.name if function else name}"
            )
            message = f"Function not found: {arn}{f':{qualifier}' if qualifier else ''}"
            raise AwsError("ResourceNotFoundException", message, status=404, Type="User")
        return function


def _named(name: str, qualifier: str | None) -> tuple[str, str | None]:
    """The name alone, and the qualifier, if there is one at the name's end or by itself."""
    _check_pattern("functionName", name, _NAME, _LONGEST_NAME)
    if qualifier is not None:
        _check_pattern("qualifier", qualifier, _QUALIFIER, _LONGEST_QUALIFIER)
    bare, named = reference.parse(name)
    derived = named if name.endswith(f":{named}") else None
    if None not in (derived, qualifier) and derived != qualifier:
        raise AwsError(
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
            Type="User",
        )
    return bare, derived if qualifier is None else qualifier


def _check_choice(where: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise _refused(f"Value '{value}' at '{where}'", f"Member must satisfy enum value set: [{', '.join(choices)}]")


def _check_pattern(where: str, value: str, pattern: re.Pattern[str], longest: int) -> None:
    if len(value) > longest:
        raise _refused(f"Value at '{where}'", f"Member must have length less than or equal to {longest}")
    if not pattern.fullmatch(value):
        expression = f"Member must satisfy regular expression pattern: {pattern.pattern}"
        raise _refused(f"Value '{value}' at '{where}'", expression)


def _refused(value: str, constraint: str) -> AwsError:
    message = f"1 validation error detected: {value} failed to satisfy constraint: {constraint}"
    return AwsError("ValidationException", message)


def _check_payload(payload: bytes, limit: int) -> None:
    if len(payload) > limit:
        message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        raise AwsError("RequestTooLargeException", message, status=413, Type="User")
    try:
        read_json(payload.decode() or "{}")
    except ValueError as error:
        message = f"Could not parse request body into json: Could not parse payload into json: {error}"
        raise AwsError("InvalidRequestContentException", message, Type="User") from error


def _answer(ended: Invocation, version: str, *, tail: bool) -> Response:
    if ended.status == "throttled":
        error = AwsError("TooManyRequestsException", "Rate Exceeded.", status=429, Type="User")
        return error.response()
    headers = {"content-type": "application/json", "x-amz-executed-version": version}
    if not ended.ok:
        headers["x-amz-function-error"] = "Unhandled"
    if tail:
        headers["x-amz-log-result"] = base64.b64encode(ended.log_tail.encode()).decode()
    return 200, headers, ended.payload
