"""What must be left of a run is learned from runs without faults, and each way in which it isn't is named."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest

from eachonce_workbench.cloud.faults.answers import WEB
from eachonce_workbench.cloud.store.services import OFFERED
from eachonce_workbench.simulator.bundle.campaign import kind_of, spread
from eachonce_workbench.simulator.bundle.expectation import Expectation
from eachonce_workbench.simulator.bundle.learned import learn
from eachonce_workbench.simulator.bundle.leaves import leaves
from eachonce_workbench.simulator.call import Call
from eachonce_workbench.simulator.left import Left
from eachonce_workbench.simulator.outside.effect import Effect, effect_of
from eachonce_workbench.simulator.outside.stand_in import stand_in, web_stand_in


def rows(**items: Any) -> Left:
    return Left(rows={"Orders": {(name,): item for name, item in items.items()}})


def sent(*bodies: Any) -> Left:
    return Left(sent={"queue Out": bodies})


def judged(wanted: Left, found: Left, *, by_chance: Left | None = None, by_clock: Left | None = None) -> list[str]:
    """Return what is broken where `found` is left, and runs without faults have left the others."""
    learned = learn(
        wanted,
        by_chance=wanted if by_chance is None else by_chance,
        by_clock=wanted if by_clock is None else by_clock,
    )
    return list(map(str, Expectation(learned)(found)))


@pytest.mark.parametrize(
    ("found", "broken"),
    [
        ({"a": {"n": 2}}, []),
        ({"a": {"n": Decimal("2.0")}}, []),
        ({}, ["nothing is lost: Orders: a is not there"]),
        ({"a": {"n": 4}}, ["nothing is doubled: Orders: a: n is 4, expected 2"]),
        ({"a": {"n": 1}}, ["nothing is lost: Orders: a: n is 1, expected 2"]),
        ({"a": {"n": "x"}}, ["nothing ends differently: Orders: a: n is x, expected 2"]),
        ({"a": {"n": 2}, "b": {"n": 2}}, ["nothing is doubled: Orders: b is there, and should not be"]),
    ],
)
def test_a_row_is_lost_or_doubled_or_another_one(found: Mapping[str, Any], broken: list[str]) -> None:
    """By its key, and by its numbers."""
    assert judged(rows(a={"n": 2}), rows(**found)) == broken


def test_what_differs_without_faults_is_not_compared() -> None:
    """And it is said what makes it."""
    wanted, other, later = (rows(a={"n": 2, "id": i, "at": t}) for i, t in (("x", 1), ("y", 1), ("x", 2)))

    learned = learn(wanted, by_chance=other, by_clock=later)

    assert list(learned.uncompared()) == ["Orders: id is made by chance", "Orders: at is made by the clock"]
    assert list(Expectation(learned)(rows(a={"n": 2, "id": "z", "at": 3}))) == []


def test_rows_that_chance_names_are_counted() -> None:
    """One more of the same is doubled, one fewer lost."""
    one, other = rows(x={"id": "x", "of": 1}), rows(y={"id": "y", "of": 1})
    twice = rows(v={"id": "v", "of": 1}, w={"id": "w", "of": 1})

    assert judged(one, rows(z={"id": "z", "of": 1}), by_chance=other) == []
    assert judged(one, twice, by_chance=other) == ["nothing is doubled: Orders: of=1 is there twice"]
    assert judged(one, rows(), by_chance=other) == ["nothing is lost: Orders: of=1 is not there"]


def test_where_time_decides_how_many_there_are_nothing_is_judged() -> None:
    """Rather than accuse somebody."""
    learned = learn(rows(a={}), by_chance=rows(a={}), by_clock=rows(a={}, b={}))

    assert list(learned.uncompared()) == ["Orders: without any fault, how many there are depends on the clock"]
    assert list(Expectation(learned)(rows(c={}))) == []


def test_the_same_message_again_is_a_copy_and_under_another_id_it_is_not() -> None:
    """Queues and buses make copies themselves."""
    first, other = sent('{"id": "x", "of": 1}'), sent('{"id": "y", "of": 1}')

    assert judged(first, sent(*first.sent["queue Out"] * 2), by_chance=other) == []
    (broken,) = judged(first, sent('{"id": "v", "of": 1}', '{"id": "w", "of": 1}'), by_chance=other)
    assert broken == "nothing is doubled: queue Out: of=1 is there twice"


@pytest.mark.parametrize(("key", "broken"), [(None, True), ("k", False)])
def test_an_effect_counts_each_time_unless_its_receiver_knows_it_again(key: str | None, broken: bool) -> None:
    """By an idempotency key."""
    effect = Effect(function="F", what="POST pay", content={"n": 1}, key=key)

    assert bool(judged(Left(effects=(effect,)), Left(effects=(effect, effect)))) is broken


def web(method: str, **headers: str) -> Call:
    url = "https://example.com/things/1?x=2"
    return Call(service=WEB, operation=method, method=method, url=url, headers=headers, body=b'{"a": 1}')


def test_who_only_asks_has_no_effect() -> None:
    """Of AWS, and of anybody else."""
    listing = Call(service="states", operation="ListExecutions", method="POST", url="https://states")
    starting = Call(service="states", operation="StartExecution", method="POST", url="https://states", body=b"{}")

    assert effect_of(web("GET"), "F") is None
    assert effect_of(listing, "F") is None
    assert effect_of(starting, "F") == Effect(function="F", what="states StartExecution", content="{}")
    post = effect_of(web("POST", **{"idempotency-key": "k"}), "F")
    assert post is not None
    assert (post.what, post.key, post.repeatable) == ("POST example.com/things/1", "k", False)


# boto3's names of all that the local cloud offers, where they aren't the name that a request is signed for.
CLIENTS = {"monitoring": "cloudwatch", "streams": "dynamodbstreams"}


@pytest.mark.parametrize("service", sorted(OFFERED))
def test_the_local_cloud_is_asked_for_all_that_it_offers(service: str) -> None:
    """Whatever botocore calls it where a request is sent: a stand-in would give made-up values."""
    client_name = CLIENTS.get(service, service)
    service_id = botocore.session.get_session().get_service_model(client_name).service_id.hyphenize()

    call = Call.of(
        f"before-send.{service_id}.Whatever", AWSPreparedRequest("POST", "https://aws.test", {}, b"{}", None)
    )

    assert call.service == service


def test_a_stand_in_answers_as_the_services_model_says() -> None:
    """The same each time; over HTTP it gives back what it was sent."""
    call = Call(service="sesv2", operation="SendEmail", method="POST", url="https://email/v2/email", body=b"{}")

    assert stand_in(call) == stand_in(call)
    assert stand_in(call)[2].startswith(b'{"MessageId"')
    assert leaves(web_stand_in(web("POST", **{"content-type": "application/json"}))[2].decode())["a",] == (1,)


def test_faults_of_each_kind_come_early() -> None:
    """Where there are too many to try them all."""
    faults = ["late: F Put a #1", "late: F Put b #1", "killed after: F Put a #1", "message overtaken: a message #1"]

    assert spread(faults) == [faults[0], faults[2], faults[3], faults[1]]
    assert kind_of(faults[:1]) == "late: F Put"
