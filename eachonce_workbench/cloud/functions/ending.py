"""How a function's process ends, in Lambda's words."""

from __future__ import annotations

import signal
from dataclasses import dataclass

import msgspec

from eachonce_workbench.cloud.functions.runtime import Invocation, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why a process does no more work.

    The error types and messages are those of AWS's own Runtime API server, github.com/aws/
    aws-lambda-runtime-interface-emulator, and of https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html.
    """

    status: Status
    error_type: str
    message: str = ""
    document: bytes = b""

    def invocation(self, request_id: str, *, duration_ms: float, log_tail: str) -> Invocation:
        """Return what this makes of an invocation under way."""
        error = {"errorType": self.error_type, "errorMessage": f"RequestId: {request_id} Error: {self.message}"}
        return Invocation(
            status=self.status,
            payload=self.document or msgspec.json.encode(error),
            error_type=self.error_type,
            duration_ms=duration_ms,
            request_id=request_id,
            log_tail=log_tail,
        )


def timed_out(seconds: float) -> Ending:
    """Return the ending of a process that was killed for having worked longer than `seconds`."""
    return Ending(
        status="timeout", error_type="Sandbox.Timedout", message=f"Task timed out after {seconds:.2f} seconds"
    )


def out_of_memory() -> Ending:
    """Return the ending of a process that was killed for having used more memory than it may."""
    return Ending(status="crash", error_type="Runtime.OutOfMemory", message="Runtime exited with error: signal: killed")


def exited(return_code: int) -> Ending:
    """Return the ending of a process that exited by itself; a negative `return_code` is a signal's number."""
    return Ending(status="crash", error_type="Runtime.ExitError", message=_reason(return_code))


def failed_to_start(document: bytes) -> Ending:
    """Return the ending of a process that could not load its function; `document` is its own account of it."""
    return Ending(status="error", error_type=error_type(document), document=document)


def error_type(document: bytes) -> str:
    """Return the `errorType` of an error document, or Lambda's own word where it has none."""
    try:
        error = msgspec.json.decode(document)
    except msgspec.DecodeError:
        return "Runtime.Unknown"
    name = error.get("errorType") if isinstance(error, dict) else None
    return name if isinstance(name, str) and name else "Runtime.Unknown"


def _reason(return_code: int) -> str:
    if return_code == 0:
        return "Runtime exited without providing a reason"
    if return_code > 0:
        return f"Runtime exited with error: exit status {return_code}"
    description = signal.strsignal(-return_code)
    return f"Runtime exited with error: signal: {(description or str(-return_code)).lower()}"
