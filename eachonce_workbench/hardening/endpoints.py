"""A rule for what answers over HTTP: it asks who is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.statement import mapping

_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "trace", "x-amazon-apigateway-any-method"})
_TELLS_NOBODY = (None, "", "NONE")
# Its value can be read from any client that has it, and names no caller.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
_API_KEY = "x-api-key"


def open_endpoints(resources: Resources) -> Iterator[Breach]:
    """Give routes, methods and function URLs that anybody can call. A browser's OPTIONS can't be signed."""
    for api in resources.of_type("AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi"):
        yield from (Breach(by=api, what=f"anybody may call {each}") for each in _open_operations(api))
        if "Target" in api.properties:  # such an API makes a route by itself, and asks nobody
            yield Breach(by=api, what="anybody may call it")
        if "BodyS3Location" in api.properties:
            yield Breach(by=api, what="nobody can see here who may call it, since its document is elsewhere")
    for url in resources.of_type("AWS::Lambda::Url"):
        if url.properties.get("AuthType") != "AWS_IAM":
            yield Breach(by=url, what="anybody may call its URL")
    yield from _open_routes(resources)
    yield from _open_methods(resources)


def _open_routes(resources: Resources) -> Iterator[Breach]:
    web_sockets = {
        api.ref
        for api in resources.of_type("AWS::ApiGatewayV2::Api")
        if api.properties.get("ProtocolType") == "WEBSOCKET"
    }
    for route in resources.of_type("AWS::ApiGatewayV2::Route"):
        key = str(route.properties.get("RouteKey"))
        # Who has connected was asked then; a message can't be asked again.
        asked = key != "$connect" if route.properties.get("ApiId") in web_sockets else key.startswith("OPTIONS ")
        if route.properties.get("AuthorizationType") in _TELLS_NOBODY and not asked:
            yield Breach(by=route, what=f"anybody may call {key}")


def _open_methods(resources: Resources) -> Iterator[Breach]:
    for method in resources.of_type("AWS::ApiGateway::Method"):
        verb = str(method.properties.get("HttpMethod"))
        if method.properties.get("AuthorizationType") in _TELLS_NOBODY and verb != "OPTIONS":
            yield Breach(by=method, what=f"anybody may call {verb}")


def _open_operations(api: Declared) -> Iterator[str]:
    """Give the operations of an API's OpenAPI document that no authorizer stands before."""
    body = mapping(api.properties.get("Body"))
    schemes = mapping(mapping(body.get("components")).get("securitySchemes")) or mapping(
        body.get("securityDefinitions")
    )
    for path, item in mapping(body.get("paths")).items():
        for method, operation in mapping(item).items():
            if method.lower() in _METHODS and not _is_guarded(
                mapping(operation).get("security", body.get("security")), schemes
            ):
                yield f"{'ANY' if method.startswith('x-') else method.upper()} {path}"


def _is_guarded(security: Any, schemes: Mapping[str, Any]) -> bool:
    """Whether each alternative names a scheme that asks who is there; `[]` and `[{}]` ask nobody."""
    ways = security if isinstance(security, list) else []
    return bool(ways) and all(any(_asks(schemes.get(name)) for name in mapping(way)) for way in ways)


def _asks(scheme: Any) -> bool:
    """Whether a scheme is an authorizer; SAM names one NONE, and describes it nowhere."""
    return isinstance(scheme, Mapping) and str(scheme.get("name", "")).lower() != _API_KEY


RULES = (
    Rule(
        id="open-endpoint",
        number=109,
        reason="anybody on the internet could have it do its work, in anybody's name",
        mend="give the route an authorizer: AWS_IAM, a JWT's, or a function",
        link="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html",
        breaches=open_endpoints,
    ),
)
