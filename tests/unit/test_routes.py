"""Routes: several handlers behind one API, whichever kind it is, and what of a request reaches them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from eachonce import Contract, Endpoint, Event, HandlerError, Reject, Work, describe
from eachonce.request import Request

from tests.parcels import Registered, Weighed
from tests.records import ACCOUNT, Context
from tests.store import Store

BODY = {"parcel": "p", "grams": 250}
CLAIMS = {"sub": "ada", "scope": "post"}


class Nothing(Contract, frozen=True):
    """A request that is all in its path."""


@pytest.fixture
def seen() -> list[Request]:
    return []


@pytest.fixture
def counter(store: Store, seen: list[Request]) -> Endpoint:
    """An endpoint of several routes, which notes what it sees."""
    endpoint = Endpoint("counter", aws=store.aws, settings=store.settings)

    def note(name: str) -> Callable[..., None]:
        def handle(event: Event[Any], work: Work) -> None:
            seen.append(event.request)
            work.add("Weights", {"parcel": name}, grams=1)
            work.result = {"route": name}

        return handle

    endpoint.post("/parcels", Weighed)(note("weigh"))
    endpoint.put("/parcels/{parcel}", Weighed)(note("replace"))
    endpoint.post("/parcels/mine", Weighed)(note("mine"))
    endpoint.delete("/parcels/{parcel}", Nothing)(note("remove"))
    endpoint.post("/files/{path+}", Weighed)(note("file"))
    return endpoint


def http_api(method: str, path: str, body: Any = BODY, *, key: str | None = "k", **members: Any) -> dict[str, Any]:
    headers = {"content-type": "application/json"} | ({} if key is None else {"idempotency-key": key})
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"accountId": ACCOUNT, "stage": "$default", "http": {"method": method, "path": path}},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    } | members


def rest_api(method: str, path: str, body: Any = BODY, *, key: str | None = "k", **members: Any) -> dict[str, Any]:
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"} | ({} if key is None else {"Idempotency-Key": key}),
        "multiValueHeaders": None,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"accountId": ACCOUNT, "stage": "prod", "resourcePath": path, "identity": {}},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    } | members


def load_balancer(method: str, path: str, body: Any = BODY, *, key: str = "k") -> dict[str, Any]:
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn"}},
        "httpMethod": method,
        "path": path,
        "multiValueQueryStringParameters": {},
        "multiValueHeaders": {"content-type": ["application/json"]}
        | ({} if key is None else {"idempotency-key": [key]}),
        "body": "" if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


APIS: dict[str, Callable[..., dict[str, Any]]] = {
    "HTTP API": http_api,
    "REST API": rest_api,
    "load balancer": load_balancer,
}


def answer(response: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return response["statusCode"], json.loads(response["body"])


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/parcels", "weigh"),
        ("POST", "/parcels/", "weigh"),
        ("PUT", "/parcels/7", "replace"),
        ("POST", "/parcels/mine", "mine"),
        ("POST", "/files/a/b/c", "file"),
    ],
)
def test_a_request_gets_its_own_handler(
    counter: Endpoint, context: Context, api: str, method: str, path: str, name: str
) -> None:
    """By method and path, of whichever API; once."""
    first = answer(counter(APIS[api](method, path), context))
    again = answer(counter(APIS[api](method, path), context))

    assert first == (202, {"outcome": "done", "route": name})
    assert again == (200, {"outcome": "duplicate", "route": name})


@pytest.mark.parametrize("api", APIS)
def test_a_request_without_a_body_may_be_deleted_by_its_path(counter: Endpoint, context: Context, api: str) -> None:
    """Its data is empty, and its path is part of what it is."""
    first = answer(counter(APIS[api]("DELETE", "/parcels/7", None, key="k-7"), context))
    other = answer(counter(APIS[api]("DELETE", "/parcels/8", None, key="k-7"), context))

    assert first == (202, {"outcome": "done", "route": "remove"})
    assert other == (422, {"outcome": "reject", "reason": "the event id was used before with different content"})


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("POST", "/parcel", 404, None),
        ("POST", "/", 404, None),
        ("POST", "/files", 404, None),
        ("PUT", "/parcels/7/lines", 404, None),
        ("GET", "/parcels", 405, "POST"),
        ("POST", "/parcels/7", 405, "DELETE, PUT"),
        ("", "/parcels", 405, "POST"),
    ],
)
def test_what_no_route_takes_is_told_so(
    counter: Endpoint, store: Store, context: Context, api: str, method: str, path: str, status: int, allow: str | None
) -> None:
    """As JSON, and a wrong method with the right ones."""
    response = counter(APIS[api](method, path), context)

    assert answer(response)[0] == status
    assert answer(response)[1]["outcome"] == "reject"
    headers = response.get("headers") or {name: value for name, (value,) in response["multiValueHeaders"].items()}
    assert (headers["content-type"], headers.get("allow")) == ("application/json", allow)
    assert store.items("Journal") == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"])
def test_a_body_that_is_said_to_be_no_json_is_refused(counter: Endpoint, context: Context, kind: str) -> None:
    """415, before anybody reads it."""
    response = counter(http_api("POST", "/parcels", headers={"Content-Type": kind}), context)

    assert answer(response)[0] == 415


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.post+json", None]
)
def test_json_has_many_names(counter: Endpoint, context: Context, kind: str | None) -> None:
    """And nobody needs to say any."""
    headers = {"idempotency-key": "k"} | ({} if kind is None else {"content-type": kind})

    assert answer(counter(http_api("POST", "/parcels", headers=headers), context))[0] == 202


def test_what_came_with_the_body_reaches_the_handler(counter: Endpoint, context: Context, seen: list[Request]) -> None:
    """Names of headers in lower case, and what the authorizer says."""
    request = http_api("PUT", "/dev/parcels/7", queryStringParameters={"fast": "yes,no"})
    request["requestContext"] |= {"stage": "dev", "authorizer": {"jwt": {"claims": CLAIMS, "scopes": None}}}
    request["headers"] |= {"X-Trace": "t"}

    counter(request, context)

    (one,) = seen
    assert (one.method, one.path, one.route) == ("PUT", "/parcels/7", "/parcels/{parcel}")
    assert (dict(one.path_parameters), dict(one.query)) == ({"parcel": "7"}, {"fast": "yes,no"})
    assert (one.headers["x-trace"], dict(one.claims), one.caller) == ("t", CLAIMS, "ada")


def test_where_the_api_knows_the_route_its_parameters_count(
    counter: Endpoint, context: Context, seen: list[Request]
) -> None:
    """It has read the path already: behind a base path, or with characters that were escaped."""
    counter(
        rest_api("PUT", "/v1/parcels/a%20b", resource="/parcels/{parcel}", pathParameters={"parcel": "a b"}), context
    )
    counter(
        http_api("PUT", "/v1/parcels/7", routeKey="PUT /parcels/{parcel}", pathParameters={"parcel": "7"}, key="k-2"),
        context,
    )

    assert [dict(one.path_parameters) for one in seen] == [{"parcel": "a b"}, {"parcel": "7"}]


AUTHORIZERS = {
    "JWT": (http_api, {"authorizer": {"jwt": {"claims": {"sub": "ada"}}}}, "ada"),
    "a function": (http_api, {"authorizer": {"lambda": {"principalId": "ada", "plan": "gold"}}}, "ada"),
    "IAM": (http_api, {"authorizer": {"iam": {"userArn": "arn:ada", "accountId": ACCOUNT}}}, "arn:ada"),
    "Cognito": (rest_api, {"authorizer": {"claims": {"sub": "ada"}}}, "ada"),
    "a function of a REST API": (rest_api, {"authorizer": {"principalId": "ada", "plan": "gold"}}, "ada"),
    "IAM of a REST API": (rest_api, {"identity": {"userArn": "arn:ada"}}, "arn:ada"),
    "nobody": (rest_api, {"authorizer": None, "identity": None}, None),
}


@pytest.mark.parametrize("kind", AUTHORIZERS)
def test_a_caller_is_who_the_authorizer_says(
    counter: Endpoint, context: Context, seen: list[Request], kind: str
) -> None:
    """Each has its own place for it."""
    make, said, caller = AUTHORIZERS[kind]
    request = make("POST", "/parcels")
    request["requestContext"] |= said

    counter(request, context)

    assert [one.caller for one in seen] == [caller]


def by(caller: str, **members: Any) -> dict[str, Any]:
    request = http_api("POST", "/parcels", **members)
    request["requestContext"] |= {"authorizer": {"jwt": {"claims": {"sub": caller, "exp": members.get("key", "")}}}}
    return request


def test_nobody_gets_anothers_answer(counter: Endpoint, store: Store, context: Context) -> None:
    """A key of another caller's is another key; another path or query is no copy, and a newer token is one."""
    statuses = [
        answer(counter(request, context))[0]
        for request in (
            by("ada"),
            by("ada"),
            by("bob"),
            by("ada", queryStringParameters={"fast": "yes"}),
            by("ada", rawPath="/parcels/mine"),
        )
    ]

    assert statuses == [202, 200, 202, 422, 422]
    assert store.item("Weights", parcel="weigh")["grams"] == 2


