"""The endpoint: one request, one effect, one answer."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from eachonce import Contract, Endpoint, Event, MissingSettingError, Reject, Retry, UnavailableError, Wait, Work
from eachonce.journal import unpack_outbox

from tests import faults as wire
from tests.faults import Faults
from tests.parcels import Arrived, Registered, Weighed, weigh
from tests.printed import Printed
from tests.records import Context, http_request
from tests.store import Store

REQUEST = {"parcel": "p", "grams": 250}


def hand_in(event: Event[Weighed], work: Work) -> None:
    weigh(event, work)
    work.publish(Arrived(parcel=event.data.parcel))
    work.result = {"parcel": event.data.parcel, "grams": event.data.grams}


@pytest.fixture
def make_endpoint(store: Store) -> Callable[..., Endpoint]:
    def make(handle: Any = hand_in, contract: Any = Weighed) -> Endpoint:
        endpoint = Endpoint("counter", aws=store.aws, settings=store.settings)
        endpoint.on(contract)(handle)
        return endpoint

    return make


@pytest.fixture
def counter(make_endpoint: Callable[..., Endpoint]) -> Endpoint:
    return make_endpoint()


def answer(response: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return response["statusCode"], json.loads(response["body"])


def test_a_request_is_answered_with_its_result(counter: Endpoint, store: Store, context: Context) -> None:
    """State and events are committed before the answer."""
    response = counter(REQUEST, context)

    assert response == {"outcome": "done", "parcel": "p", "grams": 250}
    assert store.item("Weights", parcel="p")["grams"] == 250
    assert "outbox" in store.journal("counter", "p")


def test_the_same_request_again_gets_the_first_answer(counter: Endpoint, store: Store, context: Context) -> None:
    """A caller who heard nothing may ask as often as they like."""
    counter(REQUEST, context)

    response = counter(REQUEST, context)

    assert response == {"outcome": "duplicate", "parcel": "p", "grams": 250}
    assert store.item("Weights", parcel="p")["grams"] == 250


def test_a_request_whose_events_would_reach_nobody_is_refused(
    counter: Endpoint, store: Store, context: Context
) -> None:
    """422 with the reason, and nothing is placed: no queue takes U+FFFF."""
    status, told = answer(counter(http_request(json.dumps({"parcel": "Peru\uffff"}), key="k"), context))

    assert (status, told["outcome"]) == (422, "reject")
    assert "U+FFFF" in told["reason"]
    assert store.items("Weights") == []


def test_another_request_of_the_same_subject_is_refused(counter: Endpoint, store: Store, context: Context) -> None:
    """The subject is the key where there is no other: two requests can't both be it."""
    counter(REQUEST, context)

    response = counter({**REQUEST, "grams": 1}, context)

    assert response == {"outcome": "reject", "reason": "the event id was used before with different content"}
    assert store.item("Weights", parcel="p")["grams"] == 250


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"grams": 5}, "parcel"),
        ({"parcel": 5}, "parcel"),
        ([], "array"),
        ({"parcel": "\ud800"}, "surrogates"),
        ({**REQUEST, "extra": 10**5000}, "the request can't be read"),
        ({**REQUEST, "grams": 10**4000}, "38 digits"),
        (None, "null"),
        ("text", "str"),
    ],
)
def test_a_request_that_breaks_its_contract_is_refused(
    counter: Endpoint, context: Context, request_: Any, says: str
) -> None:
    """With the reason, and without an effect."""
    response = counter(request_, context)

    assert response["outcome"] == "reject"
    assert says in response["reason"]


def test_a_request_that_nests_too_deeply_is_refused(counter: Endpoint, context: Context) -> None:
    """It is the request's fault: an error would have Lambda try it again."""
    deep: list[Any] = []
    for _ in range(200_000):
        deep = [deep]

    response = counter({**REQUEST, "extra": deep}, context)

    assert response["outcome"] == "reject"


