"""Where APIs are found: the addresses that a template makes of their ids lead to the local cloud instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from eachonce_workbench.template.topology import Route, Topology

PREFIX = "/_apis/"
"""What the path of a request to an API begins with, before the API's logical id."""

_ON_AWS = re.compile(r"https://(?P<id>\w+)\.execute-api\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?)")


def address(endpoint: str, logical_id: str, stage: str) -> str:
    """Give the address of an API's stage, without a slash at its end.

    >>> address("http://127.0.0.1:4566", "Shop", "$default"), address("http://127.0.0.1:4566", "Shop", "prod")
    ('http://127.0.0.1:4566/_apis/Shop', 'http://127.0.0.1:4566/_apis/Shop/prod')
    """
    return f"{endpoint}{PREFIX}{logical_id}" + ("" if stage == "$default" else f"/{stage}")


def routes(endpoint: str, topology: Topology) -> Iterator[tuple[Route, str]]:
    """Give each route that functions answer, and its address in each stage."""
    for api in topology.apis:
        for stage, route in product(api.stages, api.routes):
            if route.function is not None:
                path = "/" if route.path == "$default" else route.path
                yield route, address(endpoint, api.logical_id, stage.name) + path


def brought_here(text: str, endpoint: str) -> str:
    """Give a text in which the addresses of APIs lead to the local cloud: the ids that it knows are logical ids.

    >>> brought_here("https://Shop.execute-api.eu-west-1.amazonaws.com/prod/orders", "http://127.0.0.1:4566")
    'http://127.0.0.1:4566/_apis/Shop/prod/orders'
    """
    return _ON_AWS.sub(lambda found: f"{endpoint}{PREFIX}{found['id']}", text)
