"""The works by Powertools for AWS Lambda: an idempotent function around each record of a batch.

Written as its documentation shows, with the choices of bench/peers/README.md; validation is its parser's, on the data
alone: validating the record and its envelope, too, would cost it more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.parser import BaseModel, parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from bench import works
from bench.systems import Built

DERIVED = UUID("0c1f7f5e-6f0b-5c52-9d0c-5b1c6c6b7a3d")

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)
dynamodb = boto3.resource("dynamodb")
customers = dynamodb.Table(os.environ["TABLE_CUSTOMERS"])
orders = dynamodb.Table(os.environ["TABLE_ORDERS"])
events = boto3.client("events")
# Idempotency, "Customizing boto configuration": its own session would not be answered by the stand-in.
persistence = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"], boto3_session=boto3.DEFAULT_SESSION)
config = IdempotencyConfig(
    event_key_jmespath="id",
    raise_on_no_idempotency_key=True,
    payload_validation_jmespath="[type, data]",
    expires_after_seconds=int(timedelta(days=35).total_seconds()),
)


class Line(BaseModel):
    sku: str
    quantity: int
    pence: int


class OrderPlaced(BaseModel):
    order_id: str
    customer: str
    placed_at: int
    country: str
    lines: list[Line]


def project(order: OrderPlaced, _: str) -> None:
    values = {"placed_at": order.placed_at, "last_order": order.order_id, "country": order.country}
    try:
        customers.update_item(
            Key={"customer": order.customer},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ConditionExpression="attribute_not_exists(#placed_at) OR #placed_at < :placed_at",
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )
    except customers.meta.client.exceptions.ConditionalCheckFailedException:
        return


def count(order: OrderPlaced, _: str) -> None:
    customers.update_item(
        Key={"customer": order.customer},
        UpdateExpression="ADD #units :units, #pence :pence",
        ExpressionAttributeNames={"#units": "units", "#pence": "pence"},
        ExpressionAttributeValues={
            ":units": sum(line.quantity for line in order.lines),
            ":pence": sum(line.quantity * line.pence for line in order.lines),
        },
    )


def create_and_tell(order: OrderPlaced, event_id: str) -> None:
    orders.put_item(
        Item={"order_id": order.order_id, "customer": order.customer, "country": order.country},
        ConditionExpression="attribute_not_exists(order_id)",
    )
    tell(order, event_id)


def change_and_tell(order: OrderPlaced, event_id: str) -> None:
    key = {"customer": order.customer}
    known = customers.get_item(Key=key, ConsistentRead=True).get("Item")
    condition = "attribute_not_exists(#orders)" if known is None else "#orders = :known"
    values = {":orders": 1 if known is None else known["orders"] + 1, ":last": order.order_id}
    customers.update_item(
        Key=key,
        UpdateExpression="SET #orders = :orders, #last = :last",
        ConditionExpression=condition,
        ExpressionAttributeNames={"#orders": "orders", "#last": "last_order"},
        ExpressionAttributeValues=values if known is None else {**values, ":known": known["orders"]},
    )
    tell(order, event_id)


def tell(order: OrderPlaced, event_id: str) -> None:
    detail = {
        "specversion": "1.0",
        "id": str(uuid5(DERIVED, event_id)),
        "source": os.environ["EVENT_SOURCE"],
        "type": "StockReserved",
        "time": datetime.now(UTC).isoformat(),
        "causationid": event_id,
        "data": {"order_id": order.order_id},
    }
    entry = {
        "EventBusName": os.environ["EVENT_BUS"],
        "Source": detail["source"],
        "DetailType": detail["type"],
        "Detail": json.dumps(detail),
    }
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"the bus refused the event: {answer['Entries']}")


Effect = Callable[[OrderPlaced, str], None]

EFFECTS: dict[str, Effect] = {
    works.PROJECTION: project,
    works.COUNTER: count,
    works.STATE_AND_EVENT: create_and_tell,
    works.READ_STATE_AND_EVENT: change_and_tell,
    works.ONLY_EVENTS: tell,
}


def build(work: str) -> Built:
    """Return the function of one work."""
    effect = EFFECTS[work]

    @idempotent_function(
        data_keyword_argument="event", config=config, persistence_store=persistence, key_prefix=f"bench-{work}"
    )
    def once(*, event: dict[str, Any], order: OrderPlaced) -> None:
        effect(order, event["id"])

    def record_handler(record: SQSRecord) -> None:
        event = record.json_body["detail"]
        once(event=event, order=parse(event=event["data"], model=OrderPlaced))
        logger.info("done", event_id=event["id"], event_type=event["type"])

    def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        config.register_lambda_context(context)
        return process_partial_response(
            event=event, record_handler=record_handler, processor=processor, context=context
        )

    return Built(consumer=handler)