@pytest.mark.parametrize("parcel", ["", "x" * 257])
def test_a_request_needs_a_key(counter: Endpoint, context: Context, parcel: str) -> None:
    """Its subject serves where it is 1 to 256 characters."""
    response = counter({**REQUEST, "parcel": parcel}, context)

    assert response["outcome"] == "reject"
    assert "Idempotency-Key of 1 to 256" in response["reason"]


def test_a_request_without_a_subject_needs_a_key(make_endpoint: Callable[..., Endpoint], context: Context) -> None:
    """What stands alone can't be told from its copy."""
    endpoint = make_endpoint(lambda event, work: None, Registered)

    assert endpoint({"parcel": "p"}, context)["outcome"] == "reject"
    assert answer(endpoint(http_request('{"parcel": "p"}', key="k-1"), context)) == (202, {"outcome": "done"})


def test_a_handler_may_refuse(make_endpoint: Callable[..., Endpoint], context: Context) -> None:
    """Its reason is the answer."""

    def refuse(event: Event[Weighed], work: Work) -> None:
        raise Reject("no parcels on Sundays")

    response = make_endpoint(refuse)(REQUEST, context)

    assert response == {"outcome": "reject", "reason": "no parcels on Sundays"}


LATER = [ValueError("broken"), Retry("closed"), Retry(counted=False), Wait("the postman", up_to=timedelta())]


@pytest.mark.parametrize("error", LATER, ids=repr)
def test_what_can_not_be_handled_now_raises(
    make_endpoint: Callable[..., Endpoint], store: Store, context: Context, error: Exception
) -> None:
    """Lambda invokes an asynchronous one again; a caller who waits is told.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """

    def fail(event: Event[Weighed], work: Work) -> None:
        raise error

    with pytest.raises(UnavailableError):
        make_endpoint(fail)(REQUEST, context)

    assert make_endpoint()(REQUEST, context)["outcome"] == "done"


@pytest.mark.parametrize("error", LATER, ids=repr)
def test_over_http_it_is_answered_503(
    make_endpoint: Callable[..., Endpoint], store: Store, context: Context, error: Exception
) -> None:
    """Whatever the handler waits for; its caller is no queue, and nothing is counted."""

    def fail(event: Event[Weighed], work: Work) -> None:
        raise error

    assert make_endpoint(fail)(http_request(json.dumps(REQUEST)), context)["statusCode"] == 503
    assert store.items("Journal") == []


def test_a_request_that_comes_too_late_is_not_begun(counter: Endpoint, store: Store) -> None:
    """Nothing is committed after the deadline, since nobody would hear of it."""
    with pytest.raises(UnavailableError, match="time"):
        counter(REQUEST, Context(remaining_ms=0))

    assert store.items("Weights") == store.items("Journal") == []


@pytest.mark.parametrize("fault", [wire.answer_lost, wire.never_sent])
def test_asking_again_after_a_lost_answer_is_safe(
    counter: Endpoint, store: Store, context: Context, faults: Faults, fault: wire.Fault
) -> None:
    """Whether or not it had happened."""
    faults.next("TransactWriteItems", fault)
    with pytest.raises(UnavailableError):
        counter(REQUEST, context)

    response = counter(REQUEST, context)

    assert response["outcome"] in {"done", "duplicate"}
    assert (response["parcel"], response["grams"]) == ("p", 250)
    assert store.item("Weights", parcel="p")["grams"] == 250


def test_over_http_the_status_says_what_became_of_it(counter: Endpoint, context: Context) -> None:
    """Accepted, then known, then in conflict with what was accepted."""
    first = counter(http_request(json.dumps(REQUEST)), context)
    again = counter(http_request(json.dumps(REQUEST)), context)
    other = counter(http_request(json.dumps({**REQUEST, "grams": 1})), context)

    assert answer(first) == (202, {"outcome": "done", "parcel": "p", "grams": 250})
    assert answer(again) == (200, {"outcome": "duplicate", "parcel": "p", "grams": 250})
    assert answer(other)[0] == 422
    assert first["headers"] == {"content-type": "application/json"}


