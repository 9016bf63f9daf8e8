"""Lambda's Invoke: a function called by name, over HTTP or by a rule.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from workbench.functions import reference
from workbench.functions.asynchronous import Asynchronous
from workbench.functions.runtime import Invocation, Runtime
from workbench.store.protocol import AwsError, Response
from workbench.topology import Function, Topology

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
MAX_EVENT_BYTES = 1024 * 1024


class Invocations:
    """Invokes the functions of one topology."""

    def __init__(self, topology: Topology, runtime: Runtime, *, asynchronous: Asynchronous | None = None) -> None:
        """Take what runs functions, and what runs those that nobody waits for."""
        self._topology = topology
        self._runtime = runtime
        self._asynchronous = Asynchronous(runtime) if asynchronous is None else asynchronous

    @property
    def running(self) -> int:
        """How many invocations that nobody waits for aren't over; one that is to be tried again is not."""
        return self._asynchronous.running

    async def stop(self) -> None:
        """End those that nobody waits for."""
        await self._asynchronous.stop()

    async def answer(self, name: str, headers: Mapping[str, str], payload: bytes) -> Response:
        """Invoke's answer; `headers` have lower-case names.

        Raises `AwsError` ResourceNotFoundException, InvalidRequestContentException, RequestTooLargeException.
        """
        function = self._function(name)
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        _check(payload, MAX_EVENT_BYTES if kind == "Event" else MAX_PAYLOAD_BYTES)
        if kind == "DryRun":
            return 204, {}, b""
        if kind == "Event":
            request_id = self.start(name, payload)
            return 202, {"x-amzn-requestid": request_id}, b""
        if kind != "RequestResponse":
            raise AwsError("InvalidParameterValueException", f"InvocationType is not {kind!r}", Type="User")
        ended = await self._runtime.invoke(function.logical_id, payload or b"{}")
        return _answer(ended, tail=headers.get("x-amz-log-type") == "Tail")

    def start(self, name: str, payload: bytes) -> str:
        """Begin an invocation that nobody waits for, and return its request id.

        Raises KeyError when there is no such function.
        """
        bare, qualifier = reference.parse(name)
        return self._asynchronous.begin(self._topology.function(bare), qualifier, payload or b"{}")

    def _function(self, name: str) -> Function:
        try:
            return self._topology.function(reference.parse(name)[0])
        except KeyError:
            raise AwsError(
                "ResourceNotFoundException", f"Function not found: {name}", status=404, Type="User"
            ) from None


def _check(payload: bytes, limit: int) -> None:
    if len(payload) > limit:
        message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        raise AwsError("RequestTooLargeException", message, status=413, Type="User")
    try:
        json.loads(payload or b"{}")
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise AwsError("InvalidRequestContentException", message, Type="User") from error


def _answer(ended: Invocation, *, tail: bool) -> Response:
    if ended.status == "throttled":
        error = AwsError("TooManyRequestsException", "Rate Exceeded.", status=429, Type="User")
        return error.response()
    headers = {"content-type": "application/json", "x-amz-executed-version": "$LATEST"}
    if not ended.ok:
        headers["x-amz-function-error"] = "Unhandled"
    if tail:
        headers["x-amz-log-result"] = base64.b64encode(ended.log_tail.encode()).decode()
    return 200, headers, ended.payload
