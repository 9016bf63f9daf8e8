"""Callers: an Idempotency-Key is its caller's own, and so is the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from eachonce import Endpoint, Event, Work
from eachonce.caller import Caller, is_own_id, own_id
from eachonce.former import former_fingerprint
from eachonce.identity import MAX_ID, fingerprint
from eachonce.journal import Mark, State
from eachonce.request import NO_REQUEST

from tests.parcels import Registered, Weighed, register
from tests.records import ACCOUNT, Context
from tests.store import Store

NOON = datetime(2010, 12, 1, 12, tzinfo=UTC)
BODY = {"parcel": "p", "grams": 250}

HTTP_API = {"rawPath": "/parcels"}
REST_API = {"path": "/parcels", "httpMethod": "POST", "resource": "/parcels"}


def jwt(name: str, issuer: str = "https://id.example.com") -> dict[str, Any]:
    return {**HTTP_API, "context": {"authorizer": {"jwt": {"claims": {"sub": name, "iss": issuer, "exp": "1"}}}}}


def cognito(name: str, issuer: str = "https://id.example.com") -> dict[str, Any]:
    return {**REST_API, "context": {"authorizer": {"claims": {"sub": name, "iss": issuer}}}}


def function(name: str) -> dict[str, Any]:
    return {**HTTP_API, "context": {"authorizer": {"lambda": {"principalId": name, "plan": "gold"}}}}


def function_of_rest(name: str) -> dict[str, Any]:
    return {**REST_API, "context": {"authorizer": {"principalId": name, "plan": "gold"}}}


def iam(name: str, cognito_identity: str | None = None) -> dict[str, Any]:
    identity = None if cognito_identity is None else {"identityId": cognito_identity}
    return {**HTTP_API, "context": {"authorizer": {"iam": {"userArn": name, "cognitoIdentity": identity}}}}


def iam_of_rest(name: str, cognito_identity: str | None = None) -> dict[str, Any]:
    return {**REST_API, "context": {"identity": {"userArn": name, "cognitoIdentityId": cognito_identity}}}


AUTHORIZERS = {
    "JWT": jwt,
    "Cognito": cognito,
    "a function": function,
    "a function of a REST API": function_of_rest,
    "IAM": iam,
    "IAM of a REST API": iam_of_rest,
}
# Who is told from ada by more than a name.
OTHERS = {
    "a token of another issuer": (jwt("ada"), jwt("ada", "https://other.example.com")),
    "a user pool's of another issuer": (cognito("ada"), cognito("ada", "https://other.example.com")),
    "one role for all of an app's users": (iam("role", "eu-west-1:1"), iam("role", "eu-west-1:2")),
    "one role, by a REST API": (iam_of_rest("role", "eu-west-1:1"), iam_of_rest("role", "eu-west-1:2")),
    "nobody": (jwt("ada"), {**HTTP_API, "context": {}}),
}


def request(
    context: dict[str, Any], *, key: str | None = "k", body: dict[str, Any] = BODY, **members: Any
) -> dict[str, Any]:
    return {
        "headers": {} if key is None else {"Idempotency-Key": key},
        "requestContext": {"accountId": ACCOUNT, "http": {"method": "POST"}, **context},
        "body": json.dumps(body),
    } | members


def made(by: dict[str, Any], **said: Any) -> dict[str, Any]:
    members = {name: value for name, value in by.items() if name != "context"}
    return request(by["context"], **said, **members)


def answer(response: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return response["statusCode"], json.loads(response["body"])


@pytest.fixture
def requests() -> list[Event[Any]]:
    return []


@pytest.fixture
def counter(store: Store, requests: list[Event[Any]]) -> Endpoint:
    """One handler without a route, whose answers differ."""
    endpoint = Endpoint("counter", aws=store.aws, settings=store.settings)

    @endpoint.on(Weighed)
    def weigh(event: Event[Weighed], work: Work) -> None:
        requests.append(event)
        work.add("Weights", {"parcel": event.data.parcel}, grams=event.data.grams)
        work.result = {"receipt": len(requests)}

    return endpoint


@pytest.mark.parametrize("kind", AUTHORIZERS)
def test_two_callers_may_have_one_key(counter: Endpoint, context: Context, kind: str) -> None:
    """Each gets an answer of its own, and the same one when it asks again."""
    ada, bob = AUTHORIZERS[kind]("ada"), AUTHORIZERS[kind]("bob")

    answers = [answer(counter(made(who), context)) for who in (ada, bob, ada, bob)]

    assert [(status, said["receipt"]) for status, said in answers] == [(202, 1), (202, 2), (200, 1), (200, 2)]


@pytest.mark.parametrize("other", OTHERS)
def test_a_name_is_somebodys_within_its_place(counter: Endpoint, context: Context, other: str) -> None:
    """An issuer gives its own names, and a role may stand for many."""
    statuses = [answer(counter(made(who), context))[0] for who in OTHERS[other]]

    assert statuses == [202, 202]


def test_where_nobody_asks_a_key_is_everybodys(counter: Endpoint, store: Store, context: Context) -> None:
    """The row has the key as it was written, as it always had."""
    nobody = {**HTTP_API, "context": {}}

    statuses = [answer(counter(made(nobody), context))[0] for _ in range(2)]

    assert statuses == [202, 200]
    assert store.journal("counter", "k") is not None


def test_what_tells_a_request_by_itself_is_nobodys_own(counter: Endpoint, context: Context) -> None:
    """Without a key it is the event that its data says, whoever brings it."""
    statuses = [answer(counter(made(jwt(name), key=None), context))[0] for name in ("ada", "bob")]

    assert statuses == [202, 200]


@pytest.mark.parametrize("key", ["k", "k" * 300], ids=["in full", "by a digest"])
def test_nobody_can_write_a_key_that_is_anothers(counter: Endpoint, store: Store, context: Context, key: str) -> None:
    """Not by the form that it has in the journal: over HTTP, and as the subject of a direct invocation."""
    forged = own_id(key, Caller(claims={}, name="ada", within="https://id.example.com").digest)

    assert is_own_id(forged)
    status, said = answer(counter(made({**HTTP_API, "context": {}}, key=forged), context))
    assert (status, said["outcome"]) == (422, "reject")
    assert counter({**BODY, "parcel": forged}, context)["outcome"] == "reject"
    assert store.items("Journal") == []


def test_a_key_may_say_anything(counter: Endpoint, context: Context, requests: list[Event[Any]]) -> None:
    """Of a caller who is known it is never taken for another's, whatever separates what."""
    ada, bob = (Caller(claims={}, name=name, within="https://id.example.com").digest for name in ("ada", "bob"))
    keys = ["k", f"by:{ada}:k", f":{ada}:k", f"{bob}:k", "", "k" * 257, "k" * 256, "k" * 255 + "l"]

    statuses = [answer(counter(made(jwt("bob"), key=key), context))[0] for key in keys]

    assert statuses == [202, 202, 202, 202, 422, 422, 202, 202]
    ids = [event.id for event in requests]
    assert len(set(ids)) == len(ids)
    assert all(len(each) <= MAX_ID and is_own_id(each) and ada not in each[:36] for each in ids)