def test_over_http_a_request_that_can_not_be_handled_now_is_answered_503(
    counter: Endpoint, context: Context, faults: Faults
) -> None:
    """The caller tries again."""
    faults.next("TransactWriteItems", wire.never_sent)

    status, body = answer(counter(http_request(json.dumps(REQUEST)), context))

    assert (status, body) == (503, {"outcome": "retry", "reason": "AWS did not do as it was asked"})


@pytest.mark.parametrize(
    ("body", "is_base64"),
    [
        (None, False),
        ("", False),
        ("not JSON", False),
        ("[]", False),
        ('{"parcel": NaN}', False),
        ("\ud800", False),
        ("[" * 100_000, False),
        ('{"parcel": "p", "extra": ' + "[" * 100_000 + "]" * 100_000 + "}", False),
        ('{"parcel": "p", "extra": 1e99999999999999999999}', False),
        ("§", True),
        ("not base64!", True),
        (base64.b64encode(b"\xff").decode(), True),
        (base64.b64encode(b'{"parcel": "p", "extra": "\xff"}').decode(), True),
        ('{"parcel": "p", "grams": ' + "9" * 5000 + "}", False),
        ('{"parcel": "p", "extra": ' + "[" * 64 + "]" * 64 + "}", False),
        ('{"parcel": "p", "extra": "\\ud800"}', False),
        (5, False),
        pytest.param(10**5000, False, id="5,000 digits"),
        (True, False),
        ({"parcel": "p"}, False),
        ([REQUEST], False),
        (5, True),
    ],
)
def test_over_http_a_malformed_request_is_answered_422(
    counter: Endpoint, context: Context, body: Any, is_base64: bool
) -> None:
    """Whatever it is."""
    status, said = answer(counter(http_request(body, is_base64=is_base64), context))

    assert (status, said["outcome"]) == (422, "reject")


@pytest.mark.parametrize(
    ("body", "is_base64", "says"),
    [
        (5, False, "the body is not text"),
        ("not base64!", True, "the body is not base64"),
        ("§", True, "the body is not base64"),
        ("\ud800", False, "not valid UTF-8 (surrogates not allowed)"),
        (base64.b64encode(b'{"parcel": "p", "extra": "\xff"}').decode(), True, "not valid UTF-8 (invalid start byte)"),
        ('{"parcel": "p", "grams": ' + "9" * 5000 + "}", False, "Integer value out of range - at `$.grams`"),
        ("[" * 65, False, "nests more than 64 levels"),
        ("", False, "it is not JSON"),
    ],
)
def test_a_malformed_request_is_told_why(
    counter: Endpoint, context: Context, body: Any, is_base64: bool, says: str
) -> None:
    """In words that are true of it."""
    _, said = answer(counter(http_request(body, is_base64=is_base64), context))

    assert says in said["reason"]


@pytest.mark.parametrize(
    "members",
    [
        {"headers": {"Idempotency-Key": "k-1"}},
        {"headers": {"IDEMPOTENCY-KEY": "k-1", "Accept": "*/*"}},
        {"headers": {"idempotency-key": None, "Idempotency-Key": "k-1"}},
        {"headers": None, "multiValueHeaders": {"Idempotency-Key": ["k-1"]}},
        {"headers": {}, "multiValueHeaders": {"idempotency-key": ["k-1"]}},
        {"headers": {"Idempotency-Key": "k-1"}, "multiValueHeaders": {"Idempotency-Key": ["k-0", "k-1"]}},
    ],
    ids=repr,
)
def test_a_key_is_found_whatever_case_its_header_is_in(
    counter: Endpoint, store: Store, context: Context, members: dict[str, Any]
) -> None:
    """A REST API leaves names as the client wrote them, and a load balancer may send lists of values alone."""
    status, _ = answer(counter({**http_request(json.dumps(REQUEST)), **members}, context))

    assert status == 202
    assert store.journal("counter", "k-1") is not None


