"""Payload format 1.0: what a function gets from a REST API, or from an HTTP API that is told so.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eachonce_workbench.cloud.web.bodies import as_text
from eachonce_workbench.cloud.web.caller import Place, clock_time
from eachonce_workbench.cloud.web.request import WebRequest
from eachonce_workbench.cloud.web.routing import Match

_NOBODY = (
    "accessKey",
    "accountId",
    "apiKey",
    "apiKeyId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
)


def event(request: WebRequest, match: Match, place: Place, *, binary: bool) -> dict[str, Any]:
    """Make the event; what a request doesn't have is null."""
    text, encoded = as_text(request.body, binary=binary)
    headers = request.with_origin()
    parameters = request.parameters()
    resource = match.route.path
    return {
        **({"version": "1.0"} if place.kind == "http" else {}),
        "resource": resource,
        "path": place.whole_path(request.path) if place.kind == "http" else request.path,
        "httpMethod": request.method,
        "headers": dict(headers) or None,
        "multiValueHeaders": _gathered(headers) or None,
        "queryStringParameters": dict(parameters) or None,
        "multiValueQueryStringParameters": _gathered(parameters) or None,
        "pathParameters": match.variables or None,
        "stageVariables": dict(place.stage_variables) or None,
        "requestContext": {
            "accountId": place.account_id,
            "apiId": place.api_id,
            "domainName": place.domain,
            "domainPrefix": place.domain.partition(".")[0],
            "extendedRequestId": request.id,
            "httpMethod": request.method,
            "identity": {
                **dict.fromkeys(_NOBODY),
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent") or None,
            },
            "path": place.whole_path(request.path),
            "protocol": request.protocol,
            "requestId": request.id,
            "requestTime": clock_time(request.at),
            "requestTimeEpoch": int(request.at * 1000),
            "resourceId": f"{match.route.method} {resource}" if place.kind == "http" else "local",
            "resourcePath": resource,
            "stage": place.stage,
        },
        "body": text if request.body else None,
        "isBase64Encoded": encoded,
    }


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