# Requests that were made when a key was everybody's


@pytest.fixture
def upgraded(store: Store) -> Store:
    store.settings = replace(store.settings, former_rows=True)
    return store


def event_of(store: Store, key: str, data: dict[str, Any] = BODY, subject: str | None = "p") -> Event[Any]:
    kind = "Weighed" if subject else "Registered"
    source = store.settings.required_source()
    text = json.dumps(data).encode()
    return Event(id=key, source=source, type=kind, data=text, subject=subject)  # type: ignore[arg-type]


def put_row(store: Store, *, state: State = State.DONE, data: dict[str, Any] = BODY, **attributes: Any) -> None:
    event = event_of(store, "k", data)
    mark = Mark("counter", event.source, event.id, fingerprint(event))
    store.put("Journal", pk=mark.pk, state=state, fingerprint=mark.fingerprint, **attributes)


@pytest.mark.usefixtures("upgraded")
def test_a_request_that_was_answered_then_is_a_duplicate_now(counter: Endpoint, store: Store, context: Context) -> None:
    """It has its first answer, and is not done again."""
    put_row(store, result='{"receipt":7}')

    assert answer(counter(made(jwt("ada")), context)) == (200, {"outcome": "duplicate", "receipt": 7})
    assert store.items("Weights") == []


@pytest.mark.usefixtures("upgraded")
def test_a_request_that_was_answered_before_sources_counted_is_one_too(
    counter: Endpoint, store: Store, context: Context
) -> None:
    """Both changes may come with one deployment."""
    event = event_of(store, "k")
    store.put("Journal", pk="counter#k", state=State.DONE, fingerprint=former_fingerprint(event))

    assert answer(counter(made(jwt("ada")), context))[0] == 200


