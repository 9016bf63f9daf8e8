"""Payload format 2.0: what a function gets from an HTTP API, or from its own URL.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eachonce_workbench.cloud.web.bodies import as_text, is_text
from eachonce_workbench.cloud.web.caller import Place, clock_time
from eachonce_workbench.cloud.web.request import WebRequest
from eachonce_workbench.cloud.web.routing import Match


def event(request: WebRequest, match: Match, place: Place) -> dict[str, Any]:
    """Make the event; what a request doesn't have is left out."""
    path = place.whole_path(request.path)
    route_key = match.route.path if match.route.path == "$default" else f"{match.route.method} {match.route.path}"
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": _joined((name.lower(), value) for name, value in request.with_origin() if name.lower() != "cookie"),
        "requestContext": {
            "accountId": place.account_id,
            "apiId": place.api_id,
            "domainName": place.domain,
            "domainPrefix": place.domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent"),
            },
            "requestId": request.id,
            "routeKey": route_key,
            "stage": place.stage,
            "time": clock_time(request.at),
            "timeEpoch": int(request.at * 1000),
        },
    }
    if cookies := [value for name, value in request.headers if name.lower() == "cookie"]:
        made["cookies"] = [cookie.strip() for value in cookies for cookie in value.split(";")]
    if parameters := request.parameters():
        made["queryStringParameters"] = _joined(parameters)
    if match.variables:
        made["pathParameters"] = match.variables
    if place.stage_variables:
        made["stageVariables"] = dict(place.stage_variables)
    text, encoded = as_text(request.body, binary=is_encoded(request))
    return made | ({"body": text} if request.body else {}) | {"isBase64Encoded": encoded}


def is_encoded(request: WebRequest) -> bool:
    """Whether a request's body comes in base 64: one that isn't said to be a text, or that isn't one."""
    try:
        request.body.decode()
    except UnicodeDecodeError:
        return True
    return not is_text(request.content_type)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Values by name; those of one name in a row, with commas."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
