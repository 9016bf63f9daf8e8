"""What a function returns, as the answer to a request.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html, "Formats"
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html, "Output format"
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import responses
from typing import Any

import msgspec

from eachonce_workbench.cloud.web.bodies import as_bytes, is_binary
from eachonce_workbench.cloud.web.request import Headers
from eachonce_workbench.matching.reading import read_json

_KNOWN = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "cookies"})
_JSON = [("content-type", "application/json")]


class MalformedError(ValueError):
    """What a function returned is no answer; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAnswer:
    """Status, headers (each as often as it is to be sent) and body."""

    status: int
    headers: Headers
    body: bytes


def said(status: int, message: str, *, error_type: str | None = None) -> WebAnswer:
    """What an API itself says."""
    more = [] if error_type is None else [("x-amzn-errortype", error_type)]
    return WebAnswer(status=status, headers=[*_JSON, *more], body=msgspec.json.encode({"message": message}))


def answer_2(payload: bytes) -> WebAnswer:
    """The answer of format 2.0, in which whatever has no status is the body of a success. Raises MalformedError."""
    returned = _read(payload)
    if isinstance(returned, dict) and "statusCode" in returned:
        cookies = [("set-cookie", _text(cookie)) for cookie in returned.get("cookies") or ()]
        return _answer(returned, [*cookies, *_headers(returned)], default_type="text/plain; charset=utf-8")
    body = returned if isinstance(returned, str) else json.dumps(returned, separators=(",", ":"), ensure_ascii=False)
    return WebAnswer(status=200, headers=list(_JSON), body=body.encode(errors="replace"))


def answer_1(payload: bytes) -> WebAnswer:
    """The answer of format 1.0, which has headers of several values. Raises MalformedError."""
    returned = _read(payload)
    if not isinstance(returned, dict):
        raise MalformedError(f"an answer is an object, not {_kind(returned)}")
    if unknown := sorted(set(returned) - _KNOWN):
        raise MalformedError(f"an answer has no {', '.join(unknown)}")
    several = returned.get("multiValueHeaders") or {}
    if not isinstance(several, dict) or not all(isinstance(values, list) for values in several.values()):
        raise MalformedError("multiValueHeaders has a list of values for each name")
    known = {name.lower() for name in several}
    single = [(name, value) for name, value in _headers(returned) if name.lower() not in known]
    many = [(name, _text(value)) for name, values in several.items() for value in values]
    return _answer(returned, [*single, *many], default_type="application/json")


def answer_rest(payload: bytes, *, accept: str, binary_media_types: tuple[str, ...]) -> WebAnswer:
    """The answer of a REST API, which decodes base 64 for who accepts a binary type. Raises MalformedError."""
    answer = answer_1(payload)
    returned = _read(payload)
    first = accept.partition(",")[0].partition(";")[0].strip().lower()
    if returned.get("isBase64Encoded") is True and not is_binary(first, binary_media_types):
        return WebAnswer(status=answer.status, headers=answer.headers, body=_text(returned.get("body", "")).encode())
    return answer


def _answer(returned: dict[str, Any], headers: Headers, *, default_type: str) -> WebAnswer:
    body = returned.get("body")
    if body is not None and not isinstance(body, str):
        raise MalformedError(f"body is a string, not {_kind(body)}: json.dumps makes one")
    try:
        raw = as_bytes(body or "", encoded=returned.get("isBase64Encoded") is True)
    except ValueError as error:
        raise MalformedError(str(error)) from error
    if raw and not any(name.lower() == "content-type" for name, _ in headers):
        headers = [("content-type", default_type), *headers]
    return WebAnswer(status=_status(returned.get("statusCode", 200)), headers=headers, body=raw)


def _status(value: Any) -> int:
    try:
        status = int(value)
    except (TypeError, ValueError):
        status = 0
    if isinstance(value, bool) or not (status in responses or 200 <= status <= 599):
        raise MalformedError(f"statusCode is a status of HTTP, not {value!r}")
    return status


def _headers(returned: dict[str, Any]) -> Iterator[tuple[str, str]]:
    headers = returned.get("headers") or {}
    if not isinstance(headers, dict):
        raise MalformedError(f"headers is an object, not {_kind(headers)}")
    for name, value in headers.items():
        yield name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise MalformedError(f"a header is a string, not {_kind(value)}")
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    if "\r" in text or "\n" in text:
        raise MalformedError("a header is one line")
    return text


def _read(payload: bytes) -> Any:
    try:
        return read_json(payload.decode())
    except ValueError as error:
        raise MalformedError(f"what it returned is no JSON: {error}") from error


def _kind(value: Any) -> str:
    names = {bool: "a truth value", dict: "an object", list: "a list", str: "a string", type(None): "null"}
    return names.get(type(value), "a number")