@pytest.mark.parametrize(
    "members",
    [
        {"headers": None},
        {"headers": {}},
        {"headers": {"idempotency-key": None}},
        {"headers": None, "multiValueHeaders": None},
        {"isBase64Encoded": None},
        {"isBase64Encoded": ...},
    ],
    ids=repr,
)
def test_what_is_null_around_a_body_is_not_set(
    counter: Endpoint, store: Store, context: Context, members: dict[str, Any]
) -> None:
    """The subject is the key then."""
    request = {**http_request(json.dumps(REQUEST)), **members}

    status, _ = answer(counter({name: value for name, value in request.items() if value is not ...}, context))

    assert status == 202
    assert store.journal("counter", "p") is not None


@pytest.mark.parametrize(
    "members",
    [
        {"headers": "idempotency-key: k-1"},
        {"headers": ["idempotency-key"]},
        {"multiValueHeaders": 5},
        {"headers": {"idempotency-key": 5}},
        {"headers": {"idempotency-key": "\ud800"}},
        {"headers": {"idempotency-key": {"k": 1}}},
        {"multiValueHeaders": {"idempotency-key": []}},
        {"multiValueHeaders": {"idempotency-key": [5]}},
        {"multiValueHeaders": {"idempotency-key": ["k" * 200, "k" * 200]}},
    ],
    ids=["a text", "a list", "a number", "its number", "no text", "an object", "no lines", "a line's number", "long"],
)
def test_a_key_that_is_none_is_refused(
    counter: Endpoint, store: Store, context: Context, members: dict[str, Any]
) -> None:
    """The request may have been made under another one before."""
    status, said = answer(counter({**http_request(json.dumps(REQUEST)), **members}, context))

    assert (status, said["outcome"]) == (422, "reject")
    assert store.items("Journal") == []


class Careless(Contract, frozen=True, kw_only=True):
    """A request whose contract fails on data that it did not think of."""

    names: list[str]
    first: str = ""

    def __post_init__(self) -> None:
        if self.first and self.first != self.names[0]:
            raise ValueError(f"{self.names[0]} is not {self.first}")

    @property
    def subject(self) -> str:
        return self.names[0]


@pytest.mark.parametrize(
    "request_", [{"names": []}, {"names": [], "first": "4111"}, {"names": ["4111"], "first": "4112"}], ids=str
)
def test_what_a_contract_can_not_take_is_refused(
    make_endpoint: Callable[..., Endpoint], context: Context, request_: dict[str, Any]
) -> None:
    """Its own code's exceptions are the request's fault, and are told by their names."""
    endpoint = make_endpoint(lambda event, work: None, Careless)

    status, said = answer(endpoint(http_request(json.dumps(request_)), context))

    assert (status, said["outcome"]) == (422, "reject")
    assert re.search(r"Careless: a check of its contract fails: \w+Error at test_endpoint\.py:\d+", said["reason"])
    assert "411" not in said["reason"]


def test_a_body_may_come_as_base64(counter: Endpoint, context: Context) -> None:
    """As API Gateway passes on what it takes for binary."""
    body = base64.b64encode(json.dumps(REQUEST).encode()).decode()

    assert answer(counter(http_request(body, is_base64=True), context))[0] == 202


def test_an_idempotency_key_tells_requests_apart(counter: Endpoint, store: Store, context: Context) -> None:
    """Two of one subject with different keys are two; the same key is one."""
    body = json.dumps(REQUEST)

    statuses = [answer(counter(http_request(body, key=key), context))[0] for key in ("k-1", "k-2", "k-1")]

    assert statuses == [202, 202, 200]
    assert store.item("Weights", parcel="p")["grams"] == 500


