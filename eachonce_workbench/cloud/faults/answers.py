"""How a call with a fault is answered: by AWS's own errors, and by its words for what was done in part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.store.protocol import AwsError

Json = dict[str, Any]

WEB = "http"
"""The service of a request that is for nobody at AWS."""

_THROTTLE = {"sqs": ("RequestThrottled", 400), "s3": ("SlowDown", 503), WEB: ("TooManyRequests", 429)}
_THROTTLED = ("ThrottlingException", 400)  # the others'


def refusal(fault: CallFault, *, service: str, operation: str, asked: Mapping[str, Any], why: str) -> AwsError:
    """Return the error that a call gets with which nothing happens; `why` stands in its message."""
    match fault:
        case CallFault.THROTTLED:
            code, status = _THROTTLE.get(service, _THROTTLED)
            return AwsError(code, f"{code}, {why}", status=status)
        case CallFault.CONFLICT if operation == "TransactWriteItems":
            others = [{"Code": "None"}] * (len(asked["TransactItems"]) - 1)
            reasons = [{"Code": "TransactionConflict", "Message": why}, *others]
            code = "TransactionCanceledException"
            return AwsError(code, f"{code}, {why}", CancellationReasons=reasons)
        case CallFault.CONFLICT:
            return AwsError("TransactionConflictException", f"TransactionConflictException, {why}")
    return AwsError("InternalServerError", f"InternalServerError, {why}", status=500)


@dataclass(frozen=True, slots=True)
class Part:
    """What is done of a batch call, None where nothing is, and what makes the whole's answer of the part's."""

    asked: Json | None
    whole: Callable[[Json], Json]


def part_of(operation: str, asked: Json, *, why: str) -> Part:
    """Return every second part of a batch call."""
    if "RequestItems" in asked:
        return _some_items(operation, asked)
    entries = asked["Entries"]
    taken, failed = entries[1::2], entries[::2]
    whole = _put_events(entries, why) if operation == "PutEvents" else _send_batch(failed, why)
    return Part({**asked, "Entries": taken} if taken else None, whole)


def _some_items(operation: str, asked: Json) -> Part:
    """Leave every second key of a read, or item of a write."""
    reads = operation == "BatchGetItem"
    wanted = asked["RequestItems"]
    halves = [_halves(each, "Keys") if reads else (each[::2], each[1::2]) for each in wanted.values()]
    now = {table: half for table, (half, _) in zip(wanted, halves, strict=True)}
    left = {table: rest for table, (_, rest) in zip(wanted, halves, strict=True) if _size(rest)}

    def whole(answer: Json) -> Json:
        return {**answer, "UnprocessedKeys" if reads else "UnprocessedItems": left} if left else answer

    return Part({**asked, "RequestItems": now}, whole)


def _halves(wanted: Mapping[str, Any], name: str) -> tuple[Json, Json]:
    return {**wanted, name: wanted[name][::2]}, {**wanted, name: wanted[name][1::2]}


def _size(part: Any) -> int:
    return len(part["Keys"] if isinstance(part, dict) else part)


def _put_events(entries: list[Any], why: str) -> Callable[[Json], Json]:
    def whole(answer: Json) -> Json:
        taken = iter(answer.get("Entries", ()))
        failure = {"ErrorCode": "InternalFailure", "ErrorMessage": why}
        results = [next(taken) if place % 2 else failure for place in range(len(entries))]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    return whole


def _send_batch(failed: list[Any], why: str) -> Callable[[Json], Json]:
    failures = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False, "Message": why} for entry in failed]
    return lambda answer: {"Successful": answer.get("Successful", []), "Failed": failures}
