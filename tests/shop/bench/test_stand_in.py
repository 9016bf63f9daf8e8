"""The stand-in for AWS answers as AWS does, and counts what it was asked."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bench.stand_in import StandIn
from bench.tables import BUS, JOURNAL, ORDERS
from tests.topologies import REGION


@pytest.fixture
def stand_in() -> StandIn:
    """One with its tables, and nothing in them."""
    made = StandIn()
    made.begin()
    return made


@pytest.fixture
def session(stand_in: StandIn) -> boto3.Session:
    """A session whose clients it answers."""
    made = boto3.Session(region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    stand_in.stand(made)
    return made


@pytest.fixture
def dynamodb(session: boto3.Session) -> Any:
    """A client of DynamoDB."""
    return session.client("dynamodb")


def order(number: int, *, size: int = 10) -> dict[str, Any]:
    return {"order_id": {"S": f"o-{number}"}, "text": {"S": "x" * size}}


def put(number: int, *, size: int = 10) -> dict[str, Any]:
    condition = "attribute_not_exists(order_id)"
    return {"TableName": ORDERS, "Item": order(number, size=size), "ConditionExpression": condition}


def test_what_is_written_is_read(stand_in: StandIn, dynamodb: Any) -> None:
    """Each call counts; a read has no write units."""
    dynamodb.put_item(**put(1))

    assert dynamodb.get_item(TableName=ORDERS, Key={"order_id": {"S": "o-1"}})["Item"] == order(1)
    assert stand_in.calls == {"PutItem": 1, "GetItem": 1}
    assert stand_in.write_units == 1


def test_a_condition_that_fails_is_billed(stand_in: StandIn, dynamodb: Any) -> None:
    """By the larger of the item that is there and the one that was brought."""
    dynamodb.put_item(**put(1, size=3000))
    stand_in.reset()

    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.put_item(**put(1))

    assert stand_in.write_units == 3


def test_an_item_that_was_refused_is_billed_by_what_it_would_have_been(stand_in: StandIn, dynamodb: Any) -> None:
    """The one that is there is smaller."""
    dynamodb.put_item(**put(1))
    stand_in.reset()

    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.put_item(**put(1, size=3000))

    assert stand_in.write_units == 3


def test_a_transaction_is_one_call_and_twice_the_units(stand_in: StandIn, dynamodb: Any) -> None:
    """One that is cancelled costs as much."""
    dynamodb.transact_write_items(TransactItems=[{"Put": put(1)}, {"Put": put(2)}])
    with pytest.raises(ClientError, match="TransactionCanceled"):
        dynamodb.transact_write_items(TransactItems=[{"Put": put(2)}, {"Put": put(3)}])

    assert stand_in.calls == {"TransactWriteItems": 2}
    assert stand_in.write_units == 4 + 4
    assert "Item" not in dynamodb.get_item(TableName=ORDERS, Key={"order_id": {"S": "o-3"}})


def test_every_client_is_answered(stand_in: StandIn, session: boto3.Session) -> None:
    """A resource's, too, and the bus takes all that is published."""
    session.resource("dynamodb").Table(ORDERS).put_item(Item={"order_id": "o-1"})
    answer = session.client("events").put_events(
        Entries=[{"EventBusName": BUS, "Source": "s", "DetailType": "t", "Detail": "{}"}]
    )

    assert answer["FailedEntryCount"] == 0
    assert stand_in.calls == {"PutItem": 1, "PutEvents": 1}


def test_the_journals_outboxes_are_handed_over_once(stand_in: StandIn, dynamodb: Any) -> None:
    """Rows without one never wake the relay."""
    for number, extra in enumerate(({"outbox": {"B": b"x"}}, {})):
        dynamodb.put_item(TableName=JOURNAL, Item={"pk": {"S": f"{number}"}, **extra})

    assert [record["dynamodb"]["Keys"] for record in stand_in.outboxes()] == [{"pk": {"S": "0"}}]
    assert stand_in.outboxes() == []


def test_to_begin_is_to_forget(stand_in: StandIn, dynamodb: Any) -> None:
    """What was stored and what was counted."""
    dynamodb.put_item(**put(1))

    stand_in.begin()

    assert "Item" not in dynamodb.get_item(TableName=ORDERS, Key={"order_id": {"S": "o-1"}})
    assert (stand_in.write_units, stand_in.calls.total()) == (0, 1)
