"""Which pages of a browser may read an API's answers (CORS).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors
"""

from __future__ import annotations

from dataclasses import replace

from eachonce_workbench.cloud.web.answers import WebAnswer
from eachonce_workbench.cloud.web.request import Headers, WebRequest
from eachonce_workbench.template.topology import Cors

_OURS = "access-control-"


def preflight(cors: Cors, request: WebRequest) -> WebAnswer | None:
    """Answer what a browser asks before it sends; None for any other request."""
    method = request.header("access-control-request-method")
    if request.method != "OPTIONS" or not request.header("origin") or not method:
        return None
    told = _told(cors, request)
    if told and cors.allow_methods:
        told.append(("access-control-allow-methods", ",".join(cors.allow_methods)))
    if told and cors.allow_headers:
        told.append(("access-control-allow-headers", ",".join(cors.allow_headers)))
    if told and cors.max_age_seconds is not None:
        told.append(("access-control-max-age", str(cors.max_age_seconds)))
    return WebAnswer(status=204, headers=told, body=b"")


def shared(cors: Cors, request: WebRequest, answer: WebAnswer) -> WebAnswer:
    """Say of an answer who may read it, in place of what the function said of that."""
    own = [(name, value) for name, value in answer.headers if not name.lower().startswith(_OURS)]
    return replace(answer, headers=[*own, *_told(cors, request)])


def _told(cors: Cors, request: WebRequest) -> Headers:
    origin = request.header("origin")
    if not origin or not any(_matches(origin, allowed) for allowed in cors.allow_origins):
        return []
    told = [("access-control-allow-origin", "*" if "*" in cors.allow_origins else origin)]
    if cors.allow_credentials:
        told.append(("access-control-allow-credentials", "true"))
    if cors.expose_headers:
        told.append(("access-control-expose-headers", ",".join(cors.expose_headers)))
    return told


def _matches(origin: str, allowed: str) -> bool:
    return allowed in ("*", origin) or (allowed in ("http://*", "https://*") and origin.startswith(allowed[:-1]))
