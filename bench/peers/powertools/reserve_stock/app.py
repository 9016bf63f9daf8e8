"""ReserveStock by Powertools for AWS Lambda: an idempotent function around each record of a batch.

The comments name sections of two pages of https://docs.aws.amazon.com/powertools/python/latest/: "Batch" is
utilities/batch/ and "Idempotency" is utilities/idempotency/. bench/peers/README.md says why each choice was made.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import boto3
import msgspec
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from contracts import OrderCancelled, OrderPlaced, StockAdjusted, StockReserved

Order = OrderPlaced | OrderCancelled | StockAdjusted

# What is counted of each type of event, by the attribute that counts it.
COUNTERS: dict[str, tuple[type[Order], str]] = {
    "OrderPlaced": (OrderPlaced, "sold"),
    "OrderCancelled": (OrderCancelled, "returned"),
    "StockAdjusted": (StockAdjusted, "adjusted"),
}

# The namespace of ids derived from an event's: any constant does, as long as it never changes.
DERIVED = UUID("0c1f7f5e-6f0b-5c52-9d0c-5b1c6c6b7a3d")

# Batch, "Processing messages from SQS". It raises when a whole batch failed, which is its default ("Partial failure
# mechanics"): every message comes again, and Lambda's error metric shows it.
processor = BatchProcessor(event_type=EventType.SQS)

dynamodb = boto3.client("dynamodb")
events = boto3.client("events")

# Idempotency, "DynamoDB table": one table for all functions, hash key `id`, TTL attribute `expiration`.
persistence = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
config = IdempotencyConfig(
    # Idempotency, "Batch processing": the field that the producer set to define uniqueness, rather than the messageId,
    # which differs from one copy to the next.
    event_key_jmespath="id",
    raise_on_no_idempotency_key=True,  # Idempotency, "Making idempotency key required"
    payload_validation_jmespath="[type, data]",  # Idempotency, "Payload validation"
    # Idempotency, "Adjusting expiration window": longer than any copy can be under way.
    expires_after_seconds=int(timedelta(days=35).total_seconds()),
)


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    config.register_lambda_context(context)  # Idempotency, "Lambda timeouts"
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)


def record_handler(record: SQSRecord) -> None:
    """Validate first: idempotency is the innermost decorator (Idempotency, "JSON Schema Validation").

    Whatever can't be read raises, and comes again until its queue gives it up.
    """
    event = EventBridgeEvent(record.json_body).detail
    if event["type"] not in COUNTERS:
        raise ValueError(f"nothing is done about a {event['type']}")
    contract, _ = COUNTERS[event["type"]]
    reserve(event=event, order=contract.decode(json.dumps(event["data"]).encode()))


# Idempotency, "Terminology": unless a prefix is given, the key begins with the names of the function and its module, so
# that a rename would forget every event.
@idempotent_function(
    data_keyword_argument="event", config=config, persistence_store=persistence, key_prefix="reserve-stock"
)
def reserve(*, event: dict[str, Any], order: Order) -> None:
    count(event, order)
    if isinstance(order, OrderPlaced):
        announce(event, order)


def count(event: dict[str, Any], order: Order) -> None:
    """Count all lines or none.

    A transaction takes an item once, so lines of one sku are merged. The token makes the same transaction, sent again
    within ten minutes of its end, a success without effect.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    _, counter = COUNTERS[event["type"]]
    units: Counter[str] = Counter()
    for line in order.lines:
        units[line.sku] += line.quantity
    dynamodb.transact_write_items(
        TransactItems=[
            {
                "Update": {
                    "TableName": os.environ["TABLE_STOCK"],
                    "Key": {"sku": {"S": sku}},
                    "UpdateExpression": "ADD #counter :units",
                    "ExpressionAttributeNames": {"#counter": counter},
                    "ExpressionAttributeValues": {":units": {"N": str(quantity)}},
                }
            }
            for sku, quantity in units.items()
        ],
        ClientRequestToken=derived_id(event, "stock"),
    )


def announce(event: dict[str, Any], order: OrderPlaced) -> None:
    """Publish under an id that is the same for every try, so that whoever listens can tell a copy."""
    reserved = StockReserved(order_id=order.order_id, part=order.part, parts=order.parts)
    detail = {
        "specversion": "1.0",
        "id": derived_id(event, "reserved"),
        "source": os.environ["EVENT_SOURCE"],
        "type": reserved.event_type(),
        "time": datetime.now(UTC).isoformat(),
        "subject": reserved.subject,
        "correlationid": event.get("correlationid", event["id"]),
        "causationid": event["id"],
        "data": msgspec.to_builtins(reserved),
    }
    entry = {
        "EventBusName": os.environ["EVENT_BUS"],
        "Source": detail["source"],
        "DetailType": detail["type"],
        "Detail": json.dumps(detail),
    }
    answer = events.put_events(Entries=[entry])
    # PutEvents succeeds even where entries of it failed.
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"the bus refused the event: {answer['Entries']}")


def derived_id(event: dict[str, Any], purpose: str) -> str:
    return str(uuid5(DERIVED, f"reserve-stock/{event['id']}/{purpose}"))
