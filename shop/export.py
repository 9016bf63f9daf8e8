"""What is derived from the contracts: JSON Schemas, and sample inputs in the exact shape that Lambda hands over."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import md5
from inspect import cleandoc
from typing import Any

import msgspec
from contracts import EVENTS, AdjustedLine, Invoice, InvoiceLine, Line, OrderCancelled, OrderPlaced, StockAdjusted
from eachonce import Contract, Event
from eachonce.journal import pack_outbox

_REGION, _ACCOUNT = "eu-west-1", "123456789012"
_TABLE_ARN = f"arn:aws:dynamodb:{_REGION}:{_ACCOUNT}:table/eachonce-dev-Journal"
_WHEN = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
_LOCAL = datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001 - the shop's local time has no zone
_SENT_MS = int(_WHEN.timestamp() * 1000)

_INVOICE = Invoice(
    invoice="536365",
    invoiced_at=_LOCAL,
    country="United Kingdom",
    customer="17850",
    lines=(
        InvoiceLine(sku="85123A", quantity=6, unit_price=Decimal("2.55")),
        InvoiceLine(sku="71053", quantity=6, unit_price=Decimal("3.39")),
    ),
)
_LINES = tuple(Line(sku=line.sku, quantity=line.quantity, unit_price=line.unit_price) for line in _INVOICE.lines)
_PLACED = OrderPlaced(order_id="536365", placed_at=_LOCAL, country="United Kingdom", customer="17850", lines=_LINES)
_CANCELLED = OrderCancelled(order_id="C536379", placed_at=_LOCAL, country="United Kingdom", lines=_LINES[:1])
_ADJUSTED = StockAdjusted(order_id="536589", placed_at=_LOCAL, lines=(AdjustedLine(sku="21777", quantity=-10),))

# What each consumer may be handed, by its folder.
_CONSUMERS: dict[str, tuple[Contract, ...]] = {
    "reserve_stock": (_PLACED, _CANCELLED, _ADJUSTED),
    "tally_sales": (_PLACED, _CANCELLED),
    "track_customer": (_PLACED,),
    "notify_customer": (_PLACED,),
}


def documents() -> dict[str, str]:
    """Return every derived document by its path in the project."""
    return schemas() | samples()


def schemas() -> dict[str, str]:
    """Return the JSON Schema of each event type, and of the request that PlaceOrder takes."""
    return {
        f"docs/events/{contract.__name__}.json": _pretty(_tidy(contract.json_schema()))
        for contract in (Invoice, *EVENTS)
    }


def samples() -> dict[str, str]:
    """Return sample inputs, a folder a function: single events, batches, and a batch with a poison neighbour."""
    built: dict[str, Any] = {
        "place_order/direct.json": msgspec.to_builtins(_INVOICE),
        "place_order/http.json": _http_request(_INVOICE),
        "relay_outbox/batch.json": {"Records": [_stream_record(_published(_PLACED, _ADJUSTED))]},
    }
    for folder, contracts in _CONSUMERS.items():
        name = folder.replace("_", "-")
        for contract in contracts:
            built[f"{folder}/{contract.event_type()}.json"] = _batch(name, _published(contract))
        built[f"{folder}/batch.json"] = _batch(name, _published(*contracts, contracts[0]))
        built[f"{folder}/malformed.json"] = {"Records": [_record(name, 1, '{"not": "an event"')]}
    return {f"events/{path}": _pretty(document) for path, document in built.items()}


def _published(*contracts: Contract) -> list[Event[Any]]:
    """Return the contracts as PlaceOrder would publish them, one type after the other; the same one twice is a copy."""
    cause: Event[Any] = Event(id="536365", source="shop", type="Invoice", data=_INVOICE)
    return [
        cause.causes(contract, by="place-order", place=EVENTS.index(type(contract)), source="shop", time=_WHEN)
        for contract in contracts
    ]


def _batch(consumer: str, events: Sequence[Event[Any]]) -> dict[str, Any]:
    return {"Records": [_record(consumer, place, _on_the_bus(event)) for place, event in enumerate(events, 1)]}


def _on_the_bus(event: Event[Any]) -> str:
    """Return the EventBridge event around ours.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    """
    return json.dumps(
        {
            "version": "0",
            "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "detail-type": event.type,
            "source": event.source,
            "account": _ACCOUNT,
            "time": _WHEN.isoformat().replace("+00:00", "Z"),
            "region": _REGION,
            "resources": [],
            "detail": msgspec.to_builtins(event),
        }
    )


def _record(consumer: str, place: int, body: str) -> dict[str, Any]:
    """Return an SQS record.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-{place:012d}",
        "receiptHandle": f"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a-{place}",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(_SENT_MS),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": str(_SENT_MS + 5),
        },
        "messageAttributes": {},
        "md5OfBody": _md5(body),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:eachonce-dev-{consumer}",
        "awsRegion": _REGION,
    }


def _stream_record(outbox: Sequence[Event[Any]]) -> dict[str, Any]:
    """Return a DynamoDB stream record of a journal row with an outbox.

    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
    """
    return {
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": _REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": _SENT_MS // 1000,
            "Keys": {"pk": {"S": "place-order#536365"}},
            "NewImage": {
                "pk": {"S": "place-order#536365"},
                "state": {"S": "DONE"},
                "outbox": {"B": base64.b64encode(pack_outbox(outbox)).decode()},
            },
            "SequenceNumber": "111000000000000000000001",
            "SizeBytes": 1024,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": f"{_TABLE_ARN}/stream/{_LOCAL.isoformat()}.000",
    }


def _http_request(invoice: Invoice) -> dict[str, Any]:
    """Return an HTTP API request, payload format 2.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    return {
        "version": "2.0",
        "routeKey": "POST /orders",
        "rawPath": "/orders",
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "accountId": _ACCOUNT,
            "apiId": "r3pmxmplak",
            "domainName": f"r3pmxmplak.execute-api.{_REGION}.amazonaws.com",
            "http": {
                "method": "POST",
                "path": "/orders",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "POST /orders",
            "stage": "$default",
            "time": "01/Dec/2010:08:26:00 +0000",
            "timeEpoch": _SENT_MS,
        },
        "body": msgspec.json.encode(invoice).decode(),
        "isBase64Encoded": False,
    }


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _tidy(schema: Any) -> Any:
    """Return the schema with its descriptions, which are docstrings, as every version of Python would have them."""
    if isinstance(schema, dict):
        return {name: cleandoc(value) if name == "description" else _tidy(value) for name, value in schema.items()}
    return [_tidy(item) for item in schema] if isinstance(schema, list) else schema


def _pretty(document: Any) -> str:
    return json.dumps(document, indent=2) + "\n"
