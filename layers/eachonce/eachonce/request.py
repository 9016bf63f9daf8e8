"""The request: what came with the body over HTTP, however the API in front of the function writes it.

HTTP APIs and function URLs send payload format 2.0, REST APIs and load balancers one like 1.0. What isn't as they write
it is not set.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_EMPTY: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request over HTTP, but for its body; all of it is empty where there was none.

    - `route`: the template that the path matched, such as `/orders/{order_id}`, and `path_parameters` what it names
    - `path`: without the API's stage
    - `query`, `headers`: text by name, several values with commas between; a header's name is in lower case
    - `claims`: what the API's authorizer says of the caller, and `caller` who that is, where it says so
    """

    method: str = ""
    path: str = ""
    route: str = ""
    path_parameters: Mapping[str, str] = field(default_factory=_nothing)
    query: Mapping[str, str] = field(default_factory=_nothing)
    headers: Mapping[str, str] = field(default_factory=_nothing)
    claims: Mapping[str, Any] = field(default_factory=_nothing)
    caller: str | None = None

    @property
    def content(self) -> list[Any]:
        """What a copy of the request has in common with it, beside its key and its body."""
        return [self.method, self.path, sorted(self.query.items()), self.caller]


NO_REQUEST = Request()


def read(payload: Mapping[str, Any]) -> Request:
    """Return the request that an API hands over; its `route` is the API's own name of it."""
    context = _mapping(payload.get("requestContext"))
    http = _mapping(context.get("http"))
    claims, caller = _caller(context)
    return Request(
        method=_text(http.get("method", payload.get("httpMethod"))).upper(),
        path=_path(payload, context, http),
        route=_route(payload),
        path_parameters=_texts(payload.get("pathParameters")),
        query=_texts(payload.get("queryStringParameters"), payload.get("multiValueQueryStringParameters")),
        headers=_texts(payload.get("headers"), payload.get("multiValueHeaders"), lower=True),
        claims=MappingProxyType(dict(claims)),
        caller=caller,
    )


def _path(payload: Mapping[str, Any], context: Mapping[str, Any], http: Mapping[str, Any]) -> str:
    """Return the path: that of an HTTP API's stage begins with its name, unless it is the default one."""
    path = _text(payload.get("rawPath")) or _text(payload.get("path")) or _text(http.get("path"))
    stage = _text(context.get("stage"))
    if "rawPath" in payload and stage not in ("", "$default") and f"{path}/".startswith(f"/{stage}/"):
        path = path.removeprefix(f"/{stage}")
    return path.rstrip("/") or "/"


def _route(payload: Mapping[str, Any]) -> str:
    _, _, of_http_api = _text(payload.get("routeKey")).partition(" ")
    return of_http_api or _text(payload.get("resource"))


def _caller(context: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | None]:
    """Return what an authorizer says of the caller, and who that is: a JWT's or Cognito's, a function's, or IAM's."""
    authorizer = _mapping(context.get("authorizer"))
    for said in (_mapping(authorizer.get("jwt")).get("claims"), authorizer.get("claims"), authorizer.get("lambda")):
        if isinstance(said, Mapping):
            return said, _named(said, "sub", "principalId")
    iam = _mapping(authorizer.get("iam"))
    if iam:
        return iam, _named(iam, "userArn", "userId")
    identity = _mapping(context.get("identity"))
    return authorizer, _named(authorizer, "sub", "principalId") or _named(identity, "userArn")


def _named(said: Mapping[str, Any], *names: str) -> str | None:
    return next(filter(None, (_text(said.get(name)) for name in names)), None)


def _texts(*several: Any, lower: bool = False) -> Mapping[str, str]:
    """Return text by name: where there are lists of values, they say more."""
    named = {name.lower() if lower else name: text for values in several for name, text in _pairs(_mapping(values))}
    return MappingProxyType(named)


def _pairs(values: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        text = ",".join(filter(_text, value)) if isinstance(value, list) else value
        if isinstance(name, str) and isinstance(text, str) and text == _text(text):
            yield name, text


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else _EMPTY


def _text(value: Any) -> str:
    """Return text that can be written, or none."""
    try:
        return value if isinstance(value, str) and value.encode() is not None else ""
    except UnicodeError:
        return ""