def test_a_contracts_identity_is_the_key_where_there_is_no_header(store: Store, context: Context) -> None:
    """And a request that has neither is refused."""
    endpoint = Endpoint("counter", aws=store.aws, settings=store.settings)
    told = describe(identity="parcel")(type("Told", (Registered,), {}))
    endpoint.post("/told", told)(lambda event, work: None)
    endpoint.post("/registered", Registered)(lambda event, work: work.add("Weights", {"parcel": "p"}, grams=1))

    assert answer(endpoint(http_api("POST", "/told", key=None), context))[0] == 202
    status, said = answer(endpoint(http_api("POST", "/registered", key=None), context))
    assert (status, said["outcome"]) == (422, "reject")
    assert "Idempotency-Key" in said["reason"]


def test_an_effect_that_is_under_way_elsewhere_is_a_conflict(store: Store, context: Context) -> None:
    """409: the first request has it to itself."""
    endpoint = Endpoint("counter", aws=store.aws, settings=store.settings)
    statuses = []

    def pay(event: Event[Weighed], work: Work) -> None:
        statuses.append(answer(endpoint(http_api("POST", "/pay"), context))[0])

    endpoint.post("/pay", Weighed, external=True)(pay)

    first = answer(endpoint(http_api("POST", "/pay"), context))[0]

    assert (first, statuses) == (202, [409])


