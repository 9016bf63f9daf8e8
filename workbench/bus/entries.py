"""PutEvents entries: EventBridge's limits, its errors an entry, and the event that an entry becomes.

Limits and error codes are those of AWS's own service model, as botocore 1.44.5 ships it (PutEvents and
PutEventsResultEntry); https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workbench.store.protocol import AwsError

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 1024 * 1024  # all entries of a request together; it was 256 KB until 2026
MAX_DETAIL_TYPE_CHARACTERS = 128
MAX_DEPTH = 1000
MAX_INTEGER = 2**63 - 1

Entry = Mapping[str, Any]
_REQUIRED = ("Source", "DetailType", "Detail")


class EntryError(Exception):
    """Why one entry of a request was not taken."""

    def __init__(self, *, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def result(self) -> dict[str, str]:
        """The entry's place in the response."""
        return {"ErrorCode": self.code, "ErrorMessage": self.message}


def check_request(entries: list[Entry]) -> None:
    """Raise `AwsError` ValidationException when a request fails as a whole."""
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise _refused(f"Value at 'entries' failed to satisfy constraint: Member must have length 1 to {MAX_ENTRIES}")
    if not any(all(entry.get(name) for name in _REQUIRED) for entry in entries):
        raise _refused(f"No entry of the request has all of {', '.join(_REQUIRED)}")
    if sum(size_bytes(entry) for entry in entries) >= MAX_REQUEST_BYTES:
        raise _refused("Total size of the entries in the request is over the limit.")


def _refused(message: str) -> AwsError:
    return AwsError("ValidationException", f"1 validation error detected: {message}")


def size_bytes(entry: Entry) -> int:
    """An entry's size as EventBridge counts it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
    """
    texts = [*(entry.get(name) or "" for name in _REQUIRED), *(entry.get("Resources") or ())]
    return sum(len(text.encode()) for text in texts) + (14 if entry.get("Time") is not None else 0)


def event_of(entry: Entry, *, event_id: str, account: str, region: str, now: datetime) -> dict[str, Any]:
    """The event that an entry becomes.

    Raises `EntryError` when the entry is not taken.
    """
    for name in _REQUIRED:
        if not entry.get(name):
            raise _invalid(name, f"{name} is a required argument.")
    if len(entry["DetailType"]) > MAX_DETAIL_TYPE_CHARACTERS:
        raise _invalid("DetailType", f"DetailType has more than {MAX_DETAIL_TYPE_CHARACTERS} characters.")
    if entry["Source"].startswith("aws."):
        raise EntryError(code="NotAuthorizedForSourceException", message="Not authorized for the source.")
    return {
        "version": "0",
        "id": event_id,
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": account,
        "time": _time(entry.get("Time"), now).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": list(entry.get("Resources") or ()),
        "detail": _detail(entry["Detail"]),
    }


def _invalid(name: str, reason: str) -> EntryError:
    return EntryError(code="InvalidArgument", message=f"Parameter {name} is not valid. Reason: {reason}")


def _time(given: Any, now: datetime) -> datetime:
    if given is None:
        return now
    try:
        return datetime.fromtimestamp(given, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise _invalid("Time", "Time is not a timestamp.") from None


def _detail(text: str) -> dict[str, Any]:
    malformed = EntryError(code="MalformedDetail", message="Detail is malformed.")
    try:
        detail = json.loads(text, parse_int=_integer, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise malformed from None
    if not isinstance(detail, dict) or _deeper(text, detail):
        raise malformed
    return detail


def _integer(text: str) -> int:
    number = int(text)
    if not -MAX_INTEGER - 1 <= number <= MAX_INTEGER:
        raise ValueError(text)
    return number


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _deeper(text: str, detail: Any) -> bool:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    level, depth = [detail], 0
    while level and depth < MAX_DEPTH:
        level = [child for value in level for child in _members(value) if isinstance(child, dict | list)]
        depth += 1
    return bool(level)


def _members(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value
