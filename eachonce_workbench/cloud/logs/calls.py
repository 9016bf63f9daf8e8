"""CloudWatch Logs' calls that read: which groups and streams there are, and what is in them.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec

from eachonce_workbench.cloud.logs.archive import LogEvent, LogGroup, LogStream
from eachonce_workbench.cloud.logs.filter_pattern import FilterPattern
from eachonce_workbench.cloud.store.protocol import AwsError, Response, decoded, success

T = TypeVar("T")

_MAX_EVENTS = 10_000
_MAX_NAMES = 50
_LAST = 2**62

Params = Mapping[str, Any]


class Logs:
    """Answers for the groups that functions write to; `elsewhere` answers for all others, and for other calls."""

    def __init__(
        self, groups: Mapping[str, LogGroup], elsewhere: Callable[[str, Mapping[str, str], bytes], Response]
    ) -> None:
        self._groups = groups
        self._elsewhere = elsewhere
        self._calls: dict[str, Callable[[LogGroup, Params], dict[str, Any]]] = {
            "DescribeLogStreams": _describe_streams,
            "GetLogEvents": _get_events,
            "FilterLogEvents": _filter_events,
        }

    def answer(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer one request. Raises `AwsError`."""
        operation, params = headers.get("x-amz-target", "").rpartition(".")[2], decoded(body)
        if operation == "DescribeLogGroups":
            return success(self._describe_groups(params, headers, body))
        group = self._groups.get(_group_name(params))
        if operation not in self._calls or group is None:
            return self._elsewhere("logs", headers, body)
        return success(self._calls[operation](group, params))

    def _describe_groups(self, params: Params, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        part, prefix = _text(params, "logGroupNamePattern").lower(), _text(params, "logGroupNamePrefix")
        found = [
            _described(each) for name, each in self._groups.items() if name.startswith(prefix) and part in name.lower()
        ]
        status, _, others = self._elsewhere("logs", headers, body)
        if status == 200 and not _text(params, "nextToken"):
            found += [
                each for each in msgspec.json.decode(others)["logGroups"] if each["logGroupName"] not in self._groups
            ]
        return _page("logGroups", sorted(found, key=lambda each: each["logGroupName"]), params)


def _describe_streams(group: LogGroup, params: Params) -> dict[str, Any]:
    prefix, order = _text(params, "logStreamNamePrefix"), params.get("orderBy", "LogStreamName")
    if order not in ("LogStreamName", "LastEventTime"):
        raise _invalid("orderBy is LogStreamName or LastEventTime")
    if prefix and order == "LastEventTime":
        raise _invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    chosen = [stream for stream in group.streams.values() if stream.name.startswith(prefix)]
    chosen.sort(key=_last_event_time if order == "LastEventTime" else _name, reverse=bool(params.get("descending")))
    return _page("logStreams", [_described_stream(group, stream) for stream in chosen], params)


def _get_events(group: LogGroup, params: Params) -> dict[str, Any]:
    stream = _text(params, "logStreamName")
    if stream not in group.streams:
        raise _missing("The specified log stream does not exist.")
    since, until, limit = (
        _number(params, "startTime", 0),
        _number(params, "endTime", _LAST),
        _limit(params, _MAX_EVENTS),
    )
    events = [each for each in group.events() if each.stream == stream and since <= each.timestamp_ms < until]
    direction, _, number = _text(params, "nextToken").partition("/")
    if direction and (direction not in ("f", "b") or not number.isdecimal()):
        raise _invalid("The specified nextToken is invalid.")
    place = int(number[:20] or 0)
    if direction == "f" or (not direction and params.get("startFromHead")):
        page = [each for each in events if each.number > place][:limit]
    else:
        page = [each for each in events if not direction or each.number < place][-limit:]
    first, last = (
        (page[0].number, page[-1].number) if page else (place + (direction == "f"), place - (direction == "b"))
    )
    return {
        "events": [_event(each) for each in page],
        "nextForwardToken": f"f/{max(last, 0):020}",
        "nextBackwardToken": f"b/{first:020}",
    }


def _filter_events(group: LogGroup, params: Params) -> dict[str, Any]:
    names, prefix = params.get("logStreamNames"), _text(params, "logStreamNamePrefix")
    if names and prefix:
        raise _invalid("logStreamNames and logStreamNamePrefix can't be used together.")
    since, until, limit = (
        _number(params, "startTime", 0),
        _number(params, "endTime", _LAST),
        _limit(params, _MAX_EVENTS),
    )
    pattern = FilterPattern(_text(params, "filterPattern"))
    matching = (
        event
        for event in group.events(after=_token(params))
        if since <= event.timestamp_ms <= until
        and (not names or event.stream in names)
        and event.stream.startswith(prefix)
        and pattern.matches(event.message)
    )
    found = list(islice(matching, limit + 1))
    more = {"nextToken": f"{found[limit - 1].number:020}"} if len(found) > limit else {}
    events = [
        {"eventId": f"{event.number:056}", "logStreamName": event.stream, **_event(event)} for event in found[:limit]
    ]
    return {"events": events, "searchedLogStreams": [], **more}


def _event(event: LogEvent) -> dict[str, Any]:
    return {
        "timestamp": event.timestamp_ms,
        "message": event.message,
        "ingestionTime": event.timestamp_ms,
    }


def _described(group: LogGroup) -> dict[str, Any]:
    return {
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "logGroupArn": group.arn,
        "storedBytes": group.stored_bytes,
        "logGroupClass": "STANDARD",
    }


def _described_stream(group: LogGroup, stream: LogStream) -> dict[str, Any]:
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "firstEventTimestamp": stream.first_ms,
        "lastEventTimestamp": stream.last_ms,
        "lastIngestionTime": stream.last_ms,
        "arn": f"{group.arn}:log-stream:{stream.name}",
        "storedBytes": 0,  # as AWS, which has told 0 since 2019
    }


def _name(stream: LogStream) -> str:
    return stream.name


def _last_event_time(stream: LogStream) -> int:
    return stream.last_ms


def _page(name: str, things: Sequence[T], params: Params) -> dict[str, Any]:
    start, limit = _token(params), _limit(params, _MAX_NAMES)
    more = {"nextToken": f"{start + limit:020}"} if len(things) > start + limit else {}
    return {name: things[start : start + limit], **more}


def _group_name(params: Params) -> str:
    identifier = _text(params, "logGroupName") or _text(params, "logGroupIdentifier")
    return identifier.partition(":log-group:")[2].removesuffix(":*") if identifier.startswith("arn:") else identifier


def _text(params: Params, name: str) -> str:
    value = params.get(name)
    if value is not None and not isinstance(value, str):
        raise _invalid(f"{name} is a string.")
    return value or ""


def _number(params: Params, name: str, default: int) -> int:
    value = params.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _invalid(f"{name} is a number of milliseconds.")
    return value


def _limit(params: Params, most: int) -> int:
    limit = params.get("limit", most)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= most:
        raise _invalid(f"limit is 1 to {most}.")
    return limit


def _token(params: Params) -> int:
    token = _text(params, "nextToken") or "0"
    if not token.isdecimal() or len(token) > 20:
        raise _invalid("The specified nextToken is invalid.")
    return int(token)


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def _missing(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message)
