"""A call of a function's: one request, to AWS or to anybody else, before it is known what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from eachonce_workbench.cloud.faults.answers import WEB
from eachonce_workbench.cloud.store.protocol import AwsError, Response

# How botocore's names for services differ from those that requests are signed for.
_SIGNED_FOR = {
    "cloudwatch": "monitoring",
    "cloudwatch-logs": "logs",
    "eventbridge": "events",
    "dynamodb-streams": "streams",
    "secrets-manager": "secretsmanager",
}
_FORMS = frozenset({"sns", "ses", "sts", "cloudformation", "monitoring"})


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request: whom it is for, by the name that it is signed for (`WEB` for others than AWS), and what it asks.

    `operation` is AWS's name of it, else the method; header names are in lower case. `by_layer` says that it is the
    layer that asks, `who` is the invocation (its id), and `site` which part of its code makes which call.
    """

    service: str
    operation: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    by_layer: bool = False
    who: str = ""
    site: str = ""

    @classmethod
    def of(cls, event_name: str, request: Any) -> Call:
        """Take botocore's request of its event before-send.SERVICE.OPERATION."""
        service_id, operation = event_name.split(".")[1:]
        service = _SIGNED_FOR.get(service_id, service_id)
        headers = {name.lower(): v if isinstance(v, str) else v.decode() for name, v in request.headers.items()}
        headers.setdefault("host", urlsplit(request.url).netloc)
        return cls(
            service=service,
            operation=operation,
            method=request.method,
            url=request.url,
            headers=headers,
            body=content_of(request.body),
        )

    @cached_property
    def params(self) -> dict[str, Any]:
        """What is asked, as far as it is said in JSON or as a form; nothing for other bodies."""
        try:
            read = msgspec.json.decode(self.body or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self.form
        return read if isinstance(read, dict) else {"": read}

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form, the last of each name; nothing where the body is none."""
        try:
            fields = parse_qs(self.body.decode(), keep_blank_values=True)
        except UnicodeDecodeError:
            return {}
        return {name: values[-1] for name, values in fields.items()}

    @property
    def place(self) -> str:
        """Where it goes: the host of a request to others, else AWS's service."""
        return urlsplit(self.url).netloc if self.service == WEB else self.service

    @property
    def path(self) -> str:
        """The path that is asked for."""
        return unquote(urlsplit(self.url).path)

    @property
    def about(self) -> list[str]:
        """What tells the call from others like it, in words: the table, queue, bus, topic or path, and the item."""
        return _about(self) or [f"{self.place}{self.path}".rstrip("/")]

    def refused(self, error: AwsError) -> Response:
        """Return an error as whoever made the call reads it."""
        from eachonce_workbench.cloud.refusal import refused

        return refused(error, to_form=self.service in _FORMS or self.service == "s3")


def _about(call: Call) -> list[str]:
    match call.params:
        case {"TransactItems": [first, *_]}:
            ((_, asked),) = first.items()
            return _row(asked)
        case {"RequestItems": {**tables}}:
            return [_named(str(name)) for name in tables]
        case {"TableName": _} as asked:
            return _row(asked)
        case {"QueueUrl": str(url)}:
            return [url.rpartition("/")[2]]
        case {"Entries": [{"DetailType": kind, **entry}, *_]}:
            return [_named(str(entry.get("EventBusName") or "default")), str(kind)]
        case {"TopicArn": str(arn)}:
            return [arn.rpartition(":")[2]]
    return []


def _row(asked: Mapping[str, Any]) -> list[str]:
    """Return the table and the key, or as much of an item as is short; the schema isn't known here."""
    values = asked.get("Key") or dict(list(asked.get("Item", {}).items())[:2])
    shown = [f"{name}={_short(value)}" for name, value in sorted(values.items())]
    return [_named(str(asked["TableName"])), *shown]


def _short(value: Any) -> str:
    """Return an attribute value as a short word without spaces."""
    plain = next(iter(value.values()), "") if isinstance(value, dict) else value
    return str(plain).replace(" ", "_")[:60]


def _named(name: str) -> str:
    return name.rpartition("/")[2]


def content_of(body: Any) -> bytes:
    """Return what botocore would send of a request's body: a text, bytes, a file, or nothing."""
    content = body.read() if hasattr(body, "read") else body
    return content.encode() if isinstance(content, str) else bytes(content or b"")
