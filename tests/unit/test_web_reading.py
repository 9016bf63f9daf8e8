"""What of a template answers over HTTP is read from SAM's resources and from CloudFormation's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.template.topology import Api, Cors, MockAnswer, Stage
from eachonce_workbench.template.web import addresses
from tests.templates import FUNCTION, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    return tmp_path


def routes(api: Api) -> dict[str, tuple[str | None, str]]:
    """The function and the payload format by method and path."""
    return {f"{route.method} {route.path}": (route.function, route.payload_format) for route in api.routes}


EVENTS = """
      Events:
        Item: {Type: HttpApi, Properties: {Path: "/items/{id}", Method: get, PayloadFormatVersion: "1.0"}}
        Rest: {Type: HttpApi}
        Old: {Type: Api, Properties: {Path: "/old/{proxy+}", Method: any}}
"""


def test_the_events_of_functions_make_an_api_of_each_kind(folder: Path) -> None:
    """With SAM's names, and its stages."""
    http, rest = read(folder, FUNCTION + EVENTS).apis

    assert (http.logical_id, http.kind, http.stages) == ("ServerlessHttpApi", "http", (Stage(name="$default"),))
    assert routes(http) == {"GET /items/{id}": ("Worker", "1.0"), "ANY $default": ("Worker", "2.0")}
    assert (rest.logical_id, rest.kind, rest.stages) == ("ServerlessRestApi", "rest", (Stage(name="Prod"),))
    assert routes(rest) == {"ANY /old/{proxy+}": ("Worker", "1.0")}


DECLARED = """
      AutoPublishAlias: live
      Events:
        New: {Type: HttpApi, Properties: {ApiId: !Ref Shop, Path: /new, Method: POST, TimeoutInMillis: 1500}}
        Old: {Type: Api, Properties: {RestApiId: !Ref Office, Path: /old, Method: get}}
  Shop:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: prod
      StageVariables: {colour: blue}
      CorsConfiguration: {AllowOrigins: ["https://*"], AllowMethods: [GET], MaxAge: 10, AllowCredentials: true}
  Office:
    Type: AWS::Serverless::Api
    Properties: {StageName: v1, Cors: "'*'", BinaryMediaTypes: [image~1png]}
"""


def test_declared_apis_have_their_stages_variables_and_cors(folder: Path) -> None:
    """And a REST API answers preflights by itself."""
    shop, office = read(folder, FUNCTION + DECLARED).apis

    (new,) = shop.routes
    assert (new.qualifier, new.timeout_seconds) == ("live", 1.5)
    assert shop.stages == (Stage(name="prod", variables={"colour": "blue"}),)
    assert shop.cors == Cors(
        allow_origins=("https://*",), allow_methods=("GET",), allow_credentials=True, max_age_seconds=10
    )
    old, preflight = sorted(office.routes, key=lambda route: route.method)
    assert (old.method, old.timeout_seconds, office.binary_media_types) == ("GET", 29.0, ("image/png",))
    assert preflight.method == "OPTIONS"
    assert preflight.mock == MockAnswer(
        headers={"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET,OPTIONS"}, body="{}"
    )


PLAIN = """
  Shop: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: shop, ProtocolType: HTTP}}
  Answers:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Shop
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt Worker.Arn
      PayloadFormatVersion: "2.0"
  Things:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Shop, RouteKey: "GET /things", Target: !Sub "integrations/${Answers}"}
  Office: {Type: AWS::ApiGateway::RestApi, Properties: {Name: office}}
  Papers:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Office, ParentId: !GetAtt Office.RootResourceId, PathPart: papers}
  Paper:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Office, ParentId: !Ref Papers, PathPart: "{id}"}
  GetPaper:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Office
      ResourceId: !Ref Paper
      HttpMethod: GET
      AuthorizationType: AWS_IAM
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Worker.Arn}/invocations"
  GetRoot:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Office
      ResourceId: !GetAtt Office.RootResourceId
      HttpMethod: ANY
      Integration:
        Type: AWS_PROXY
        Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Worker.Arn}/invocations"
  Deployed: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Office, StageName: dev}}
"""


