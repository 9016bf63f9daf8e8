"""APIs and function URLs make events of requests, and answers of what functions return, as AWS does."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from eachonce_workbench.cloud.functions.runtime import Invocation
from tests.counter import Counter, Scripted
from tests.templates import FUNCTION, read

HOST = ("Host", "127.0.0.1:4566")
PNG = b"\x89PNG\xff"
ENCODED = base64.b64encode(PNG).decode()
EVENTS = """
      FunctionUrlConfig: {AuthType: NONE}
      Events:
        Item: {Type: HttpApi, Properties: {Path: "/items/{id}", Method: get}}
        First: {Type: HttpApi, Properties: {Path: /items/first, Method: get}}
        Any: {Type: HttpApi, Properties: {Path: /items/any, Method: any}}
        Deep: {Type: HttpApi, Properties: {Path: "/items/{proxy+}", Method: any}}
        Former: {Type: HttpApi, Properties: {Path: "/former/{id}", Method: any, PayloadFormatVersion: "1.0"}}
        Slow: {Type: HttpApi, Properties: {Path: /slow, Method: get, TimeoutInMillis: 50}}
        Staged: {Type: HttpApi, Properties: {ApiId: !Ref Shop, Path: "/staged/{id}", Method: get}}
        Paper: {Type: Api, Properties: {RestApiId: !Ref Office, Path: "/papers/{id}", Method: get}}
        File: {Type: Api, Properties: {RestApiId: !Ref Office, Path: "/papers/{id}", Method: put}}
        One: {Type: Api, Properties: {RestApiId: !Ref Office, Path: /papers/one, Method: post}}
        Rest: {Type: Api, Properties: {RestApiId: !Ref Office, Path: "/{proxy+}", Method: any}}
  Shop:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: prod
      StageVariables: {colour: blue}
      CorsConfiguration:
        AllowOrigins: ["http://localhost:3000"]
        AllowMethods: [GET, POST]
        AllowHeaders: [x-mine]
        ExposeHeaders: [x-theirs]
        AllowCredentials: true
        MaxAge: 10
  Office:
    Type: AWS::Serverless::Api
    Properties: {StageName: v1, Variables: {colour: red}, BinaryMediaTypes: [image~1*]}
"""
HTTP = "/_apis/ServerlessHttpApi"
STAGED = "/_apis/Shop/prod"
REST = "/_apis/Office/v1"
URL = "/_apis/WorkerUrl"


def ok(returned: object) -> Invocation:
    """A function that returned something."""
    return Invocation(status="ok", payload=json.dumps(returned).encode())


class Web:
    """An API's clients: what a function gets of a request, and what the client gets of what it returns."""

    def __init__(self, folder: Path) -> None:
        self.runtime = Scripted(ok({"statusCode": 200}))
        self._counter = Counter(read(folder, FUNCTION + EVENTS), self.runtime)

    def ask(
        self, method: str, url: str, *headers: tuple[str, str], body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        status, told, answer = self._counter.ask(method, url, headers=[HOST, *headers], body=body)
        return status, dict(told), answer

    def event(self, method: str, url: str, *headers: tuple[str, str], body: bytes = b"") -> Any:
        """What the function gets."""
        self.runtime.came.clear()
        status, _, answer = self.ask(method, url, *headers, body=body)
        assert status == 200, answer
        ((function, payload),) = self.runtime.came
        assert function == "Worker"
        return json.loads(payload)

    def answer(
        self, returned: object, url: str = HTTP + "/items/1", *headers: tuple[str, str]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """What a client gets of what the function returned."""
        self.runtime.answers = [returned if isinstance(returned, Invocation) else ok(returned)]
        return self._counter.ask("GET", url, headers=[HOST, *headers])


@pytest.fixture
def web(tmp_path: Path) -> Web:
    (tmp_path / "code").mkdir()
    return Web(tmp_path)


def test_format_2_has_all_of_a_request(web: Web) -> None:
    """Names of headers in lower case, several values joined, cookies apart, the path decoded."""
    event = web.event(
        "GET", HTTP + "/items/a%20b?x=1&x=2&y=%26", ("X-Mine", "a"), ("x-mine", "b"), ("Cookie", "c=1; d=2")
    )

    context = event["requestContext"]
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "GET /items/{id}", "/items/a b")
    assert event["rawQueryString"] == "x=1&x=2&y=%26"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "&"}
    assert event["headers"]["x-mine"] == "a,b"
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["c=1", "d=2"]
    assert event["pathParameters"] == {"id": "a b"}
    assert context["http"]["method"] == "GET"
    assert context["http"]["path"] == "/items/a b"
    assert (context["stage"], context["apiId"]) == ("$default", "ServerlessHttpApi")
    assert event["isBase64Encoded"] is False
    assert not {"body", "stageVariables"} & set(event)