def test_a_handler_without_a_route_takes_what_no_route_does(counter: Endpoint, context: Context) -> None:
    """As an endpoint of one handler always has."""
    counter.on(Weighed)(lambda event, work: setattr(work, "result", {"route": "any"}))

    assert answer(counter(http_api("POST", "/anywhere"), context)) == (202, {"outcome": "done", "route": "any"})
    assert counter(BODY, context)["outcome"] == "done"


def test_a_direct_invocation_names_no_route(counter: Endpoint, context: Context) -> None:
    """With one handler alone there is no question."""
    assert "names none" in counter(BODY, context)["reason"]


def test_an_answer_of_a_load_balancer_has_lists_of_headers(counter: Endpoint, context: Context) -> None:
    """Where it sends such ones itself."""
    response = counter(load_balancer("POST", "/parcels"), context)

    assert response["multiValueHeaders"] == {"content-type": ["application/json"]}
    assert "headers" not in response


JUNK: list[Any] = [None, 5, True, "text", [], ["a"], {}, {"a": None}, {"a": [5]}, {5: "x"}, "\ud800", {"a": "\ud800"}]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
@pytest.mark.parametrize(
    "member",
    ["requestContext", "rawPath", "path", "httpMethod", "routeKey", "resource", "pathParameters"],
)
@pytest.mark.parametrize("api", ["HTTP API", "REST API"])
def test_whatever_a_request_is_it_is_answered(
    counter: Endpoint, context: Context, api: str, member: str, junk: Any
) -> None:
    """With a status, and nothing is raised."""
    response = counter(APIS[api]("PUT", "/parcels/7") | {member: junk}, context)

    assert response["statusCode"] in {202, 200, 404, 405, 422}


@pytest.mark.parametrize("junk", JUNK, ids=repr)
@pytest.mark.parametrize("member", ["authorizer", "identity", "http", "stage"])
def test_whatever_its_context_is_it_is_answered(counter: Endpoint, context: Context, member: str, junk: Any) -> None:
    """An authorizer of one's own may say anything."""
    request = http_api("PUT", "/parcels/7")
    request["requestContext"] |= {member: junk}

    assert counter(request, context)["statusCode"] in {202, 404, 405}


@pytest.mark.parametrize("path", ["", "parcels", "/a//b", "/{a}{b}", "/{a+}/b", "/{a}/{a}", "/a/", "/{}", 5, None])
def test_a_path_that_is_none_is_refused_where_it_is_said(path: Any) -> None:
    """As API Gateway would refuse it."""
    with pytest.raises(HandlerError, match="a route's path"):
        Endpoint("counter").post(path, Weighed)(lambda event, work: None)


def test_a_route_has_one_handler() -> None:
    """Another would never be called."""
    endpoint = Endpoint("counter")
    endpoint.post("/a", Weighed)(lambda event, work: None)

    with pytest.raises(ValueError, match="POST /a has a handler already"):
        endpoint.post("/a", Registered)(lambda event, work: None)


def test_a_handlers_refusal_is_the_answer_of_its_route(store: Store, context: Context) -> None:
    """In its own words."""
    endpoint = Endpoint("counter", aws=store.aws, settings=store.settings)

    @endpoint.patch("/parcels/{parcel}", Weighed)
    def refuse(event: Event[Weighed], work: Work) -> None:
        raise Reject("no parcels on Sundays")

    assert answer(endpoint(http_api("PATCH", "/parcels/7"), context)) == (
        422,
        {"outcome": "reject", "reason": "no parcels on Sundays"},
    )
    assert endpoint.contracts == (Weighed,)


def test_a_request_stays_in_the_function(counter: Endpoint, store: Store) -> None:
    """A token in a header is nobody else's."""
    event = Event(
        id="e", source="s", type="T", data={}, request=Request(method="POST", headers={"authorization": "4111"})
    )

    assert b"4111" not in event.encode()