def test_cloudformations_own_resources_make_an_api(folder: Path) -> None:
    """Routes with integrations, and resources with methods; without a stage an HTTP API has the default one."""
    shop, office = read(folder, FUNCTION + PLAIN).apis

    assert routes(shop) == {"GET /things": ("Worker", "2.0")}
    assert shop.stages == (Stage(name="$default"),)
    assert set(routes(office)) == {"GET /papers/{id}", "ANY /"}
    assert office.stages == (Stage(name="dev"),)


def test_a_quick_api_sends_everything_to_its_target(folder: Path) -> None:
    """An HTTP API may name a function alone."""
    quick = "\n  Quick: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP, Target: !GetAtt Worker.Arn}}"

    (api,) = read(folder, FUNCTION + quick).apis

    assert routes(api) == {"ANY $default": ("Worker", "2.0")}


DEFINED = """
  Shop:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        openapi: 3.0.1
        components:
          x-amazon-apigateway-integrations:
            worker:
              type: aws_proxy
              payloadFormatVersion: "1.0"
              uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Worker.Arn}/invocations"
        paths:
          /shared:
            get:
              x-amazon-apigateway-integration: {$ref: "#/components/x-amazon-apigateway-integrations/worker"}
          /elsewhere:
            get:
              x-amazon-apigateway-integration: {type: http_proxy, uri: "https://example.com"}
"""


def test_a_definition_is_read_with_its_shared_integrations(folder: Path) -> None:
    """What leads to no function is told, and isn't answered."""
    topology = read(folder, FUNCTION + DEFINED)

    assert routes(topology.apis[0]) == {"GET /shared": ("Worker", "1.0")}
    assert [line for line in topology.passed_over if "leads to no function" in line] == [
        "AWS::ApiGatewayV2::Api Shop, GET /elsewhere: leads to no function of this template, not answered here"
    ]


def test_a_functions_own_url_is_an_api_of_one_route(folder: Path) -> None:
    """With the CORS of its configuration, and an address that the template may refer to."""
    url = """
      FunctionUrlConfig: {AuthType: AWS_IAM, Cors: {AllowOrigins: ["*"]}}
Outputs:
  Url: {Value: !GetAtt WorkerUrl.FunctionUrl}
"""
    topology = read(folder, FUNCTION + url)

    (api,) = topology.apis
    assert (api.logical_id, api.kind, routes(api)) == ("WorkerUrl", "url", {"ANY $default": ("Worker", "2.0")})
    assert api.cors == Cors(allow_origins=("*",))
    assert topology.outputs == {"Url": "http://127.0.0.1:4566/_apis/WorkerUrl/"}


def test_authorizers_are_told_in_one_line(folder: Path) -> None:
    """Nobody is asked for a token here."""
    topology = read(folder, FUNCTION + PLAIN)

    assert "authorizers, signatures and keys of Office: not asked for here" in topology.passed_over


@pytest.mark.parametrize(
    ("value", "there"),
    [
        ("https://${ServerlessHttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/items", "ServerlessHttpApi/items"),
        ("https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/", "ServerlessRestApi/Prod/"),
    ],
)
def test_an_address_that_is_made_of_an_apis_id_leads_here(folder: Path, value: str, there: str) -> None:
    """In the outputs, and in a function's environment."""
    environment = f'      Environment: {{Variables: {{URL: !Sub "{value}"}}}}'
    outputs = f'Outputs: {{Url: {{Value: !Sub "{value}"}}}}'

    topology = read(folder, f"{FUNCTION}{EVENTS}{environment}\n{outputs}")

    assert topology.outputs["Url"] == f"http://127.0.0.1:4566/_apis/{there}"
    assert topology.functions[0].environment["URL"] == f"http://127.0.0.1:4566/_apis/{there}"


def test_what_is_answered_is_not_passed_over(folder: Path) -> None:
    """No line says that an API isn't run."""
    for more in (EVENTS, DECLARED, PLAIN):
        lines = read(folder, FUNCTION + more).passed_over
        assert not [line for line in lines if "Api" in line and "not run here" in line]


def test_each_route_is_shown_with_its_address(folder: Path) -> None:
    """In each of its stages; an API's own answers to preflights are no routes of anybody."""
    topology = read(folder, FUNCTION + DECLARED)

    shown = {f"{route.method} {route.path}": url for route, url in addresses.routes("http://127.0.0.1:4566", topology)}

    assert shown == {
        "POST /new": "http://127.0.0.1:4566/_apis/Shop/prod/new",
        "GET /old": "http://127.0.0.1:4566/_apis/Office/v1/old",
    }
