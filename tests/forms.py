"""One event in every form in which others publish it, and a contract that takes all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from eachonce import Contract, Event, Work, describe

from tests.records import ACCOUNT, cloud_event, notification, on_the_bus, record

TYPE, SOURCE = "parcel.posted", "post"

Record = dict[str, Any]


@describe(type=TYPE, source=SOURCE, identity="parcel", subject="street")
class Posted(Contract, frozen=True, kw_only=True):
    """A parcel was posted; its name tells it from any other."""

    parcel: str
    grams: int = 100
    street: str | None = None


@describe(type=TYPE, source=SOURCE, identity="parcel", raw=True)
class Handed(Contract, frozen=True, kw_only=True):
    """The same in a body that is the data alone."""

    parcel: str
    grams: int = 100


def post(event: Event[Any], work: Work) -> None:
    work.add("Weights", {"parcel": event.data.parcel}, grams=event.data.grams)


def on_the_bus_plain(
    detail: Any, *, event_type: str = TYPE, source: str = SOURCE, envelope_id: str = "bus-1"
) -> dict[str, Any]:
    """Return a plain EventBridge event."""
    return on_the_bus({"type": event_type, "source": source}) | {"detail": detail, "id": envelope_id}


def s3_records(*keys: str, event_name: str = "ObjectCreated:Put", sequencer: str = "0055") -> dict[str, Any]:
    """Return what S3 sends to a queue.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-west-1",
                "eventTime": "2010-12-01T08:26:00.000Z",
                "eventName": event_name,
                "userIdentity": {"principalId": "A"},
                "responseElements": {"x-amz-request-id": "R"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "all",
                    "bucket": {"name": "photos", "arn": "arn:aws:s3:::photos"},
                    "object": {"key": key, "size": 1024, "eTag": "d41d", "sequencer": sequencer},
                },
            }
            for key in keys
        ]
    }


S3_TEST = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2010-12-01T08:26:00.000Z",
    "Bucket": "photos",
    "RequestId": "R",
    "HostId": "H",
}


def object_created(key: str = "cat.jpg", *, sequencer: str = "0055") -> dict[str, Any]:
    """Return EventBridge's event of a new object.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    detail = {
        "version": "0",
        "bucket": {"name": "photos"},
        "object": {"key": key, "size": 1024, "etag": "d41d", "sequencer": sequencer},
        "request-id": "R",
        "requester": ACCOUNT,
        "reason": "PutObject",
    }
    return on_the_bus_plain(detail, event_type="Object Created", source="aws.s3")


def attributes(**values: str) -> dict[str, Any]:
    """Return message attributes as Lambda gives those of SQS."""
    return {
        name: {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}
        for name, value in values.items()
    }


def binary(event: Mapping[str, Any], *, prefix: str = "ce_", **members: Any) -> Record:
    """Return a record of a CloudEvents event in binary form."""
    named = {f"{prefix}{name}": str(value) for name, value in event.items() if name != "data"}
    said = attributes(**named, **{"content-type": "application/json"})
    return record(event["data"], **members) | {"messageAttributes": said}


def on_a_topic(body: Any, **sent: Any) -> dict[str, Any]:
    """Return what a topic's queue gets, with the attributes of the message."""
    return notification(json.dumps(body)) | {
        "MessageAttributes": {name: {"Type": "String", "Value": value} for name, value in sent.items()}
    }


def posted(parcel: str = "p", **data: Any) -> dict[str, Any]:
    return {"parcel": parcel, **data}


def _cloud(parcel: str, **data: Any) -> dict[str, Any]:
    return cloud_event(TYPE, posted(parcel, **data), event_id=f"e-{parcel}")


Form = Callable[..., Record]

# How each form makes one record of a parcel.
FORMS: dict[str, Form] = {
    "CloudEvents, structured": lambda parcel, **data: record(_cloud(parcel, **data)),
    "CloudEvents on the bus": lambda parcel, **data: record(on_the_bus(_cloud(parcel, **data))),
    "CloudEvents, binary": lambda parcel, **data: binary(_cloud(parcel, **data)),
    "CloudEvents, binary on a topic": lambda parcel, **data: record(
        on_a_topic(
            posted(parcel, **data),
            ce_specversion="1.0",
            ce_id=f"e-{parcel}",
            ce_type=TYPE,
            ce_source=SOURCE,
        )
    ),
    "CloudEvents, a batch": lambda parcel, **data: record(json.dumps([_cloud(parcel, **data)])),
    "plain on the bus": lambda parcel, **data: record(on_the_bus_plain(posted(parcel, **data))),
    "plain on the bus and a topic": lambda parcel, **data: record(on_a_topic(on_the_bus_plain(posted(parcel, **data)))),
}
# ... and those of a contract that is raw.
RAW_FORMS: dict[str, Form] = {
    "raw": lambda parcel, **data: record(posted(parcel, **data)),
    "raw on a topic": lambda parcel, **data: record(on_a_topic(posted(parcel, **data))),
    "raw, several": lambda parcel, **data: record(json.dumps([posted(parcel, **data)])),
}