@pytest.mark.parametrize("key", ["", "k" * 257])
def test_an_idempotency_key_has_1_to_256_characters(counter: Endpoint, context: Context, key: str) -> None:
    """It is part of a row's key."""
    assert answer(counter(http_request(json.dumps(REQUEST), key=key), context))[0] == 422


def test_a_missing_setting_is_an_error(store: Store, context: Context) -> None:
    """An operator's mistake is not the request's."""
    endpoint = Endpoint("counter", aws=store.aws, settings=replace(store.settings, source=None))
    endpoint.on(Weighed)(hand_in)

    with pytest.raises(MissingSettingError):
        endpoint(REQUEST, context)


def test_requests_are_logged_and_counted(counter: Endpoint, context: Context, printed: Printed) -> None:
    """As events are, without their payload."""
    counter(REQUEST, context)
    counter({"grams": 424242}, context)

    lines = printed.lines()
    logs = [line for line in lines if "_aws" not in line]
    assert [(line["message"], line.get("event_id")) for line in logs] == [("done", "p"), ("reject", None)]
    assert [("Done" in line, "Rejected" in line) for line in lines if "_aws" in line] == [(True, False), (False, True)]
    assert "424242" not in json.dumps(lines)


def tenants(store: Store, endpoint: str = "counter") -> list[Any]:
    """Return the tenants of what an endpoint published."""
    rows = [row for row in store.items("Journal") if row["pk"].startswith(f"{endpoint}#") and "outbox" in row]
    return [json.loads(bytes(event)).get("tenant") for row in rows for event in unpack_outbox(bytes(row["outbox"]))]


def of_a_tenant(store: Store, tenant: Any = None, *, fixed: str | None = None) -> Endpoint:
    endpoint = Endpoint("counter", tenant=tenant, aws=store.aws, settings=replace(store.settings, tenant=fixed))
    endpoint.on(Weighed)(hand_in)
    return endpoint


def claiming(**claims: Any) -> dict[str, Any]:
    request = http_request(json.dumps(REQUEST))
    request["requestContext"] = {**request["requestContext"], "authorizer": {"jwt": {"claims": claims}}}
    return request


@pytest.mark.parametrize(
    ("fixed", "tenant", "told"),
    [
        (None, None, None),
        ("acme", None, "acme"),
        (None, lambda request: request.claims["tenant"], "b"),
        ("acme", lambda request: request.claims["tenant"], "b"),
        ("acme", lambda request: None, None),
    ],
    ids=["nobody says", "by the environment", "by the request", "the request before all", "the request, of none"],
)
def test_a_requests_tenant_is_its_events(
    store: Store, context: Context, fixed: str | None, tenant: Any, told: str | None
) -> None:
    """What comes from outside gets its tenant where it comes in, by who is asking or by whom the function is for."""
    response = of_a_tenant(store, tenant, fixed=fixed)(claiming(tenant="b"), context)

    assert response["statusCode"] == 202
    assert tenants(store) == [told]


@pytest.mark.parametrize("said", [{}, {"tenant": ""}, {"tenant": "a b"}, {"tenant": 7}, {"tenant": "x" * 129}])
def test_a_request_whose_tenant_can_not_be_told_is_refused(
    store: Store, context: Context, said: dict[str, Any]
) -> None:
    """It is done for nobody, and not for anybody."""
    endpoint = of_a_tenant(store, lambda request: request.claims["tenant"], fixed="acme")

    status, answered = answer(endpoint(claiming(**said), context))

    assert status == 422
    assert "tenant" in answered["reason"]
    assert store.items("Journal") == []


def test_a_direct_invocation_has_the_functions_tenant(store: Store, context: Context) -> None:
    """Nothing else says whose it is."""
    of_a_tenant(store, fixed="acme")(REQUEST, context)

    assert tenants(store) == ["acme"]
