"""Samples: messages as they really come, one for each consumer, type and wrapping, with canaries in what they say."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.forms import s3_records
from tests.records import cloud_event, notification, on_the_bus
from tests.shop.fuzz.junk import CANARY, CANARY_NUMBER
from tests.shop.place import ROOT

POST, FIFO_POST, RAW_POST = "post", "fifo-post", "raw-post"
WRAPPINGS = ("bus", "bus", "alone", "sns", "sns of bus", "base64", "plain", "sns of plain", "binary", "batch", "batch")
RAW_WRAPPINGS = ("raw", "raw", "sns of raw", "batch of raw", "bus", "records")

# Where a plain event's identity lies.
IDENTITY = "eid"

_FOLDERS = ("notify_customer", "reserve_stock", "tally_sales", "track_customer")
_AS_THEY_ARE = {"placed_at", "unit_price", "at", "amount", "ident", "raw", "kind"}

_PAID = {
    "card": "4111",
    "amount": "12.50",
    "at": "2010-12-01T08:26:00Z",
    "kind": "card",
    "ident": "8c5d2269-6f36-593e-bbba-6c614c207806",
    "raw": "QUJD",
    "tags": ["a", "b"],
    "by": {"name": "Ada", "age": 36},
    "more": {"a": 1, "b": [1.5, None]},
    "level": 3,
}
_OF_THE_POST: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Registered", {"parcel": "p", "sender": "Ada"}),
    ("Seen", {"parcel": "p", "at": 7, "place": "Leeds"}),
    ("Weighed", {"parcel": "p", "grams": 5}),
    ("Paid", _PAID),
    ("Paid", {**_PAID, "amount": "-1"}),
    ("Paid", {**_PAID, "level": 10}),
    ("Paid", {**_PAID, "card": "\x00"}),
    ("Paid", {**_PAID, "more": {"a": "one"}}),
    ("Kept", {"parcel": "p", "value": {"a": [1, "b", {"c": None}]}, "named": {"n": 1}}),
    ("Told", {"text": "hello", "value": [1, {"b": 2}]}),
    ("Moody", {"mood": 0, "text": "x"}),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a consumer gets: an event, or a text that is none."""

    consumer: str
    event: dict[str, Any] | str

    @property
    def is_moody(self) -> bool:
        """Whether its handler does something else each time."""
        return isinstance(self.event, dict) and self.event["type"] == "Moody"

    def body(self, event_id: str, wrapping: str, mood: int) -> str:
        """Return the body of a message: the event under this id, wrapped."""
        if isinstance(self.event, str):
            return self.event
        return json.dumps(_wrapped(self._named(event_id, mood), wrapping))

    def said(self, event_id: str, wrapping: str, mood: int) -> dict[str, str]:
        """Return the attributes that come with the body."""
        if wrapping != "binary" or isinstance(self.event, str):
            return {}
        named = self._named(event_id, mood)
        return {f"ce_{name}": str(value) for name, value in named.items() if name != "data"}

    def _named(self, event_id: str, mood: int) -> dict[str, Any]:
        assert isinstance(self.event, dict)
        data = {**self.event["data"], IDENTITY: event_id} | ({"mood": mood} if self.is_moody else {})
        return {**self.event, "id": event_id, "data": data}


@cache
def samples() -> tuple[Sample, ...]:
    """Return all samples, in one order."""
    of_the_post = [
        Sample(
            POST, _planted(cloud_event(kind, data, subject="p", tenant="t", sequence="1", time="2010-12-01T08:26:00Z"))
        )
        for kind, data in _OF_THE_POST
    ]
    raw = [Sample(RAW_POST, sample.event) for sample in of_the_post if _type(sample) == "Kept"]
    return (*of_the_post, *raw, *(sample for folder in _FOLDERS for sample in _of_the_shop(folder)))


def _type(sample: Sample) -> str | None:
    return sample.event["type"] if isinstance(sample.event, dict) else None


def _of_the_shop(folder: str) -> list[Sample]:
    records = [
        record
        for path in sorted((ROOT / "events" / folder).glob("*.json"))
        for record in json.loads(path.read_text(encoding="utf-8"))["Records"]
    ]
    return [Sample(folder.replace("_", "-"), _event(record["body"])) for record in records]


def _event(body: str) -> dict[str, Any] | str:
    try:
        return _planted(json.loads(body)["detail"])
    except ValueError:
        return f"{body}, {CANARY}"


def _planted(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event that says something unmistakable wherever it can, and nothing of it in its type and id."""
    said = {"tenant": "t", "dataschema": "d", **event, "data": {**event["data"], "note": "n", "number": CANARY_NUMBER}}
    return {name: value if name in {"specversion", "type", "time"} else _said(value) for name, value in said.items()}


def _said(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {key: _said(inner, key) for key, inner in value.items()}
        case list():
            return [_said(inner, name) for inner in value]
        case str() if name not in _AS_THEY_ARE:
            return f"{value} {CANARY}"
    return value


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    return on_the_bus(event) | {"detail": event["data"]}


def _wrapped(event: dict[str, Any], wrapping: str) -> Any:
    match wrapping:
        case "bus":
            return on_the_bus(event)
        case "sns":
            return notification(json.dumps(event))
        case "sns of bus":
            return notification(json.dumps(on_the_bus(event)))
        case "plain":
            return _plain(event)
        case "sns of plain":
            return notification(json.dumps(_plain(event)))
        case "batch":
            return [event, {**event, "id": f"{event['id']}-2"}]
        case "binary" | "raw":
            return event["data"]
        case "sns of raw":
            return notification(json.dumps(event["data"]))
        case "batch of raw":
            return [event["data"], {**event["data"], IDENTITY: f"{event['id']}-2"}]
        case "records":
            return s3_records(event["id"], f"{event['id']}-2")
        case "base64":
            data = base64.b64encode(json.dumps(event["data"]).encode()).decode()
            return {name: value for name, value in event.items() if name != "data"} | {"data_base64": data}
    return event
