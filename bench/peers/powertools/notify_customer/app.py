"""NotifyCustomer by Powertools for AWS Lambda: an idempotent function around each record of a batch.

The comments name sections of two pages of https://docs.aws.amazon.com/powertools/python/latest/: "Batch" is
utilities/batch/ and "Idempotency" is utilities/idempotency/. bench/peers/README.md says why each choice was made.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

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
from contracts import OrderPlaced
from mail import Confirmation, mailer

# Batch, "Processing messages from SQS". It raises when a whole batch failed, which is its default ("Partial failure
# mechanics"): every message comes again, and Lambda's error metric shows it.
processor = BatchProcessor(event_type=EventType.SQS)

send = mailer(os.environ)

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
    if event["type"] != "OrderPlaced":
        raise ValueError(f"nothing is done about a {event['type']}")
    confirm(event=event, order=OrderPlaced.decode(json.dumps(event["data"]).encode()))


# Idempotency, "Terminology": unless a prefix is given, the key begins with the names of the function and its module, so
# that a rename would forget every event.
@idempotent_function(
    data_keyword_argument="event", config=config, persistence_store=persistence, key_prefix="notify-customer"
)
def confirm(*, event: dict[str, Any], order: OrderPlaced) -> None:
    """Confirm the order by its first part; the receiver knows a second try by the event's id."""
    if order.part == 1:
        send(Confirmation(key=event["id"], order_id=order.order_id, customer=order.customer))
