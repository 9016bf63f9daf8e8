"""The effects alone by boto3: neither validated nor idempotent, and one failure repeats the batch.

Nobody should consume events so. It is what the calls themselves cost, and no system with one call an event is below it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import boto3

from bench import works
from bench.systems import Built

dynamodb = boto3.client("dynamodb")
events = boto3.client("events")

Order = Mapping[str, Any]


def project(order: Order) -> None:
    dynamodb.update_item(
        TableName=os.environ["TABLE_CUSTOMERS"],
        Key={"customer": {"S": order["customer"]}},
        UpdateExpression="SET placed_at = :at, last_order = :last, country = :country",
        ConditionExpression="attribute_not_exists(placed_at) OR placed_at < :at",
        ExpressionAttributeValues={
            ":at": {"N": str(order["placed_at"])},
            ":last": {"S": order["order_id"]},
            ":country": {"S": order["country"]},
        },
    )


def count(order: Order) -> None:
    lines = order["lines"]
    dynamodb.update_item(
        TableName=os.environ["TABLE_CUSTOMERS"],
        Key={"customer": {"S": order["customer"]}},
        UpdateExpression="ADD units :units, pence :pence",
        ExpressionAttributeValues={
            ":units": {"N": str(sum(line["quantity"] for line in lines))},
            ":pence": {"N": str(sum(line["quantity"] * line["pence"] for line in lines))},
        },
    )


def create_and_tell(order: Order) -> None:
    item = {"order_id": {"S": order["order_id"]}, "customer": {"S": order["customer"]}}
    dynamodb.put_item(
        TableName=os.environ["TABLE_ORDERS"],
        Item={**item, "country": {"S": order["country"]}},
        ConditionExpression="attribute_not_exists(order_id)",
    )
    tell(order)


def change_and_tell(order: Order) -> None:
    place: dict[str, Any] = {
        "TableName": os.environ["TABLE_CUSTOMERS"],
        "Key": {"customer": {"S": order["customer"]}},
    }
    known = dynamodb.get_item(**place, ConsistentRead=True).get("Item", {}).get("orders", {"N": "0"})
    dynamodb.update_item(
        **place,
        UpdateExpression="SET orders = :orders, last_order = :last",
        ExpressionAttributeValues={
            ":orders": {"N": str(int(known["N"]) + 1)},
            ":last": {"S": order["order_id"]},
        },
    )
    tell(order)


def tell(order: Order) -> None:
    entry = {
        "EventBusName": os.environ["EVENT_BUS"],
        "Source": os.environ["EVENT_SOURCE"],
        "DetailType": "StockReserved",
        "Detail": json.dumps({"order_id": order["order_id"]}),
    }
    events.put_events(Entries=[entry])


EFFECTS: dict[str, Callable[[Order], None]] = {
    works.PROJECTION: project,
    works.COUNTER: count,
    works.STATE_AND_EVENT: create_and_tell,
    works.READ_STATE_AND_EVENT: change_and_tell,
    works.ONLY_EVENTS: tell,
}


def build(work: str) -> Built:
    """Return the function of one work."""
    effect = EFFECTS[work]

    def handler(batch: Mapping[str, Any], _: Any) -> None:
        for record in batch["Records"]:
            effect(json.loads(record["body"])["detail"]["data"])

    return Built(consumer=handler)
