"""What Lambda tells of an asynchronous invocation once it is over.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from eachonce_workbench.cloud.functions.runtime import Invocation

Condition = Literal["Success", "RetriesExhausted", "EventAgeExceeded", "ZeroReservedConcurrency"]

_ERROR_MESSAGE_BYTES = 1024


def record(
    condition: Condition,
    *,
    function_arn: str,
    request_id: str,
    payload: bytes,
    invokes: int,
    last: Invocation | None,
    now: float,
) -> str:
    """Return the invocation record (JSON) that a destination gets; `last` is the last run, None when there was none."""
    document: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": invokes,
        },
        "requestPayload": _json(payload),
    }
    if last is not None:
        error = {} if last.ok else {"functionError": "Unhandled"}
        document["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST", **error}
        document["responsePayload"] = _json(last.payload)
    return msgspec.json.encode(document).decode()


def dead_letter_attributes(condition: Condition, *, request_id: str, last: Invocation | None) -> dict[str, str | int]:
    """Return the message attributes of an event in its function's dead-letter queue; numbers are of type Number."""
    if condition == "ZeroReservedConcurrency":  # which has no status, since nothing was asked to run
        return {"RequestID": request_id, "ErrorMessage": "The function's reserved concurrency is zero."}
    code, message = (429, "Rate Exceeded.") if last is None else (200, last.error_message)
    attributes: dict[str, str | int] = {"RequestID": request_id, "ErrorCode": code}
    if message:  # SQS takes no attribute that is empty
        attributes["ErrorMessage"] = message.encode()[:_ERROR_MESSAGE_BYTES].decode(errors="ignore")
    return attributes


def _json(payload: bytes) -> msgspec.Raw | str:
    """Return what a payload is within a document: itself, digit by digit, or its text where it is no JSON."""
    try:
        msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return payload.decode(errors="replace")
    return msgspec.Raw(payload)
