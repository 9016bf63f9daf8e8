"""An API's definition in OpenAPI, with API Gateway's extensions: SAM writes one for the events of functions.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eachonce_workbench.template.topology import Cors
from eachonce_workbench.template.web.integration import Integration
from eachonce_workbench.template.web.values import group, texts

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_INTEGRATIONS = "x-amazon-apigateway-integrations"


def integrations(
    definition: Mapping[str, Any], functions: Mapping[str, str]
) -> Iterator[tuple[str, str, Integration | None]]:
    """Give the method, the path and the integration of each operation; None where it leads to none of the functions."""
    shared = group(group(definition, "components"), _INTEGRATIONS)
    for path, operations in group(definition, "paths").items():
        for name, operation in operations.items() if isinstance(operations, dict) else ():
            method = "ANY" if name.lower() == _ANY else name.upper()
            if method == "ANY" or name.lower() in _METHODS:
                yield method, path, Integration.of(_said(operation, shared), functions)


def _said(operation: Any, shared: Mapping[str, Any]) -> Mapping[str, Any]:
    said = group(operation, _INTEGRATION)
    return group(shared, str(said["$ref"]).rpartition("/")[2]) if "$ref" in said else said


def cors(definition: Mapping[str, Any]) -> Cors | None:
    """Give what a definition says of browsers' pages."""
    said = group(definition, "x-amazon-apigateway-cors")
    return cors_of({name[:1].upper() + name[1:]: value for name, value in said.items()}) if said else None


def cors_of(said: Mapping[str, Any]) -> Cors:
    """Read a configuration, its names as CloudFormation has them."""
    age = said.get("MaxAge")
    return Cors(
        allow_origins=texts(said.get("AllowOrigins")),
        allow_methods=texts(said.get("AllowMethods")),
        allow_headers=texts(said.get("AllowHeaders")),
        expose_headers=texts(said.get("ExposeHeaders")),
        allow_credentials=str(said.get("AllowCredentials", False)).lower() == "true",
        max_age_seconds=None if age is None else int(age),
    )


def is_protected(definition: Mapping[str, Any]) -> bool:
    """Whether an authorizer, a signature or a key is asked for."""
    if group(definition, "securityDefinitions") or group(group(definition, "components"), "securitySchemes"):
        return True
    operations = (
        each for path in group(definition, "paths").values() if isinstance(path, dict) for each in path.values()
    )
    return any(isinstance(each, dict) and each.get("security") for each in operations)
