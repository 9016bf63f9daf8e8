"""What an API answers when no function does, in the words of its kind.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
"""

from __future__ import annotations

from collections.abc import Iterable

from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.web.answers import WebAnswer, said
from eachonce_workbench.template.topology import Api


def no_api(logical_id: str, known: Iterable[str]) -> WebAnswer:
    """Nothing of the template is called so; this is the local cloud's own word."""
    return said(404, f"the template has no API {logical_id!r}; it has {', '.join(known) or 'none'}")


def no_stage(api: Api) -> WebAnswer:
    """The API has no such stage."""
    return said(403, "Forbidden", error_type="ForbiddenException") if api.kind == "rest" else said(404, "Not Found")


def no_route(api: Api) -> WebAnswer:
    """The API has no such route: a REST API takes the request for one to AWS itself."""
    if api.kind == "rest":
        return said(403, "Missing Authentication Token", error_type="MissingAuthenticationTokenException")
    return said(404, "Not Found")


def too_large(api: Api) -> WebAnswer:
    """The request has more bytes than the API, or Lambda, takes."""
    message = "Request Too Long" if api.kind == "rest" else "Request Entity Too Large"
    return said(413, message, error_type="RequestTooLargeException" if api.kind == "rest" else None)


def took_too_long(api: Api) -> WebAnswer:
    """The function takes longer than the API waits."""
    if api.kind == "rest":
        return said(504, "Endpoint request timed out", error_type="InternalServerErrorException")
    return said(503, "Service Unavailable")


def failed(api: Api, ended: Invocation) -> WebAnswer:
    """The function failed, or was not begun."""
    if ended.status == "throttled":
        if api.kind == "url":
            return WebAnswer(status=429, headers=[("content-type", "application/json")], body=ended.payload)
        return said(500, "Internal server error") if api.kind == "rest" else said(503, "Service Unavailable")
    return malformed(api)


def malformed(api: Api) -> WebAnswer:
    """The function failed, or returned what is no answer."""
    if api.kind == "rest":
        return said(502, "Internal server error", error_type="InternalServerErrorException")
    if api.kind == "url":
        return WebAnswer(status=502, headers=[("content-type", "application/json")], body=b"Internal Server Error")
    return said(500, "Internal Server Error")
