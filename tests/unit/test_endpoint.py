"""The endpoint: one request, one effect, one answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from eachonce import Endpoint, Event, MissingSettingError, Reject, Retry, UnavailableError, Wait, Work

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


def test_another_request_of_the_same_subject_is_refused(counter: Endpoint, store: Store, context: Context) -> None:
    """The subject is the key where there is no other: two requests can't both be it."""
    counter(REQUEST, context)

    response = counter({**REQUEST, "grams": 1}, context)

    assert response == {"outcome": "reject", "reason": "the event id was used before with different content"}
    assert store.item("Weights", parcel="p")["grams"] == 250


@pytest.mark.parametrize(
    ("request_", "says"),
    [({"grams": 5}, "parcel"), ({"parcel": 5}, "parcel"), ([], "array"), ({"parcel": "\ud800"}, "surrogates")],
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
    ],
)
def test_over_http_a_malformed_request_is_answered_422(
    counter: Endpoint, context: Context, body: str | None, is_base64: bool
) -> None:
    """Whatever it is."""
    status, said = answer(counter(http_request(body, is_base64=is_base64), context))

    assert (status, said["outcome"]) == (422, "reject")


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
