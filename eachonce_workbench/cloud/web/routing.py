"""Which route of an API a request takes.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from eachonce_workbench.template.topology import Api, Route

DEFAULT = "$default"

_VARIABLE = re.compile(r"\{(?P<name>[^{}+]+)(?P<greedy>\+?)\}")

_STATIC, _ONE, _GREEDY = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A route, and the values of the variables in its path."""

    route: Route
    variables: dict[str, str] = field(default_factory=dict)


def find(api: Api, method: str, path: str) -> Match | None:
    """Find the route of a request, whose path is as it was sent; None when there is none.

    An HTTP API looks for a route with both the path and the method. A REST API chooses the path first, and takes one
    with a slash at its end as well.
    """
    if api.kind == "http":
        segments = unquote(path).split("/")[1:]
        candidates = list(_candidates((route for route in api.routes if _takes(route, method)), segments))
    else:
        segments = [unquote(segment) for segment in _trimmed(path).split("/")[1:]]
        candidates = list(_candidates(api.routes, segments))
        best = min((rank for rank, _ in candidates), default=None)
        candidates = [(rank, each) for rank, each in candidates if rank == best and _takes(each.route, method)]
    chosen = min(candidates, key=lambda each: (each[0], each[1].route.method == "ANY"), default=None)
    return _otherwise(api, method) if chosen is None else chosen[1]


def _otherwise(api: Api, method: str) -> Match | None:
    defaults = [route for route in api.routes if route.path == DEFAULT and _takes(route, method)]
    return Match(route=defaults[0]) if defaults else None


def _takes(route: Route, method: str) -> bool:
    return route.method in ("ANY", method)


def _trimmed(path: str) -> str:
    return path.rstrip("/") or "/"


def _candidates(routes: Iterable[Route], segments: list[str]) -> Iterable[tuple[list[int], Match]]:
    """Give each route that fits, with a rank that is the less, the more its path says of the segments."""
    for route in routes:
        variables: dict[str, str] = {}
        rank = _fit(route.path.split("/")[1:], segments, variables)
        if rank is not None and route.path != DEFAULT:
            yield rank, Match(route=route, variables=variables)


def _fit(pattern: list[str], segments: list[str], variables: dict[str, str]) -> list[int] | None:
    rank: list[int] = []
    for place, part in enumerate(pattern):
        variable = _VARIABLE.fullmatch(part)
        if variable is not None and variable["greedy"]:
            rest = "/".join(segments[place:])
            variables[variable["name"]] = rest
            return [*rank, _GREEDY] if rest else None
        if place >= len(segments) or (segments[place] != part if variable is None else not segments[place]):
            return None
        if variable is not None:
            variables[variable["name"]] = segments[place]
        rank.append(_STATIC if variable is None else _ONE)
    return rank if len(pattern) == len(segments) else None