def test_format_1_has_each_value(web: Web) -> None:
    """And what a request doesn't have is null."""
    event = web.event("GET", HTTP + "/former/a%20b?x=1&x=2", ("X-Mine", "a"), ("X-Mine", "b"))

    assert (event["version"], event["resource"], event["path"]) == ("1.0", "/former/{id}", "/former/a b")
    assert event["headers"]["X-Mine"] == "b"
    assert event["multiValueHeaders"]["X-Mine"] == ["a", "b"]
    assert event["queryStringParameters"] == {"x": "2"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert event["pathParameters"] == {"id": "a b"}
    assert event["stageVariables"] is None
    assert event["body"] is None


def test_a_rest_api_leaves_paths_as_they_were_sent(web: Web) -> None:
    """Its stage is in the context's path alone."""
    event = web.event("GET", REST + "/papers/a%20b")

    context = event["requestContext"]
    assert (event["resource"], event["path"]) == ("/papers/{id}", "/papers/a%20b")
    assert event["pathParameters"] == {"id": "a b"}
    assert event["stageVariables"] == {"colour": "red"}
    assert event["queryStringParameters"] is event["multiValueQueryStringParameters"] is None
    assert (context["path"], context["stage"], context["resourcePath"]) == ("/v1/papers/a%20b", "v1", "/papers/{id}")
    assert "version" not in event


def test_a_named_stage_is_in_the_paths_of_an_http_api(web: Web) -> None:
    """With its variables."""
    event = web.event("GET", STAGED + "/staged/1")

    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/prod/staged/1"
    assert event["stageVariables"] == {"colour": "blue"}


def test_a_functions_own_url_takes_every_path(web: Web) -> None:
    """As it was sent, by a domain of its own."""
    event = web.event("DELETE", URL + "/a%20b/c?d")

    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "$default", "/a%20b/c")
    assert event["requestContext"]["domainName"] == "workerurl.lambda-url.eu-west-1.on.aws"
    assert web.event("GET", URL)["rawPath"] == "/"


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/items/first", "GET /items/first"),
        ("GET", "/items/other", "GET /items/{id}"),
        ("POST", "/items/other", "ANY /items/{proxy+}"),
        ("GET", "/items/any", "ANY /items/any"),
        ("GET", "/items/a/b", "ANY /items/{proxy+}"),
        ("GET", "/items/a%2Fb", "ANY /items/{proxy+}"),
    ],
)
def test_the_route_that_says_most_is_taken(web: Web, method: str, path: str, route: str) -> None:
    """A path before a variable, a variable before the rest of the path, each with the method that is asked for."""
    assert web.event(method, HTTP + path)["routeKey"] == route


@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        ("GET", "/papers/two", "/papers/{id}"),
        ("GET", "/papers/two/", "/papers/{id}"),
        ("POST", "/papers/one", "/papers/one"),
        ("GET", "/other/a/b", "/{proxy+}"),
        ("GET", "/papers", "/{proxy+}"),
    ],
)
def test_a_rest_api_chooses_by_the_path(web: Web, method: str, path: str, resource: str) -> None:
    """And takes a slash at its end for nothing."""
    assert web.event(method, REST + path)["resource"] == resource


@pytest.mark.parametrize(
    ("method", "url", "status", "message"),
    [
        ("GET", HTTP + "/nothing", 404, "Not Found"),
        ("GET", HTTP + "/items/", 404, "Not Found"),
        ("GET", "/_apis/Shop/staged/1", 404, "Not Found"),
        ("POST", REST + "/papers/two", 403, "Missing Authentication Token"),
        ("GET", REST + "/papers/one", 403, "Missing Authentication Token"),
        ("GET", REST + "/", 403, "Missing Authentication Token"),
        ("GET", "/_apis/Office/v2/papers/two", 403, "Forbidden"),
    ],
)
def test_what_has_no_route_is_refused(web: Web, method: str, url: str, status: int, message: str) -> None:
    """In the words of each kind of API."""
    told, _, body = web.ask(method, url)

    assert (told, json.loads(body)["message"]) == (status, message)
    assert not web.runtime.came


def test_an_api_that_is_not_there_is_named(web: Web) -> None:
    """With those that are."""
    status, _, body = web.ask("GET", "/_apis/Nowhere/x")

    assert status == 404
    assert b"no API 'Nowhere'; it has " in body
    assert all(name in body for name in (b"Shop", b"ServerlessHttpApi", b"Office", b"WorkerUrl"))


