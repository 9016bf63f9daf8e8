"""What Lambda hands to the functions, in its own shapes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

ACCOUNT = "123456789012"
QUEUE_ARN = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:parcels"
FIFO_ARN = f"{QUEUE_ARN}.fifo"

_message_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Context:
    """The part of Lambda's context that the layer looks at."""

    remaining_ms: int = 30_000
    function_name: str = "parcels"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:parcels"
    aws_request_id: str = "b7e3d1f0-0000-4000-8000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def cloud_event(event_type: str, data: Any, *, event_id: str = "e-1", **attributes: Any) -> dict[str, Any]:
    """Return a CloudEvents object."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "post",
        "type": event_type,
        "data": data,
        **attributes,
    }


def on_the_bus(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event as EventBridge delivers it.

    https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    """
    return {
        "version": "0",
        "id": "a-bus-id-that-differs-for-every-copy",
        "detail-type": event.get("type", ""),
        "source": event.get("source", ""),
        "account": ACCOUNT,
        "time": "2010-12-01T08:26:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": event,
    }


def notification(message: str) -> dict[str, Any]:
    """Return a message as SNS delivers it to a queue.

    https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
    """
    return {
        "Type": "Notification",
        "MessageId": "an-sns-id",
        "TopicArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:parcels",
        "Message": message,
        "Timestamp": "2010-12-01T08:26:00.000Z",
    }


def record(
    body: str | Mapping[str, Any],
    *,
    message_id: str | None = None,
    receive_count: int = 1,
    first_received: datetime = datetime(2010, 12, 1, 8, 26, 0, 1000, tzinfo=UTC),
    group: str | None = None,
    arn: str = QUEUE_ARN,
) -> dict[str, Any]:
    """Return one SQS record.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    attributes = {
        "ApproximateReceiveCount": str(receive_count),
        "SentTimestamp": "1291191960000",
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": str(round(first_received.timestamp() * 1000)),
    }
    if group is not None:
        attributes |= {"MessageGroupId": group, "SequenceNumber": "18849496460467696128"}
    return {
        "messageId": f"some-{next(_message_numbers)}" if message_id is None else message_id,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": "eu-west-1",
    }


def in_order(body: str | Mapping[str, Any], *, group: str, **attributes: Any) -> dict[str, Any]:
    """Return one record of a FIFO queue."""
    return record(body, group=group, arn=FIFO_ARN, **attributes)


def batch(*records: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a queue's event source mapping invokes a function with."""
    return {"Records": list(records)}


def returned(response: Mapping[str, Any]) -> list[str]:
    """Return the messages, or stream records, that a response sends back."""
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def stream_record(item: Mapping[str, Any] | None, *, number: str, name: str = "INSERT") -> dict[str, Any]:
    """Return one DynamoDB stream record of an item as botocore gives it; None is a row that was removed.

    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
    """
    change: dict[str, Any] = {"SequenceNumber": number, "StreamViewType": "NEW_IMAGE", "SizeBytes": 1}
    if item is not None:
        change["NewImage"] = {attribute: _base64(value) for attribute, value in item.items()}
        change["Keys"] = {"pk": item["pk"]}
    return {"eventID": f"s-{number}", "eventName": name, "eventSource": "aws:dynamodb", "dynamodb": change}


def _base64(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"B": base64.b64encode(value["B"]).decode()} if "B" in value else dict(value)


def http_request(body: Any, *, key: str | None = None, is_base64: bool = False) -> dict[str, Any]:
    """Return an HTTP API request.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    headers = {"content-type": "application/json"}
    if key is not None:
        headers["idempotency-key"] = key
    request = {
        "version": "2.0",
        "routeKey": "POST /orders",
        "rawPath": "/orders",
        "headers": headers,
        "requestContext": {"accountId": ACCOUNT, "http": {"method": "POST", "path": "/orders"}, "requestId": "r-1"},
        "isBase64Encoded": is_base64,
    }
    return request if body is None else {**request, "body": body}
