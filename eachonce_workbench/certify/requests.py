"""Requests: what an endpoint's handlers are asked, as an API hands it over; each is an event, as any other.

A request comes under its Idempotency-Key, which is the event's id; where its contract says what it is about, no two
requests are about the same, as it is where nobody sends a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from eachonce import Endpoint, Event
from eachonce.handler import Handle, Handler
from eachonce.model import decode, encode, subject_of
from eachonce.request import Request
from eachonce.route import Route
from msgspec.structs import replace

from eachonce_workbench.certify.shape import shape_of

_PARAMETER = re.compile(r"\{(\w+)\+?\}")


class Asked(msgspec.Struct, frozen=True):
    """What is drawn for a request; each kind of requests has its body, and what its path names."""

    body: Any
    path: Any


class Routed(Handler, frozen=True, kw_only=True):
    """A handler of an endpoint; its events are called as its `route`, a method and a template, where it has one."""

    route: tuple[str, str] | None

    @classmethod
    def of(cls, route: Route | None, handler: Handler) -> Routed:
        """Return an endpoint's handler, by the route that leads to it."""
        told = {name: getattr(handler, name) for name in handler.__struct_fields__}
        if route is None:
            return cls(**told, route=None)
        called = f"{route.method} {route.template}"
        told["description"] = replace(handler.description, type=called)
        return cls(**told, route=(route.method, route.template))

    @property
    def asked(self) -> type[Any]:
        """The type of what is drawn for its requests."""
        names = [] if self.route is None else _PARAMETER.findall(self.route[1])
        text = Annotated[str, msgspec.Meta(min_length=1)]
        path = msgspec.defstruct("Path", [(name, text) for name in names], frozen=True)
        fields: list[Any] = [("body", shape_of(self.contract)), ("path", path)]
        return msgspec.defstruct(self.contract.__name__, fields, bases=(Asked,), frozen=True)

    def register(self, endpoint: Endpoint, handle: Handle[Any]) -> None:
        """Let this function answer the requests of the route."""
        if self.route is None:
            endpoint.on(self.contract, external=self.external)(handle)
        else:
            endpoint.route(*self.route, self.contract, external=self.external)(handle)

    def body(self, asked: Any) -> Any:
        """Return the data of what was drawn."""
        shaped = isinstance(asked.body, self.contract)
        return asked.body if shaped else decode(self.contract, msgspec.json.encode(asked.body))

    def request(self, asked: Any, key: str) -> Request:
        """Return the request of what was drawn, as its handler sees it."""
        named = {name: str(getattr(asked.path, name)) for name in asked.path.__struct_fields__}
        method, route = ("POST", "") if self.route is None else self.route
        path = _PARAMETER.sub(lambda found: named[found[1]], route) or "/"
        headers = {"content-type": "application/json", "idempotency-key": key}
        return Request(method=method, path=path, route=route, path_parameters=named, headers=headers, key=key)


def payload(event: Event[Any]) -> dict[str, Any]:
    """Return an event's request as an HTTP API hands it over.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    request = event.request
    return {
        "version": "2.0",
        "routeKey": f"{request.method} {request.route}" if request.route else "$default",
        "rawPath": request.path,
        "requestContext": {"http": {"method": request.method, "path": request.path}, "stage": "$default"},
        "headers": dict(request.headers),
        "pathParameters": dict(request.path_parameters),
        "body": msgspec.json.encode(event.data, enc_hook=encode).decode(),
        "isBase64Encoded": False,
    }


def told(request: Request) -> dict[str, Any]:
    """Return a request's fields as plain values, from which it can be made again."""
    values = {name: getattr(request, name) for name in request.__struct_fields__}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


def subject(asked: Any) -> str | None:
    """Return what the data of a request are about."""
    return subject_of(asked.body)
