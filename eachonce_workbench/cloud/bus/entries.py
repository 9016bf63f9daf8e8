"""PutEvents entries: EventBridge's limits, its errors an entry, and the event that an entry becomes.

Limits and error codes are those of AWS's own service model, as botocore 1.44.5 ships it (PutEvents and
PutEventsResultEntry); https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html. Where that page
says that a request fails of whose entries none has all that is required, EventBridge in fact fails them one by one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.matching.reading import read_json, to_json

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 1024 * 1024  # all entries of a request together; it was 256 KB until 2026
MAX_DETAIL_TYPE_CHARACTERS = 128
MAX_DEPTH = 1000
MAX_INTEGER = 2**63 - 1

Entry = Mapping[str, Any]
_REQUIRED = ("Source", "DetailType", "Detail")
_TEXTS = (*_REQUIRED, "EventBusName", "TraceHeader")
_BUS_NAME = re.compile(r"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus/)?[.\-_A-Za-z0-9]+", re.ASCII)
_TRACE_HEADER = re.compile(r"(?:[^;]*;)*Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;.*)?", re.ASCII)
_LONG_NUMBER = re.compile(r"[0-9]{19}")
_LONGEST = {"EventBusName": 1600, "TraceHeader": 500}
_LONGEST_RESOURCE = 2048


class EntryError(Exception):
    """Why one entry of a request was not taken."""

    def __init__(self, *, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def result(self) -> dict[str, str]:
        """The entry's place in the response."""
        return {"ErrorCode": self.code, "ErrorMessage": self.message}


def check_request(entries: Any) -> None:
    """Raise `AwsError` when a request fails as a whole, whatever its Entries are.

    SerializationException for what isn't PutEvents' JSON, ValidationException for what its limits refuse.
    """
    if entries is None:
        raise _refused("Value null at 'entries' failed to satisfy constraint: Member must not be null")
    if not isinstance(entries, list):
        raise _unreadable("Entries is not a list")
    for place, entry in enumerate(entries, 1):
        _check_types(entry, f"Entries[{place - 1}]")
    if not entries:
        raise _refused(
            "Value '[]' at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1"
        )
    if len(entries) > MAX_ENTRIES:
        raise _refused(
            "Value at 'entries' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_ENTRIES}"
        )
    for place, entry in enumerate(entries, 1):
        _check_limits(entry, f"entries.{place}.member")
    if sum(size_bytes(entry) for entry in entries) >= MAX_REQUEST_BYTES:
        raise AwsError("ValidationException", "Total size of the entries in the request is over the limit.")


def _check_types(entry: Any, where: str) -> None:
    if not isinstance(entry, dict):
        raise _unreadable(f"{where} is not an object")
    for name in _TEXTS:
        if not isinstance(entry.get(name), str | None):
            raise _unreadable(f"{where}.{name} is not a string")
    if isinstance(entry.get("Time"), bool) or not isinstance(entry.get("Time"), int | float | None):
        raise _unreadable(f"{where}.Time is not a timestamp")
    resources = entry.get("Resources")
    if resources is not None and not (
        isinstance(resources, list) and all(isinstance(resource, str) for resource in resources)
    ):
        raise _unreadable(f"{where}.Resources is not a list of strings")


def _check_limits(entry: Entry, where: str) -> None:
    name = entry.get("EventBusName")
    if name is not None and not _BUS_NAME.fullmatch(name):
        raise _refused(
            f"Value '{name[:100]}' at '{where}.eventBusName' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {_BUS_NAME.pattern}"
        )
    texts = {field: entry[field] for field in _LONGEST if entry.get(field) is not None}
    lengths = [(field, len(text), _LONGEST[field]) for field, text in texts.items()]
    lengths += [("Resources", len(resource), _LONGEST_RESOURCE) for resource in entry.get("Resources") or ()]
    for field, length, longest in lengths:
        if length > longest:
            raise _refused(
                f"Value at '{where}.{field[0].lower()}{field[1:]}' failed to satisfy constraint: "
                f"Member must have length less than or equal to {longest}"
            )


def _unreadable(message: str) -> AwsError:
    return AwsError("SerializationException", message)


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


def trace_header_of(entry: Entry) -> str | None:
    """The trace that an entry is a part of, for its targets; a header that X-Ray can't read is dropped.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-related-service-xray.html
    """
    header = entry.get("TraceHeader") or ""
    return header if _TRACE_HEADER.fullmatch(header) else None


def _invalid(name: str, reason: str) -> EntryError:
    return EntryError(code="InvalidArgument", message=f"Parameter {name} is not valid. Reason: {reason}")


def _time(given: Any, now: datetime) -> datetime:
    if given is None:
        return now
    try:
        return datetime.fromtimestamp(given, UTC)
    except (ValueError, OverflowError, OSError):
        raise _invalid("Time", "Time is not a timestamp.") from None


def _detail(text: str) -> dict[str, Any]:
    malformed = EntryError(code="MalformedDetail", message="Detail is malformed.")
    try:
        detail = read_json(text)
        if "\\u" in text:
            to_json(detail)  # half of a surrogate pair can't be sent on
    except ValueError:
        raise malformed from None
    if not isinstance(detail, dict) or not _within_limits(text, detail):
        raise malformed
    return detail


def _within_limits(text: str, detail: dict[str, Any]) -> bool:
    if text.count("{") + text.count("[") <= MAX_DEPTH and not _LONG_NUMBER.search(text):
        return True
    level: list[Any] = [detail]
    for _ in range(MAX_DEPTH):
        members = [member for value in level for member in (value.values() if isinstance(value, dict) else value)]
        if any(isinstance(member, int | Decimal) and _is_too_large(member) for member in members):
            return False
        level = [member for member in members if isinstance(member, dict | list)]
        if not level:
            return True
    return False


def _is_too_large(number: int | Decimal) -> bool:
    """Whether it was written as an integer, and has more than 64 bits."""
    is_integer = isinstance(number, int) or number.as_tuple().exponent == 0
    return is_integer and not -MAX_INTEGER - 1 <= number <= MAX_INTEGER
