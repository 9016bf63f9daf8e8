"""Routes: which handler answers which requests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from eachonce.errors import HandlerError
from eachonce.handler import Handler
from eachonce.request import Request

_TEMPLATE = re.compile(r"/|(/([^/{}]+|\{\w+\}))*(/\{\w+\+\})?")
_PARAMETER = re.compile(r"\\\{(\w+)(\\\+)?\\\}")


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A method and a template of paths, as API Gateway writes one: `/orders/{order_id}`, `/files/{path+}`."""

    method: str
    template: str
    handler: Handler

    def __post_init__(self) -> None:
        """Raise HandlerError when the template is none."""
        template = self.template if isinstance(self.template, str) else ""
        names = re.findall(r"\{(\w+)\+?\}", template)
        if not template or not _TEMPLATE.fullmatch(template) or len(set(names)) < len(names):
            raise HandlerError(f"a route's path is like /orders/{{order_id}}, and not {self.template!r}")

    def parameters(self, request: Request) -> Mapping[str, str] | None:
        """Return what a request's path names of the template; None where it doesn't match.

        Where the API knows the route by the same template, it has read the path already.
        """
        if request.route == self.template:
            return request.path_parameters
        found = _pattern(self.template).fullmatch(request.path)
        return None if found is None else MappingProxyType(found.groupdict())


def routed(routes: Sequence[Route], request: Request) -> tuple[Handler | None, Request, frozenset[str]]:
    """Return the handler of a request, the request as it sees it, and the methods that its path takes.

    A template with fewer parameters goes first.
    """
    matching = [
        (route, parameters)
        for route in sorted(routes, key=lambda route: (route.template.count("+}"), route.template.count("{")))
        if (parameters := route.parameters(request)) is not None
    ]
    for route, parameters in matching:
        if route.method == request.method:
            seen = replace(request, route=route.template, path_parameters=parameters)
            return route.handler, seen, frozenset({route.method})
    return None, request, frozenset(route.method for route, _ in matching)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    text = _PARAMETER.sub(lambda found: f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})", re.escape(template))
    return re.compile(text)
