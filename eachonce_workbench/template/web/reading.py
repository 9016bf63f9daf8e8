"""The resources of a template that make something answer over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from eachonce_workbench.template.source import Where
from eachonce_workbench.template.topology import Api, Route, Stage
from eachonce_workbench.template.web import definition
from eachonce_workbench.template.web.integration import HTTP_SECONDS, REST_SECONDS, Integration, invoked
from eachonce_workbench.template.web.values import group, texts

_HTTP = "AWS::ApiGatewayV2::"
_REST = "AWS::ApiGateway::"
_URL = "AWS::Lambda::Url"

ANSWERED = frozenset(
    {
        *(f"{_HTTP}{name}" for name in ("Api", "Authorizer", "Deployment", "Integration", "Route", "Stage")),
        *(
            f"{_REST}{name}"
            for name in ("Account", "Authorizer", "Deployment", "Method", "Resource", "RestApi", "Stage")
        ),
        "AWS::Serverless::Api",
        "AWS::Serverless::HttpApi",
        _URL,
    }
)
"""The types whose part the local cloud plays, or needs not."""

_DEFAULT_STAGE = "$default"
_SAM_STAGE = "Stage"  # a deployment of SAM's has this one beside the one that it is for

_Said = dict[str, Any]
Resolve = Callable[[Any, Where], Any]


class Web:
    """What of one translated template answers over HTTP."""

    def __init__(
        self, resources: Mapping[str, Mapping[str, Any]], resolve: Resolve, functions: Mapping[str, str]
    ) -> None:
        """Take the resources, what resolves their values, and the logical ids of functions by name."""
        self._resources = resources
        self._resolve = resolve
        self._functions = functions
        self._nowhere: list[str] = []
        self._protected: list[str] = []

    def passed_over(self) -> tuple[str, ...]:
        """Tell what of them isn't played; known once `apis` has been gone through."""
        lines = [f"{each}: leads to no function of this template, not answered here" for each in self._nowhere]
        if self._protected:
            lines.append(f"authorizers, signatures and keys of {', '.join(self._protected)}: not asked for here")
        return tuple(lines)

    def apis(self) -> Iterator[Api]:
        """Give each of them."""
        for api in self._found():
            if api.protected:
                self._protected.append(api.logical_id)
            yield api

    def _found(self) -> Iterator[Api]:
        for logical_id, said in self._each(f"{_HTTP}Api"):
            if said.get("ProtocolType", "HTTP") == "HTTP":
                yield self._http(logical_id, said)
        for logical_id, said in self._each(f"{_REST}RestApi"):
            yield self._rest(logical_id, said)
        for logical_id, said in self._each(_URL):
            if (api := self._url(logical_id, said)) is not None:
                yield api

    def _http(self, logical_id: str, said: _Said) -> Api:
        body, described = group(said, "Body"), group(said, "CorsConfiguration")
        found = [*definition.integrations(body, self._functions), *self._http_routes(logical_id)]
        if "Target" in said:
            route = str(said.get("RouteKey", _DEFAULT_STAGE))
            found.append((*_method_and_path(route), self._integration({"Type": "AWS_PROXY", "Uri": said["Target"]})))
        stages = tuple(self._stages(f"{_HTTP}Stage", "ApiId", logical_id, "StageVariables"))
        return Api(
            logical_id=logical_id,
            kind="http",
            routes=tuple(self._routes(logical_id, found, payload_format="2.0", timeout_seconds=HTTP_SECONDS)),
            stages=stages or (Stage(name=_DEFAULT_STAGE),),
            cors=definition.cors_of(described) if described else definition.cors(body),
            protected=definition.is_protected(body) or self._has_authorized_routes(logical_id),
        )

    def _rest(self, logical_id: str, said: _Said) -> Api:
        body = group(said, "Body")
        found = [*definition.integrations(body, self._functions), *self._rest_methods(logical_id)]
        types = (*texts(said.get("BinaryMediaTypes")), *texts(body.get("x-amazon-apigateway-binary-media-types")))
        stages = [*self._stages(f"{_REST}Stage", "RestApiId", logical_id, "Variables"), *self._deployed(logical_id)]
        methods = [each for _, each in self._of(f"{_REST}Method", "RestApiId", logical_id)]
        return Api(
            logical_id=logical_id,
            kind="rest",
            routes=tuple(self._routes(logical_id, found, payload_format="1.0", timeout_seconds=REST_SECONDS)),
            stages=tuple(stages),
            binary_media_types=tuple(dict.fromkeys(each.replace("~1", "/") for each in types)),
            protected=definition.is_protected(body) or any(_is_authorized(method) for method in methods),
        )

    def _url(self, logical_id: str, said: _Said) -> Api | None:
        name, qualifier = invoked(str(said.get("TargetFunctionArn", "")))
        if name not in self._functions:
            self._nowhere.append(f"{_URL} {logical_id}")
            return None
        described = group(said, "Cors")
        whole = Route(
            method="ANY",
            path=_DEFAULT_STAGE,
            function=self._functions[name],
            qualifier=str(said.get("Qualifier", qualifier)),
            timeout_seconds=900.0,  # as long as a function may take
        )
        return Api(
            logical_id=logical_id,
            kind="url",
            routes=(whole,),
            stages=(Stage(name=_DEFAULT_STAGE),),
            cors=definition.cors_of(described) if described else None,
            protected=said.get("AuthType") == "AWS_IAM",
        )

    def _routes(
        self,
        api: str,
        found: list[tuple[str, str, Integration | None]],
        *,
        payload_format: str,
        timeout_seconds: float,
    ) -> Iterator[Route]:
        for method, path, integration in found:
            if integration is None:
                self._nowhere.append(f"{self._resources[api]['Type']} {api}, {method} {path}")
            else:
                yield integration.route(method, path, payload_format=payload_format, timeout_seconds=timeout_seconds)

    def _http_routes(self, api: str) -> Iterator[tuple[str, str, Integration | None]]:
        known = dict(self._of(f"{_HTTP}Integration", "ApiId", api))
        for _, said in self._of(f"{_HTTP}Route", "ApiId", api):
            target = str(said.get("Target", "")).removeprefix("integrations/")
            integration = next((each for name, each in known.items() if self._ref(name) == target), {})
            yield (*_method_and_path(str(said["RouteKey"])), self._integration(integration))

    def _rest_methods(self, api: str) -> Iterator[tuple[str, str, Integration | None]]:
        paths = {self._ref(name): each for name, each in self._of(f"{_REST}Resource", "RestApiId", api)}
        for _, said in self._of(f"{_REST}Method", "RestApiId", api):
            parts: list[str] = []
            place = paths.get(str(said.get("ResourceId")))
            while place is not None:
                parts.insert(0, str(place.get("PathPart")))
                place = paths.get(str(place.get("ParentId")))
            method = str(said.get("HttpMethod", "ANY")).upper()
            yield method, f"/{'/'.join(parts)}", self._integration(group(said, "Integration"))

    def _integration(self, said: _Said) -> Integration | None:
        """Read one from CloudFormation's names, which OpenAPI begins with a small letter."""
        named = {name[:1].lower() + name[1:]: value for name, value in said.items()}
        return Integration.of(
            {
                **named,
                "type": named.get("integrationType", named.get("type", "")),
                "uri": named.get("integrationUri", named.get("uri", "")),
            },
            self._functions,
        )

    def _stages(self, type_name: str, by: str, api: str, variables: str) -> Iterator[Stage]:
        for _, said in self._of(type_name, by, api):
            values = {name: str(value) for name, value in group(said, variables).items()}
            yield Stage(name=str(said.get("StageName", _DEFAULT_STAGE)), variables=values)

    def _deployed(self, api: str) -> Iterator[Stage]:
        for _, said in self._of(f"{_REST}Deployment", "RestApiId", api):
            if said.get("StageName", _SAM_STAGE) != _SAM_STAGE:
                yield Stage(name=str(said["StageName"]))

    def _has_authorized_routes(self, api: str) -> bool:
        return any(_is_authorized(said) for _, said in self._of(f"{_HTTP}Route", "ApiId", api))

    def _of(self, type_name: str, by: str, api: str) -> Iterator[tuple[str, _Said]]:
        """Give the resources of a type that belong to an API."""
        wanted = self._ref(api)
        return ((name, said) for name, said in self._each(type_name) if said.get(by) == wanted)

    def _each(self, type_name: str) -> Iterator[tuple[str, _Said]]:
        for logical_id, resource in self._resources.items():
            if resource["Type"] == type_name:
                where = ("Resources", logical_id, "Properties")
                yield logical_id, self._resolve(resource.get("Properties", {}), where)

    def _ref(self, logical_id: str) -> str:
        return str(self._resolve({"Ref": logical_id}, ("Resources", logical_id)))


def _method_and_path(route_key: str) -> tuple[str, str]:
    """Read the key of a route.

    >>> _method_and_path("GET /items/{id}"), _method_and_path("$default")
    (('GET', '/items/{id}'), ('ANY', '$default'))
    """
    method, _, path = route_key.partition(" ")
    return (method.upper(), path) if path else ("ANY", route_key)


def _is_authorized(said: _Said) -> bool:
    return said.get("AuthorizationType", "NONE") != "NONE" or str(said.get("ApiKeyRequired", False)).lower() == "true"
