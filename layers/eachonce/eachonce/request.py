"""The request: what came with the body over HTTP, however the API in front of the function writes it.

HTTP APIs and function URLs send payload format 2.0, REST APIs and load balancers one like 1.0. What isn't as they write
it is not set.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from eachonce.caller import caller_of, mapping, own_id, text
from eachonce.errors import MalformedMessageError

_KEY = "idempotency-key"
_EMPTY: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _EMPTY


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request over HTTP, but for its body; all of it is empty where there was none.

    - `route`: the template that the path matched, such as `/orders/{order_id}`, and `path_parameters` what it names
    - `path`: without the API's stage
    - `query`, `headers`: text by name, several values with commas between; a header's name is in lower case
    - `claims`: what the API's authorizer says of the caller, and `caller` who that is, where it says so
    - `key`: the Idempotency-Key, as the caller wrote it, and `owner` whose it is, by a digest; empty where nobody knows
    """

    method: str = ""
    path: str = ""
    route: str = ""
    path_parameters: Mapping[str, str] = msgspec.field(default_factory=_nothing)
    query: Mapping[str, str] = msgspec.field(default_factory=_nothing)
    headers: Mapping[str, str] = msgspec.field(default_factory=_nothing)
    claims: Mapping[str, Any] = msgspec.field(default_factory=_nothing)
    caller: str | None = None
    key: str | None = None
    owner: str = ""

    @property
    def own_key(self) -> str | None:
        """The key as nobody else has it; None where there is none."""
        return None if self.key is None else own_id(self.key, self.owner)

    @property
    def content(self) -> list[Any]:
        """What a copy of the request has in common with it, beside its key and its body."""
        return [self.method, self.path, sorted(self.query.items()), self.caller]


NO_REQUEST = Request()


def read(payload: Mapping[str, Any]) -> Request:
    """Return the request that an API hands over; its `route` is the API's own name of it.

    Raises MalformedMessageError when it has an Idempotency-Key that can't be read.
    """
    context = mapping(payload.get("requestContext"))
    http = mapping(context.get("http"))
    caller = caller_of(context)
    headers, key = _headers(payload)
    return Request(
        method=text(http.get("method", payload.get("httpMethod"))).upper(),
        path=_path(payload, context, http),
        route=_route(payload),
        path_parameters=_texts(payload.get("pathParameters")),
        query=_texts(payload.get("queryStringParameters"), payload.get("multiValueQueryStringParameters")),
        headers=headers,
        claims=MappingProxyType(dict(caller.claims)),
        caller=caller.name,
        key=key,
        owner=caller.digest,
    )


def _path(payload: Mapping[str, Any], context: Mapping[str, Any], http: Mapping[str, Any]) -> str:
    """Return the path: that of an HTTP API's stage begins with its name, unless it is the default one."""
    path = text(payload.get("rawPath")) or text(payload.get("path")) or text(http.get("path"))
    stage = text(context.get("stage"))
    if "rawPath" in payload and stage not in ("", "$default") and f"{path}/".startswith(f"/{stage}/"):
        path = path.removeprefix(f"/{stage}")
    return path.rstrip("/") or "/"


def _route(payload: Mapping[str, Any]) -> str:
    _, _, of_http_api = text(payload.get("routeKey")).partition(" ")
    return of_http_api or text(payload.get("resource"))


def _headers(payload: Mapping[str, Any]) -> tuple[Mapping[str, str], str | None]:
    """Return the headers by their names in lower case, and the idempotency key among them.

    Names may be in any case, and a load balancer may send lists of values alone. Raises MalformedMessageError when the
    key can't be read: the request may have been made under another one before.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
    """
    headers: dict[str, str] = {}
    key: str | None = None
    for several in ("headers", "multiValueHeaders"):
        said = payload.get(several)
        if not isinstance(said, Mapping | None):
            raise MalformedMessageError(f"the request's {several} are not an object")
        headers |= {name.lower(): value for name, value in _pairs(mapping(said))}
        if key is None:
            key = next(map(_key, (value for name, value in mapping(said).items() if _is_key(name, value))), None)
    return MappingProxyType(headers), key


def _is_key(name: Any, value: Any) -> bool:
    return isinstance(name, str) and name.lower() == _KEY and value is not None


def _key(value: Any) -> str:
    try:
        key = ",".join(value) if isinstance(value, list) else value
        key.encode()
    except (TypeError, AttributeError, UnicodeError):
        raise MalformedMessageError("the Idempotency-Key is not text") from None
    return str(key)


def _texts(*several: Any) -> Mapping[str, str]:
    """Return text by name: where there are lists of values, they say more."""
    return MappingProxyType({name: value for values in several for name, value in _pairs(mapping(values))})


def _pairs(values: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        whole = ",".join(filter(text, value)) if isinstance(value, list) else value
        if isinstance(name, str) and isinstance(whole, str) and whole == text(whole):
            yield name, whole