def test_a_nested_stacks_api_answers_by_its_whole_name_and_by_its_own(tmp_path: Path) -> None:
    """Which is all that the nested template knows of it."""
    (tmp_path / "code").mkdir()
    events = "\n      Events: {Get: {Type: HttpApi, Properties: {Path: /hello, Method: get}}}\n"
    (tmp_path / "child.yaml").write_text(f"Transform: AWS::Serverless-2016-10-31\n{FUNCTION}{events}")
    child = "Resources: {Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml}}}"
    runtime = Scripted(ok("Hello"))
    counter = Counter(read(tmp_path, child), runtime)

    for name in ("Child/ServerlessHttpApi", "ServerlessHttpApi"):
        status, _, body = counter.ask("GET", f"/_apis/{name}/hello")
        assert (status, body) == (200, b"Hello")

    assert {function for function, _ in runtime.came} == {"Child/Worker"}


@pytest.mark.parametrize(
    ("url", "content_type", "body", "text", "encoded"),
    [
        (HTTP + "/items/a/b", "application/json; charset=utf-8", b'{"a": 1}', '{"a": 1}', False),
        (HTTP + "/items/a/b", "text/plain", "ä".encode(), "ä", False),
        (HTTP + "/items/a/b", "application/x-www-form-urlencoded", b"a=b", "YT1i", True),
        (HTTP + "/items/a/b", "image/png", PNG, ENCODED, True),
        (HTTP + "/items/a/b", "text/plain", PNG, ENCODED, True),
        (HTTP + "/former/1", "image/png", PNG, ENCODED, True),
        (URL, "image/png", PNG, ENCODED, True),
        (URL, "application/json", b"{}", "{}", False),
        (REST + "/other/a/b", "image/png", PNG, ENCODED, True),
        (REST + "/other/a/b", "application/x-www-form-urlencoded", b"a=b", "a=b", False),
        (REST + "/other/a/b", "application/pdf", PNG, PNG.decode(errors="replace"), False),
    ],
)
def test_a_body_comes_as_text_or_in_base_64(
    web: Web, url: str, content_type: str, body: bytes, text: str, encoded: bool
) -> None:
    """A REST API asks its binary media types, the others the body's own type."""
    event = web.event("POST", url, ("Content-Type", content_type), body=body)

    assert (event["body"], event["isBase64Encoded"]) == (text, encoded)


def test_an_answer_has_status_headers_cookies_and_body(web: Web) -> None:
    """In format 2.0."""
    returned = {
        "statusCode": 201,
        "headers": {"X-Theirs": "a", "Content-Type": "text/html"},
        "cookies": ["c=1; Path=/", "d=2"],
        "body": "ä",
    }

    status, headers, body = web.answer(returned)

    assert (status, body) == (201, "ä".encode())
    assert ("x-theirs", "a") in headers
    assert ("content-type", "text/html") in headers
    assert [value for name, value in headers if name == "set-cookie"] == ["c=1; Path=/", "d=2"]


@pytest.mark.parametrize("url", [HTTP + "/former/1", REST + "/papers/1"])
def test_an_answer_has_several_values_of_a_header(web: Web, url: str) -> None:
    """In format 1.0, where they take the place of a single one."""
    returned = {"statusCode": "200", "headers": {"set-cookie": "z"}, "multiValueHeaders": {"Set-Cookie": ["a", "b"]}}

    status, headers, _ = web.answer(returned, url)

    assert status == 200
    assert [value for name, value in headers if name == "set-cookie"] == ["a", "b"]


@pytest.mark.parametrize(
    ("returned", "body"),
    [
        ({"hello": "world"}, b'{"hello":"world"}'),
        ("Hello", b"Hello"),
        ([1, 2], b"[1,2]"),
        (None, b"null"),
        (7, b"7"),
    ],
)
@pytest.mark.parametrize("url", [HTTP + "/items/1", URL])
def test_what_has_no_status_is_the_body_of_a_success(web: Web, url: str, returned: object, body: bytes) -> None:
    """In format 2.0."""
    status, headers, told = web.answer(returned, url)

    assert (status, told) == (200, body)
    assert ("content-type", "application/json") in headers


@pytest.mark.parametrize("url", [HTTP + "/items/1", HTTP + "/former/1", URL])
def test_a_binary_answer_is_decoded(web: Web, url: str) -> None:
    """By what the function says of it."""
    returned = {"statusCode": 200, "headers": {"content-type": "image/png"}, "body": ENCODED, "isBase64Encoded": True}

    assert web.answer(returned, url)[2] == PNG


@pytest.mark.parametrize(
    ("accept", "body"),
    [("image/png", PNG), ("image/webp,*/*", PNG), ("text/html", ENCODED.encode()), ("", ENCODED.encode())],
)
def test_a_rest_api_decodes_for_who_accepts_a_binary_type(web: Web, accept: str, body: bytes) -> None:
    """By the first type that the client names."""
    returned = {"statusCode": 200, "body": ENCODED, "isBase64Encoded": True}

    assert web.answer(returned, REST + "/papers/1", ("Accept", accept))[2] == body