@pytest.mark.usefixtures("upgraded")
def test_anothers_row_of_then_is_no_reason_to_refuse(counter: Endpoint, store: Store, context: Context) -> None:
    """Other content under the same key was another caller's, perhaps: it is no answer to this one."""
    put_row(store, data={"parcel": "p", "grams": 1}, result='{"receipt":7}')

    assert answer(counter(made(jwt("ada")), context)) == (202, {"outcome": "done", "receipt": 1})


@pytest.mark.parametrize(("until", "status"), [(NOON + timedelta(seconds=30), 409), (NOON, 202)])
def test_an_effect_that_was_begun_then_keeps_its_key(
    upgraded: Store, context: Context, until: datetime, status: int
) -> None:
    """Nobody runs it while another may, and its receiver knows it again."""
    keys: list[str] = []
    endpoint = Endpoint("counter", aws=upgraded.aws, settings=upgraded.settings)
    endpoint.on(Weighed, external=True)(lambda event, work: keys.append(work.idempotency_key))
    put_row(upgraded, state=State.STARTED, lease_until=int(until.timestamp() * 1000), fence="1-f")

    with time_machine.travel(NOON, tick=False):
        response = counter_answer(endpoint, context)

    assert response == status
    assert keys == ([] if status == 409 else ["counter##post#k"])


def counter_answer(endpoint: Endpoint, context: Context) -> int:
    return answer(endpoint(made(jwt("ada")), context))[0]


def test_an_item_that_was_written_then_is_known(store: Store, context: Context) -> None:
    """One guarded write left no row, and its mark stays for good, whatever the functions ask for."""
    endpoint = Endpoint("counter", aws=store.aws, settings=store.settings)
    endpoint.on(Registered)(register)
    event = event_of(store, "k", {"parcel": "p"}, subject=None)
    mark = str(Mark("counter", event.source, event.id, fingerprint(event)))
    store.put("Parcels", parcel="p", created_by=mark, sender="Ada")

    assert answer(endpoint(made(jwt("ada"), body={"parcel": "p"}), context))[0] == 200


@pytest.mark.parametrize(("by", "reads"), [(jwt("ada"), 2), ({**HTTP_API, "context": {}}, 1)])
def test_what_was_then_costs_one_read(
    upgraded: Store, context: Context, monkeypatch: pytest.MonkeyPatch, by: dict[str, Any], reads: int
) -> None:
    """Of each row that there may be."""
    asked: list[int] = []
    endpoint = Endpoint("counter", aws=upgraded.aws, settings=upgraded.settings)
    endpoint.on(Weighed)(lambda event, work: None)
    writer = endpoint.execution.writer
    fetch_all: Callable[..., Any] = writer.fetch_all
    monkeypatch.setattr(writer, "fetch_all", lambda table, keys: asked.append(len(keys)) or fetch_all(table, keys))

    endpoint(made(by), context)

    assert asked == [reads]


def test_a_direct_invocation_has_no_caller(counter: Endpoint, context: Context, requests: list[Event[Any]]) -> None:
    """Lambda doesn't say who invokes a function."""
    counter(BODY, context)

    assert requests[0].request is NO_REQUEST
