"""Payloads: what Lambda hands to functions, in its exact shape."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

import msgspec
from eachonce import Contract, Event
from eachonce.journal import pack_outbox, row_key

# When samples happen whose event doesn't say.
_WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payloads:
    """Payloads of functions in one account and region."""

    region: str
    account_id: str

    def batch(self, queue_arn: str, events: Iterable[Event[Any]]) -> dict[str, Any]:
        """Return the messages of a queue to which a rule sent these events."""
        bodies = [(self._on_the_bus(event), _time(event)) for event in events]
        return {"Records": [self._message(queue_arn, place, *body) for place, body in enumerate(bodies, 1)]}

    def message(self, queue_arn: str, body: str) -> dict[str, Any]:
        """Return one message of a queue, whatever is in it."""
        return {"Records": [self._message(queue_arn, 1, body, _WHEN)]}

    def from_bus(self, source: str, detail_type: str, detail: Any, *, time: datetime = _WHEN) -> dict[str, Any]:
        """Return an event of EventBridge.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
        """
        return {
            "version": "0",
            "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "detail-type": detail_type,
            "source": source,
            "account": self.account_id,
            "time": time.isoformat().replace("+00:00", "Z"),
            "region": self.region,
            "resources": [],
            "detail": detail,
        }

    def published(self, stream_arn: str, events: Sequence[Event[Any]]) -> dict[str, Any]:
        """Return the change of the journal by which these events were published."""
        first = events[0]
        key = {"pk": {"S": row_key("publisher", first.source, first.causationid or first.id)}}
        outbox = {"B": base64.b64encode(pack_outbox(events)).decode()}
        return self.change(stream_arn, key, {**key, "state": {"S": "DONE"}, "outbox": outbox}, _time(first))

    def change(
        self, stream_arn: str, key: Mapping[str, Any], item: Mapping[str, Any], time: datetime = _WHEN
    ) -> dict[str, Any]:
        """Return a change of a table: a new item, in DynamoDB's JSON.

        https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
        """
        record = {
            "eventID": "c4ca4238a0b923820dcc509a6f75849b",
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self.region,
            "dynamodb": {
                "ApproximateCreationDateTime": int(time.timestamp()),
                "Keys": key,
                "NewImage": item,
                "SequenceNumber": "111000000000000000000001",
                "SizeBytes": 1024,
                "StreamViewType": "NEW_IMAGE",
            },
            "eventSourceARN": stream_arn,
        }
        return {"Records": [record]}

    def http_request(self, method: str, path: str, data: Contract, *, time: datetime = _WHEN) -> dict[str, Any]:
        """Return an HTTP API request, payload format 2.0.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
        """
        return {
            "version": "2.0",
            "routeKey": f"{method} {path}",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"content-type": "application/json"},
            "requestContext": {
                "accountId": self.account_id,
                "apiId": "r3pmxmplak",
                "domainName": f"r3pmxmplak.execute-api.{self.region}.amazonaws.com",
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7",
                    "userAgent": "curl/8.5.0",
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": f"{method} {path}",
                "stage": "$default",
                "time": f"{time:%d/%b/%Y:%H:%M:%S} +0000",
                "timeEpoch": _milliseconds(time),
            },
            "body": msgspec.json.encode(data).decode(),
            "isBase64Encoded": False,
        }

    def _on_the_bus(self, event: Event[Any]) -> str:
        detail = msgspec.to_builtins(event)
        return json.dumps(self.from_bus(event.source, event.type, detail, time=_time(event)))

    def _message(self, queue_arn: str, place: int, body: str, sent: datetime) -> dict[str, Any]:
        """Return an SQS record.

        https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
        """
        return {
            "messageId": f"059f36b4-87a3-44ab-83d2-{place:012d}",
            "receiptHandle": f"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a-{place}",
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": str(_milliseconds(sent)),
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": str(_milliseconds(sent) + 5),
            },
            "messageAttributes": {},
            "md5OfBody": md5(body.encode(), usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": self.region,
        }


def _time(event: Event[Any]) -> datetime:
    return _WHEN if event.time is None else event.time


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