MALFORMED = [
    {"statusCode": "soon"},
    {"statusCode": 99},
    {"statusCode": 200, "body": {"a": 1}},
    {"statusCode": 200, "headers": ["a"]},
    {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
    {"statusCode": 200, "body": "?", "isBase64Encoded": True},
]
FAILED = Invocation(status="error", payload=b'{"errorMessage":"no"}', error_type="ValueError")


@pytest.mark.parametrize("returned", [*MALFORMED, FAILED, Invocation(status="timeout", payload=b"{}")])
@pytest.mark.parametrize(
    ("url", "status", "body"),
    [
        (HTTP + "/items/1", 500, b'{"message":"Internal Server Error"}'),
        (HTTP + "/former/1", 500, b'{"message":"Internal Server Error"}'),
        (REST + "/papers/1", 502, b'{"message":"Internal server error"}'),
        (URL, 502, b"Internal Server Error"),
    ],
)
def test_a_function_that_fails_or_returns_no_answer_is_a_failure(
    web: Web, url: str, status: int, body: bytes, returned: object
) -> None:
    """Which says nothing of the function to the client."""
    told, _, answer = web.answer(returned, url)

    assert (told, answer) == (status, body)


@pytest.mark.parametrize("returned", ["Hello", None, [1], {"hello": "world"}])
@pytest.mark.parametrize(("url", "status"), [(HTTP + "/former/1", 500), (REST + "/papers/1", 502)])
def test_format_1_takes_nothing_but_an_answer(web: Web, url: str, status: int, returned: object) -> None:
    """Where format 2.0 would make one of it."""
    assert web.answer(returned, url)[0] == status


@pytest.mark.parametrize(("url", "status"), [(HTTP + "/items/1", 503), (REST + "/papers/1", 500), (URL, 429)])
def test_a_throttled_function_is_a_failure(web: Web, url: str, status: int) -> None:
    """Of each kind's own."""
    throttled = Invocation(status="throttled", payload=b'{"message":"Rate Exceeded."}')

    assert web.answer(throttled, url)[0] == status


class Stuck(Scripted):
    """Never answers; notes whether it was left alone."""

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        await asyncio.Event().wait()
        raise AssertionError


def test_an_api_waits_no_longer_than_its_time_out(web: Web, tmp_path: Path) -> None:
    """The function goes on."""
    counter = Counter(read(tmp_path, FUNCTION + EVENTS), Stuck())

    status, _, body = counter.ask("GET", HTTP + "/slow")

    assert (status, body) == (503, b'{"message":"Service Unavailable"}')


def test_a_preflight_is_answered_by_the_api(web: Web) -> None:
    """By its configuration, whether or not there is a route."""
    asked = ("Access-Control-Request-Method", "GET")

    status, headers, _ = web.ask("OPTIONS", STAGED + "/anything", ("Origin", "http://localhost:3000"), asked)

    assert status == 204
    assert {name: value for name, value in headers.items() if name.startswith("access-control-")} == {
        "access-control-allow-origin": "http://localhost:3000",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "x-mine",
        "access-control-expose-headers": "x-theirs",
        "access-control-allow-credentials": "true",
        "access-control-max-age": "10",
    }
    assert not web.runtime.came


def test_an_answer_says_who_may_read_it_as_the_api_does(web: Web) -> None:
    """In place of what the function says; nothing to a page that isn't allowed."""
    returned = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}}

    _, allowed, _ = web.answer(returned, STAGED + "/staged/1", ("Origin", "http://localhost:3000"))
    _, other, _ = web.answer(returned, STAGED + "/staged/1", ("Origin", "http://localhost:4000"))
    _, unconfigured, _ = web.answer(returned, HTTP + "/items/1", ("Origin", "http://localhost:3000"))

    assert ("access-control-allow-origin", "http://localhost:3000") in allowed
    assert not [name for name, _ in other if name.startswith("access-control-")]
    assert ("access-control-allow-origin", "*") in unconfigured


def test_a_page_of_another_site_reaches_no_function(web: Web) -> None:
    """By whatever name it has this machine called."""
    foreign, _, _ = web.ask("GET", HTTP + "/items/1", ("Origin", "https://evil.test"))

    assert foreign == 403
    assert not web.runtime.came


@pytest.mark.parametrize(
    ("url", "size_bytes"),
    [
        (URL, 6_291_457),
        (HTTP + "/items/a/b", 10_485_761),
        (REST + "/other/a", 10_485_761),
        (REST + "/other/a", 6_291_456),
    ],
)
def test_a_body_over_the_limit_is_refused(web: Web, url: str, size_bytes: int) -> None:
    """Of the API, or of Lambda's payload that it would be in."""
    status, _, _ = web.ask("POST", url, ("Content-Type", "text/plain"), body=b"x" * size_bytes)

    assert status == 413
    assert not web.runtime.came
